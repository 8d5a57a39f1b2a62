"""ES|QL of the detections: macros expanded, and names moved into a namespace of their own for a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.loader import ROOT
from responders.errors import BadDetection, BadInput, BadInputs
from responders.yaml_source import parse

MACROS = "macros_elastic.yaml"
SCHEMA, ACCOUNTS, WATCH, SEEN = "tourniquet-schema", "tourniquet-accounts", "tourniquet-watch", "tourniquet-seen"
_USE = re.compile(r"\$\{([A-Za-z_0-9]*)\}")
_DEEPEST = 8
_PATTERN = re.compile(r"\blogs-([a-z0-9_.]+)-\*")
_OWN = re.compile(r"\b(tourniquet-(?:schema|accounts|watch|seen|identities))\b(?!-)")


def load_elastic_macros(root: Path = ROOT) -> Dict[str, str]:
    """Texts by name. Raises BadInputs."""
    path = root / MACROS
    name = f"detections/{MACROS}"
    source = parse(path.read_text(encoding="utf-8"), name)
    errors: List[BadInput] = [
        BadDetection(what, place=f"{name}:{line}", remedy="correct it") for line, what in source.problems
    ]
    macros = source.value.get("macros") if isinstance(source.value, dict) else None
    if not errors and not isinstance(macros, dict):
        errors.append(BadDetection("has no macros", place=name, remedy="begin it with `macros:`"))
    for key, text in (macros or {}).items():
        if not isinstance(text, str):
            where = source.place(("macros", key))
            errors.append(BadDetection(f"{key} is no text", place=where, remedy="write `name: text`"))
    if errors:
        raise BadInputs(errors)
    return {str(key): str(text).strip() for key, text in (macros or {}).items()}


def expand(detection: Detection, macros: Mapping[str, str]) -> str:
    """The whole query. `${name}` is a macro, `${detection}` and `${layer}` this detection's. Raises BadDetection."""
    place = f"detections/{detection.slug}.yaml:{detection.elastic.line}"
    return expand_text(detection.elastic.query, "elastic.query", place, _known(detection, macros))


def expand_baseline(detection: Detection, macros: Mapping[str, str]) -> str:
    """The query of its baseline, "" where it has none. Raises BadDetection."""
    own = detection.baseline
    if own is None:
        return ""
    return expand_text(own.elastic, "baseline.elastic", detection.place("baseline"), _known(detection, macros))


def _known(detection: Detection, macros: Mapping[str, str]) -> Dict[str, str]:
    return {**macros, "detection": detection.slug, "layer": detection.layer}


def expand_text(text: str, key: str, place: str, macros: Mapping[str, str]) -> str:
    """A query with its macros put in. `key` and `place` say in an error where it stands. Raises BadDetection."""
    for _ in range(_DEEPEST):
        missing = [name for name in _USE.findall(text) if name not in macros]
        if missing:
            raise BadDetection(
                f"{key} uses ${{{missing[0]}}}, which is no macro",
                place=place,
                remedy=f"define it in detections/{MACROS}, or correct the name",
            )
        if not _USE.search(text):
            return text
        text = _USE.sub(lambda match: macros[match[1]], text)
    raise BadDetection(
        f"{key} uses macros that use themselves",
        place=place,
        remedy=f"break the circle in detections/{MACROS}",
    )


def queries(detections: Sequence[Detection], root: Path = ROOT) -> Tuple[Tuple[Detection, str], ...]:
    """Each detection with its expanded query. Raises BadInputs with every one that is broken."""
    macros = load_elastic_macros(root)
    found: List[Tuple[Detection, str]] = []
    errors: List[BadInput] = []
    for detection in detections:
        try:
            found.append((detection, expand(detection, macros)))
        except BadDetection as error:
            errors.append(error)
    if errors:
        raise BadInputs(errors)
    return tuple(found)


def in_namespace(query: str, namespace: str) -> str:
    """The query over the data streams and own indices of one namespace only; nothing else of it changes."""
    moved = _PATTERN.sub(lambda match: f"logs-{match[1]}-{namespace}*", query)
    return _OWN.sub(lambda match: f"{match[1]}-{namespace}", moved)
