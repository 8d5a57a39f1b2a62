"""Reads detections/, with every error of every file at once, each with file, line, key and remedy."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import jsonschema

from responders.content.detection import Baseline, Detection, ElasticQuery, Example, Forgery
from responders.content.entries import expand_entry
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
        elastic=_elastic(value["elastic"], source),
        examples=_examples(value, source),
        parts=tuple(value.get("parts") or ()),
        logging=tuple(value.get("logging") or ()),
        wanted=tuple(value["response"].get("wanted") or ()),
        baseline=_baseline(value.get("baseline")),
    )


def _baseline(value: Optional[Mapping[str, Any]]) -> Optional[Baseline]:
    return None if value is None else Baseline(value["what"], value["splunk"].strip(), value["elastic"].strip())


def _elastic(value: Mapping[str, Any], source: Source) -> ElasticQuery:
    line = int(source.place(("elastic", "query")).rpartition(":")[2])
    return ElasticQuery(value["query"].strip(), value.get("lag_seconds"), line)


def _examples(value: Mapping[str, Any], source: Source) -> Tuple[Example, ...]:
    """Raises BadInputs with every event that can't be made."""
    found: List[Example] = []
    errors: List[BadInput] = []
    for place, item in enumerate(value["examples"]):
        events: List[Tuple[str, Any]] = []
        for number, entry in enumerate(item["events"]):
            try:
                events.extend(expand_entry(entry, value.get("given") or {}, ROOT / "samples"))
            except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
                where = source.place(("examples", place, "events", number))
                what = f"event can't be made: {type(error).__name__}: {error}"
                errors.append(BadDetection(what, place=where, remedy="see docs/detections.md, the format"))
        lookups = item.get("lookups") or value.get("lookups") or {}
        found.append(
            Example(
                item["name"], tuple(events), tuple(item.get("fires") or ()), item.get("quiet", ""), item.get("real", ""),
                {name: tuple(rows) for name, rows in lookups.items()},
            )
        )  # fmt: skip
    if errors:
        raise BadInputs(errors)
    return tuple(found)


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
