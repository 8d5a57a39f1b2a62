"""Reads detections/, with every error of every file at once, each with file, line, key and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.content.detection import Baseline, Detection, ElasticQuery, Example, Forgery
from responders.content.entries import expand_entry
from responders.content.shape import shape_errors
from responders.content.spl import Macro
from responders.errors import BadDetection, BadInput, BadInputs
from responders.yaml_source import Source, parse

ROOT = Path(__file__).resolve().parent.parent.parent / "detections"
_OTHERS = ("macros.yaml", "macros_elastic.yaml", "usage.yaml")


def load_detections(root: Path = ROOT) -> Tuple[Detection, ...]:
    """Every detection below `root`, by slug. Raises BadInputs."""
    found, errors = read_all(root)
    if errors:
        raise BadInputs(errors)
    return found


def read_all(root: Path = ROOT) -> Tuple[Tuple[Detection, ...], List[BadInput]]:
    """The detections below `root` that can be read, by slug, and what is wrong with the others."""
    errors: List[BadInput] = []
    found: List[Detection] = []
    paths = sorted(root.glob("*/*.yaml"))
    for path in sorted(root.rglob("*.y*ml")):
        if path not in paths and not (path.parent == root and path.name in _OTHERS):
            remedy = "move it to detections/<source>/<name>.yaml"
            name = f"detections/{path.relative_to(root)}:1"
            errors.append(BadDetection("is no place of a detection: it would not ship", place=name, remedy=remedy))
    for path in paths:
        slug = f"{path.parent.name}/{path.stem}"
        name = f"detections/{slug}.yaml"
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            errors.append(BadDetection(f"can't be read: {error}", place=f"{name}:1", remedy="save it as UTF-8"))
            continue
        try:
            found.append(read_detection(text, name, slug))
        except BadInputs as several:
            errors.extend(several.errors)
    if not found and not errors:
        errors.append(BadDetection("holds no detection", place=str(root), remedy="name the folder detections/"))
    return tuple(found), errors


def read_detection(text: str, name: str, slug: str) -> Detection:
    """One detection from its YAML text. Raises BadInputs."""
    source = parse(text, name)
    errors: List[BadInput] = [
        BadDetection(what, place=f"{name}:{line}", remedy="correct the file") for line, what in source.problems
    ]
    if not errors:
        errors.extend(shape_errors(source))
    if errors:
        raise BadInputs(errors)
    return _build(source.value, slug, source)


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
        not_verified=tuple(value.get("not_verified") or ()),
        wanted=tuple(value["response"].get("wanted") or ()),
        baseline=_baseline(value.get("baseline")),
        lines={key: int(source.place((key,)).rpartition(":")[2]) for key in value},
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
                key = f"examples.{place}.events.{number}"
                what = f"{key}: this event can't be made: {type(error).__name__}: {error}"
                remedy = "correct its like, file, at, set, unset or vary (docs/writing_detections.md, Examples)"
                errors.append(BadDetection(what, place=where, remedy=remedy))
        lookups = item.get("lookups") or value.get("lookups") or {}
        found.append(
            Example(
                item["name"], tuple(events), tuple(item.get("fires") or ()), item.get("quiet", ""), item.get("real", ""),
                {name: tuple(rows) for name, rows in lookups.items()}, item.get("confidence"),
            )
        )  # fmt: skip
    if errors:
        raise BadInputs(errors)
    return tuple(found)


def load_macros(root: Path = ROOT) -> Dict[str, Macro]:
    """Macros by name, `name(n)` for those with n arguments. Raises BadInputs."""
    source = parse((root / "macros.yaml").read_text(encoding="utf-8"), "detections/macros.yaml")
    errors: List[BadInput] = [
        BadDetection(what, place=f"{source.name}:{line}", remedy="correct it") for line, what in source.problems
    ]
    macros = source.value.get("macros") if isinstance(source.value, dict) else None
    if not errors and not isinstance(macros, dict):
        errors.append(BadDetection("has no macros", place=f"{source.name}:1", remedy="begin it with `macros:`"))
    found: Dict[str, Macro] = {}
    for name, entry in (macros or {}).items() if isinstance(macros, dict) else ():
        given = entry if isinstance(entry, dict) else {}
        arguments = given.get("args") or []
        if (
            not isinstance(given.get("definition"), str)
            or not isinstance(arguments, list)
            or set(given) - {"definition", "args"}
        ):
            remedy = "write `name: {definition: text}`, and args: [a, b] where it has arguments"
            errors.append(BadDetection(f"{name}: is no macro", place=source.place(("macros", name)), remedy=remedy))
            continue
        key = f"{name}({len(arguments)})" if arguments else str(name)
        found[key] = Macro(key, given["definition"], tuple(map(str, arguments)))
    if errors:
        raise BadInputs(errors)
    return found
