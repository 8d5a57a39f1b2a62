"""What the journal keeps of a raw row: everything but secrets, in bounded size, and as JSON gives it back.

A SIEM's row may carry the raw event: a password somebody typed into the user field, an Authorization header, a new access
key. The responder acts on this form too, so that an alert taken up again after a crash is the very same alert.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping

from responders.alerts.fields import MAX_FIELD

HIDDEN = "***"
_CUT = "… (cut)"
_LONGEST = MAX_FIELD + 1  # a field that is too long stays too long, and is refused as such each time
_ITEMS = 5001
_DEPTH = 16
_BESIDE = 256 * 1024
"""Characters kept of all columns beside ours together."""

_SHAPES = re.compile(
    r"\beyJ[A-Za-z0-9_-]{8,512}\.[A-Za-z0-9_.-]+"  # JSON web tokens
    r"|\b(?:hv)?[sbr]\.[A-Za-z0-9_-]{20,}"  # Vault tokens
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bxox[a-z]-[\w-]{10,}"
    r"|(?i:\b(?:bearer|ssws|basic|splunk)\s+)[A-Za-z0-9._~+/=-]{6,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
)
_SHORTEST = 11
"""Letters of the shortest that has such a shape (`ssws abcdef`): most values are shorter, and need no look."""
_WORDS = (
    r"(?:passw(?:or)?d|passphrase|secret|token|authorization|cookie|api_?key|session_?key|private_?key|assertion|credential)"
)
_NAMED = re.compile(rf"(?i){_WORDS}")
_PAIR = re.compile(
    rf"(?i)({_WORDS}[\w.-]{{0,40}}\\{{0,4}}[\"']?\s{{0,4}}[=:]\s{{0,4}}\\{{0,4}})"
    r"(\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|[^\s\"'&,;}\]]+)"
)
"""Every repeat is bounded or has one way to match: a hostile text must not cost more than its length."""


def kept(raw: Mapping[Any, Any]) -> Dict[str, Any]:
    """The row as it is journaled. Our own columns lose only what has the shape of a secret; ids stay what they are."""
    ours = {str(name): _ours(value, 0) for name, value in raw.items() if str(name).startswith("tq_")}
    left = [_BESIDE]
    beside = {str(name): _beside(str(name), value, left, 0) for name, value in raw.items() if str(name) not in ours}
    return {**ours, **beside}


def _ours(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        if len(value) < _SHORTEST:
            return value
        return "\n".join(_SHAPES.sub(HIDDEN, line[:_LONGEST]) for line in value.split("\n", _ITEMS))
    if isinstance(value, (list, tuple)) and depth < _DEPTH:
        return [_ours(item, depth + 1) for item in value[:_ITEMS]]
    if isinstance(value, Mapping) and depth < _DEPTH:
        return {str(name): _ours(item, depth + 1) for name, item in value.items()}
    return value if value is None or isinstance(value, (bool, int, float)) else str(type(value).__name__)


def _beside(name: str, value: Any, left: List[int], depth: int) -> Any:
    if isinstance(value, Mapping) and depth < _DEPTH:
        return {str(key): _beside(str(key), item, left, depth + 1) for key, item in list(value.items())[:_ITEMS]}
    if isinstance(value, (list, tuple)) and depth < _DEPTH:
        return [_beside(name, item, left, depth + 1) for item in value[:_ITEMS]]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return HIDDEN if _NAMED.search(name) else value
    if _NAMED.search(name):
        return HIDDEN
    text = str(value)
    shown = _PAIR.sub(rf"\1{HIDDEN}", _SHAPES.sub(HIDDEN, text[: max(0, left[0])]))
    left[0] -= len(text)
    return shown if left[0] >= 0 else shown + _CUT
