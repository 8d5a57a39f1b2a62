"""Reads detections/, with every error of every file at once, each with file, line, key and remedy."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import jsonschema

from responders.content.detection import Detection, ElasticQuery, Example, Forgery
from responders.content.spl import Macro
from responders.errors import BadDetection, BadInput, BadInputs
from responders.yaml_source import Source, parse

ROOT = Path(__file__).resolve().parent.parent.parent / "detections"
_SCHEMA = Path(__file__).with_name("schema.json")


def load_detections(root: Path = ROOT) -> Tuple[Detection, ...]:
    """Every detection below `root`, by slug. Raises BadInputs."""
    errors: List[BadInput] = []
    found: List[Detection] = []
    for path in sorted(root.glob("*/*.yaml")):
        slug = f"{path.parent.name}/{path.stem}"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            errors.append(BadDetection(f"can't be read: {error}", place=str(path), remedy="save it as UTF-8"))
            continue
        try:
            found.append(read_detection(text, f"detections/{slug}.yaml", slug))
        except BadInputs as several:
            errors.extend(several.errors)
    if not found and not errors:
        errors.append(BadDetection("holds no detection", place=str(root), remedy="name the folder detections/"))
    if errors:
        raise BadInputs(errors)
    return tuple(found)


def read_detection(text: str, name: str, slug: str) -> Detection:
    """One detection from its YAML text. Raises BadInputs."""
    source = parse(text, name)
    errors: List[BadInput] = [
        BadDetection(what, place=f"{name}:{line}", remedy="correct the file") for line, what in source.problems
    ]
    if not errors:
        errors.extend(_schema_errors(source))
    if errors:
        raise BadInputs(errors)
    return _build(source.value, slug, source)


@lru_cache(maxsize=1)
def _validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))


def _schema_errors(source: Source) -> List[BadInput]:
    found: List[BadInput] = []
    for error in sorted(_validator().iter_errors(source.value), key=lambda item: [str(part) for part in item.path]):
        path = tuple(error.absolute_path)
        key = ".".join(str(part) for part in path) or "the file"
        found.append(
            BadDetection(
                f"{key}: {error.message[:300]}", place=source.place(path), remedy="see docs/detections.md, the format"
            )
        )
    value = source.value if isinstance(source.value, dict) else {}
    for place, example in enumerate(value.get("examples") or ()):
        if isinstance(example, dict) and ("fires" in example) == ("quiet" in example):
            where = source.place(("examples", place))
            found.append(BadDetection("an example says either fires or quiet", place=where, remedy="keep one of them"))
    return found


def _build(value: Mapping[str, Any], slug: str, source: Source) -> Detection:
    return Detection(
        slug=slug,
        id=value["id"],
        name=value["name"],
        version=value["version"],
        status=value["status"],
        description=value["description"].strip(),
        how_it_works=value["how_it_works"].strip(),
        false_positives=tuple(value["false_positives"]),
        references=tuple(value["references"]),
        source=value["source"],
        layer=value["layer"],
        frameworks={name: tuple(ids) for name, ids in value["frameworks"].items()},
        identity=value["identity"]["account"],
        account_kind=value["identity"]["kind"],
        confidence=value["confidence"]["base"],
        modifiers=tuple((item["points"], item["when"]) for item in value["confidence"]["modifiers"]),
        forgery=Forgery(value["forgery"]["by"], value["forgery"]["why"]),
        max_tier=value["response"]["max_tier"],
        actions=tuple(value["response"]["actions"]),
        window_seconds=value.get("window_seconds", 0),
        splunk=value["splunk"].strip(),
        elastic=_elastic(value.get("elastic"), source),
        examples=tuple(_example(item, source, place) for place, item in enumerate(value["examples"])),
        parts=tuple(value.get("parts") or ()),
    )


def _elastic(value: Optional[Mapping[str, Any]], source: Source) -> Optional[ElasticQuery]:
    if value is None:
        return None
    line = int(source.place(("elastic", "query")).rpartition(":")[2])
    return ElasticQuery(value["query"].strip(), value.get("lag_seconds"), line)


def _example(item: Mapping[str, Any], source: Source, place: int) -> Example:
    events: List[Tuple[str, Any]] = []
    for number, entry in enumerate(item["events"]):
        try:
            events.extend(_events(entry))
        except (OSError, ValueError, KeyError, TypeError) as error:
            where = source.place(("examples", place, "events", number))
            raise BadInputs(
                [BadDetection(f"event can't be made: {error!r}", place=where, remedy="see docs/detections.md")]
            ) from None
    return Example(
        item["name"], tuple(events), tuple(item.get("fires") or ()), item.get("quiet", ""), item.get("real", ""),
        {name: tuple(rows) for name, rows in (item.get("lookups") or {}).items()},
    )  # fmt: skip


def _events(entry: Mapping[str, Any]) -> List[Tuple[str, Any]]:
    """The events an entry stands for: one, those of a file of real ones, or `repeat` of one.

    repeat: {times: N, every: seconds, field: dotted name of the time, vary: [dotted names that get -1, -2 …]}.
    """
    if "file" in entry:
        text = (ROOT / "samples" / entry["file"]).read_text(encoding="utf-8")
        value = json.loads(text)
        return [(entry["source"], event) for event in (value if isinstance(value, list) else [value])]
    repeat = entry.get("repeat")
    if not repeat:
        return [(entry["source"], entry["event"])]
    made: List[Tuple[str, Any]] = []
    for number in range(int(repeat["times"])):
        event = copy.deepcopy(entry["event"])
        start = _get(event, repeat["field"])
        moment = datetime.fromisoformat(str(start).replace("Z", "+00:00")) + timedelta(seconds=number * repeat["every"])
        _set(event, repeat["field"], moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z")
        for name in repeat.get("vary") or ():
            _set(event, name, f"{_get(event, name)}-{number}")
        made.append((entry["source"], event))
    return made


def _get(event: Any, name: str) -> Any:
    for part in name.split("."):
        event = event[part]
    return event


def _set(event: Any, name: str, value: Any) -> None:
    *parents, last = name.split(".")
    for part in parents:
        event = event[part]
    event[last] = value


def load_macros(root: Path = ROOT) -> Dict[str, Macro]:
    """Macros by name, `name(n)` for those with n arguments. Raises BadInputs."""
    path = root / "macros.yaml"
    source = parse(path.read_text(encoding="utf-8"), "detections/macros.yaml")
    if source.problems or not isinstance(source.value, dict):
        raise BadInputs(
            [BadDetection(what, place=f"{source.name}:{line}", remedy="correct it") for line, what in source.problems]
            or [BadDetection("is no mapping", place=source.name, remedy="correct it")]
        )
    found: Dict[str, Macro] = {}
    for name, entry in source.value["macros"].items():
        arguments: Sequence[str] = entry.get("args") or ()
        key = f"{name}({len(arguments)})" if arguments else name
        found[key] = Macro(key, str(entry["definition"]), tuple(arguments))
    return found
