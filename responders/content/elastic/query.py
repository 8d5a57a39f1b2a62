"""ES|QL of the detections: macros expanded, and names moved into a namespace of their own for a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.loader import ROOT
from responders.content.schedule import minutes_between_runs
from responders.errors import BadDetection, BadInput, BadInputs
from responders.yaml_source import parse

MACROS = "macros_elastic.yaml"
SCHEMA, ACCOUNTS, WATCH, SEEN = "tourniquet-schema", "tourniquet-accounts", "tourniquet-watch", "tourniquet-seen"
LAG_SECONDS: Dict[str, int] = {
    "okta": 300,
    "entra": 900,
    "aws": 900,
    "cyberark": 300,
    "vault": 300,
    "correlation": 900,
}
"""How late a source's events may be searchable. Okta's System Log API is near real time ("System Log API", event delays
of minutes happen); CloudTrail delivers "typically within about 5 minutes" (AWS, "How CloudTrail works"), Entra's audit log
within 2 to 5 minutes and up to an hour (Microsoft, "Microsoft Entra data latency"), plus the poll interval of the agent.
A detection overrides it with elastic.lag_seconds."""
_DEFAULT_LAG = 900
_USE = re.compile(r"\$\{([A-Za-z_0-9]*)\}")
_DEEPEST = 8
_PATTERN = re.compile(r"\blogs-([a-z0-9_.]+)-\*")
_OWN = re.compile(r"\b(tourniquet-(?:schema|accounts|watch|seen))\b(?!-)")


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
    own = detection.elastic
    known = {**macros, "detection": detection.slug, "layer": detection.layer}
    text = own.query
    for _ in range(_DEEPEST):
        missing = [name for name in _USE.findall(text) if name not in known]
        if missing:
            raise BadDetection(
                f"elastic.query uses ${{{missing[0]}}}, which is no macro",
                place=f"detections/{detection.slug}.yaml:{own.line}",
                remedy=f"define it in detections/{MACROS}, or correct the name",
            )
        if not _USE.search(text):
            return text
        text = _USE.sub(lambda match: known[match[1]], text)
    raise BadDetection(
        "elastic.query uses macros that use themselves",
        place=f"detections/{detection.slug}.yaml:{own.line}",
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


def look_back_seconds(detection: Detection) -> int:
    """How far back a run looks by time of ingest: window, lag of the source, and one interval."""
    lag = detection.elastic.lag_seconds
    source = LAG_SECONDS.get(detection.source, _DEFAULT_LAG)
    return detection.window_seconds + (source if lag is None else lag) + 60 * minutes_between_runs(detection)


def in_namespace(query: str, namespace: str) -> str:
    """The query over the data streams and own indices of one namespace only; nothing else of it changes."""
    moved = _PATTERN.sub(lambda match: f"logs-{match[1]}-{namespace}*", query)
    return _OWN.sub(lambda match: f"{match[1]}-{namespace}", moved)
