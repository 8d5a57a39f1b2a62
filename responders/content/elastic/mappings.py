"""Index mappings, from the field types of the integrations and of the lookups."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping

_FIELDS = Path(__file__).resolve().parent.parent / "ecs" / "fields.json"
_PLAIN = {"constant_keyword": "keyword", "wildcard": "keyword", "match_only_text": "text"}
"""Types of modules that need not be there, and the type of the same family that ES|QL treats alike."""
_IGNORE_ABOVE = 8191
"""As the aws integration maps CloudTrail's parameters; others ignore texts above 1024."""

LOOKUPS: Dict[str, Dict[str, str]] = {
    "tourniquet-accounts": dict.fromkeys(
        ("tq_account", "tq_identity", "tq_kind", "tq_criticality", "tq_environment", "tq_break_glass", "tq_ambiguous"),
        "keyword",
    ),
    "tourniquet-seen": {"tq_seen": "keyword", "tq_first_seen": "long", "tq_last_seen": "long"},
    "tourniquet-watch": {"tq_watched": "keyword", "tq_watched_until": "date", "tq_watched_why": "keyword"},
}
"""Columns of the lookup indices. A join puts all of them beside the event's own, so no name may be an event's: the watch
list is joined `ON tq_watched` and must not touch tq_identity or tq_account."""


@lru_cache(maxsize=1)
def fields() -> Mapping[str, Mapping[str, str]]:
    """Field types by data stream (`logs-okta.system` …)."""
    found: Dict[str, Dict[str, str]] = json.loads(_FIELDS.read_text(encoding="utf-8"))
    return found


def schema_fields() -> Dict[str, str]:
    """Every field of every data stream. Raises ValueError where two streams give one field types that can't be joined."""
    found: Dict[str, str] = {}
    for stream, types in fields().items():
        for name, kind in types.items():
            plain = _PLAIN.get(kind, kind)
            if found.setdefault(name, plain) != plain:
                raise ValueError(f"{stream}: {name} is {plain}, elsewhere {found[name]}: ES|QL could read neither")
    return found


def mapping(types: Mapping[str, str]) -> Dict[str, Any]:
    """The strict mapping of these fields: a document with any other field is refused, so that no query leans on one."""
    properties: Dict[str, Any] = {}
    for name, kind in types.items():
        place = properties
        *parents, last = name.split(".")
        for parent in parents:
            place = place.setdefault(parent, {}).setdefault("properties", {})
        place[last] = _field(_PLAIN.get(kind, kind))
    return {"dynamic": "strict", "properties": properties}


def _field(kind: str) -> Dict[str, Any]:
    return {"type": kind, "ignore_above": _IGNORE_ABOVE} if kind in ("keyword", "flattened") else {"type": kind}


def streams() -> List[str]:
    """Names of the data streams, without namespace."""
    return sorted(fields())


def document_id(key: str) -> str:
    """The id of a lookup's row: one document a key, however long it is. A second would double every finding."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
