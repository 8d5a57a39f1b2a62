"""Events out of what they come wrapped in: a file's or a message's envelope, an export of a SIEM, a bookkeeping object."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Tuple

from responders.content.forms import TIMES

_ENVELOPES: Dict[str, Tuple[str, ...]] = {
    "entra_signin": ("records", "value"), "entra_audit": ("records", "value"),
    "entra_risk": ("records", "value"), "m365_audit": ("value",),
    "aws_cloudtrail": ("Records",), "kubernetes_audit": ("items",), "agent": ("records", "value"),
}  # fmt: skip
"""Where the vendor holds several: Event Hub's records, Graph's value, CloudTrail's Records, a Kubernetes EventList."""
_TEXTS = ("_raw", "AuditData")
"""Texts that are the event: an export of Splunk, and Search-UnifiedAuditLog's result."""
_DEEPEST = 5


def unwrap(source: str, value: Any, depth: int = 0) -> List[Any]:
    """The vendor's own events within a value of any shape; the value itself where nothing is around it."""
    if depth > _DEEPEST:
        return [value]
    if isinstance(value, list):
        return [event for item in value for event in unwrap(source, item, depth + 1)]
    if not isinstance(value, Mapping) or _timed(source, value):
        return [value]
    inner = _inner(source, value)
    return [value] if inner is None else unwrap(source, inner, depth + 1)


def _timed(source: str, value: Mapping[str, Any]) -> bool:
    """Whether the object is an event already: it has the source's time, and holds none that has."""
    held = value.get("event")
    if isinstance(held, Mapping) and any(name in held for name in TIMES[source]):
        return False
    return any(name in value for name in TIMES[source]) and not any(name in value for name in _TEXTS)


def _inner(source: str, value: Mapping[str, Any]) -> Any:
    for name in _ENVELOPES.get(source, ()):
        if isinstance(value.get(name), list):
            return value[name]
    if source == "aws_cloudtrail" and "detail-type" in value:
        return value.get("detail")
    held = value.get("event")
    if isinstance(held, Mapping) and isinstance(held.get("original"), str):
        return _parsed(source, held["original"])
    if isinstance(held, Mapping) or (source == "cyberark" and isinstance(held, str)):
        return held
    for name in _TEXTS:
        if isinstance(value.get(name), str):
            return _parsed(source, value[name])
    return None


def _parsed(source: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text if source == "cyberark" else None
