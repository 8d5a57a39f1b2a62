"""What is known of the vendors' logs: the names of their fields, each with where it is documented.

`facts/<family>.yaml` holds it, one file for the logs of one vendor. It is data of the project like frameworks.json, not of
a detection: a name that stands in no list is a typing error, or a fact that somebody has still to look up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Mapping, Sequence, Tuple

from responders.errors import BadInput
from responders.yaml_source import Source, parse

FOLDER = Path(__file__).with_name("facts")
_KEYS = {"fields", "names", "values"}
_GROUP = ({"from", "licence", "names"}, {"not_verified", "names"})


@dataclass(frozen=True)
class Origin:
    """Where names are from: document or folder of samples, with its licence. `verified` is false for names that no
    document was found for; `source` then says which they are."""

    source: str
    licence: str
    verified: bool


@dataclass(frozen=True)
class Facts:
    """Of one family of logs: the origin of each field's name; by kind, of each name that says what happened; by field, of
    each value that searches ask for."""

    family: str
    fields: Mapping[str, Origin]
    names: Mapping[str, Mapping[str, Origin]]
    values: Mapping[str, Mapping[str, Origin]]


@lru_cache(maxsize=1)
def all_facts() -> Mapping[str, Facts]:
    """Family to what is known of it. Raises BadInput for a file of another shape."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _read(path: Path) -> Facts:
    name = f"responders/content/facts/{path.name}"
    source = parse(path.read_text(encoding="utf-8"), name)
    if source.problems or not isinstance(source.value, dict) or not {"fields"} <= set(source.value) <= _KEYS:
        line, what = source.problems[0] if source.problems else (1, "has other keys than `fields`, `names` and `values`")
        raise BadInput(what, place=f"{name}:{line}", remedy="correct the file")
    names, values = (
        {str(kind): _groups(source, (key, kind), groups) for kind, groups in (source.value.get(key) or {}).items()}
        for key in ("names", "values")
    )
    return Facts(path.stem, _groups(source, ("fields",), source.value["fields"]), names, values)


def _groups(source: Source, at: Tuple[str, ...], groups: Sequence[Any]) -> Dict[str, Origin]:
    found: Dict[str, Origin] = {}
    for number, group in enumerate(groups):
        if not isinstance(group, dict) or set(group) not in _GROUP:
            remedy = "give from, licence and names; or not_verified and names"
            raise BadInput("is no group of names", place=source.place((*at, number)), remedy=remedy)
        for field in group["names"]:
            found.setdefault(str(field), _origin(group))
    return found


def _origin(group: Mapping[str, Any]) -> Origin:
    if "from" in group:
        return Origin(str(group["from"]), str(group["licence"]), True)
    return Origin(str(group["not_verified"]), "", False)


FAMILIES: Tuple[Tuple[str, str], ...] = (
    ("tourniquet_okta", "okta"),
    ("tourniquet_entra", "entra"),
    ("tourniquet_m365", "entra"),
    ("tourniquet_aws", "aws"),
    ("tourniquet_cyberark", "cyberark"),
    ("tourniquet_vault", "vault"),
    ("tourniquet_github", "github"),
    ("tourniquet_secret_scanning", "github"),
    ("tourniquet_kubernetes", "kubernetes"),
    ("tourniquet_sailpoint", "sailpoint"),
    ("tourniquet_agent", "agent"),
    ("tourniquet_signals", "own"),
    ("tourniquet_journal", "own"),
)
"""How the macros begin that read a family's logs."""

NAMES: Mapping[str, str] = {
    "eventType": "eventType",
    "eventName": "eventName",
    "eventSource": "eventSource",
    "cef_signature": "cef_signature",
    "action": "action",
    "Operation": "operation",
    "tq_operation": "operation",
    "tq_act": "action",
    "tq_name": "technicalName",
}
"""Fields that say what happened, of logs or as the macros make them of it, to the kind of name that they hold."""
