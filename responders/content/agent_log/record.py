"""What every mapping onto the contract shares."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Dict, List, Mapping, Optional

VERDICTS = {
    "none": "none", "allow": "none", "allowed": "none", "pass": "none", "passed": "none",
    "detect": "detected", "detected": "detected", "flagged": "detected", "warn": "detected", "warning": "detected",
    "block": "blocked", "blocked": "blocked", "intervened": "blocked", "deny": "blocked", "denied": "blocked",
}  # fmt: skip
OUTCOMES = {
    "success": "success", "succeeded": "success", "ok": "success", "allow": "success", "allowed": "success",
    "failure": "failure", "failed": "failure", "error": "failure",
    "denied": "denied", "deny": "denied", "blocked": "denied", "refused": "denied", "rejected": "denied",
    "forbidden": "denied",
    "requested": "requested",
}  # fmt: skip
RESOURCE_NAMES = (
    "resource", "uri", "url", "path", "file_path", "secret_id", "secret", "destination", "recipient", "to", "bucket",
    "table",
)  # fmt: skip
"""Arguments that name what a tool touches, the first that is a text counts."""
_QUERY = re.compile(r"[?#].*$", re.DOTALL)
_USERINFO = re.compile(r"//[^/@\s]*@")
_LONGEST = 512


def at(event: Any, path: str) -> Any:
    """The value at `a.b.c`, None where there is none."""
    for part in path.split("."):
        event = event.get(part) if isinstance(event, Mapping) else None
    return event


def first(event: Any, *paths: str) -> Optional[str]:
    """The first of these that is a text with something in it."""
    for path in paths:
        value = at(event, path)
        if isinstance(value, str) and value:
            return value
    return None


def texts(value: Any) -> List[str]:
    """The texts of a list; a text alone is a list of one."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and item]


def resource(arguments: Any) -> Optional[str]:
    """What the tool touches, by its arguments' names, without query, fragment or user information: secrets stand there."""
    found = first(arguments, *RESOURCE_NAMES)
    return None if found is None else _USERINFO.sub("//", _QUERY.sub("", found))[:_LONGEST] or None


def digest(definition: Any) -> str:
    """A tool's definition (its description and parameters) as one short text that changes with it."""
    text = json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()


def pruned(value: Any) -> Any:
    """The record without what is absent."""
    if isinstance(value, Mapping):
        kept: Dict[str, Any] = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, {}, [])}
    return value
