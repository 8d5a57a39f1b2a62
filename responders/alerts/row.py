"""One row of a SIEM's results as an `Alert`. Everything in it is treated as the attacker's."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadAlert
from responders.model import Account, Alert, Pairs

MAX_FIELD = 64 * 1024
_MAX_ITEMS = 5000
REQUEST = "tq_request"
_SKEW = timedelta(minutes=15)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]")
"""Also C1, line separators, turns of the writing direction and lone surrogates: what rewrites a line for its reader; and
U+FFFD, which stands where a reader of the SIEM's file replaced what it could not take."""
_PATH = re.compile(r"(?:^|[/\\])\.{1,2}(?:[/\\]|\Z)|%[0-9A-Fa-f]{2}|\?")
"""What walks a path or opens a query. No id of the four vendors holds it; the transport escapes ids all the same."""
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,15}(\.[0-9]*)?(e[0-9])?\s*\Z", re.IGNORECASE)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


def alert_from_row(row: Mapping[str, Any], catalogue: Mapping[str, Any], now: datetime) -> Alert:
    """Read one row. `catalogue` maps detection ids to what the build compiled of them.

    Multivalue fields are lists, or strings with one value a line (as Splunk's results file has them).
    Raises BadAlert naming the field and the remedy: an unknown detection, a missing or over-long field, control
    characters, a confidence outside 0 to 100, a time in the future or unreadable.
    """
    if not isinstance(row, Mapping):
        raise _bad("row", "is no object", "let the SIEM hand over rows of named fields")
    if "unreadable" in row and "tq_detection" not in row:
        where, why = str(row.get("place", "row"))[:200], str(row.get("why") or row["unreadable"])[:300]
        raise _bad(where, why, "correct it and hand it over again: its start is kept in the journal")
    detection = _text(row, "tq_detection")
    known = catalogue.get(detection)
    if not isinstance(known, Mapping):
        raise BadAlert(
            f"unknown detection {detection[:80]!r}",
            place="tq_detection",
            remedy="rebuild the content with `tourniquet detections build` and install it in SIEM and responder alike",
        )
    completed = _time(row, "tq_completed_at", now)
    started = _time(row, "tq_started_at", now) if row.get("tq_started_at") not in (None, "") else completed
    finding = _text(row, "tq_finding")
    return Alert(
        id=finding,
        detection=detection,
        layer=str(known["layer"]),
        confidence=_confidence(row),
        reasons=_many(row, "tq_reasons"),
        accounts=_accounts(row, known),
        events=frozenset(_many(row, "tq_events")),
        completed_at=completed,
        started_at=min(started, completed),
        finding=finding,
        evidence=_evidence(row),
        causes=frozenset(_many(row, "tq_causes")),
        correlation=bool(known.get("is_correlation", False)),
        requested=_requested(row),
        source="click" if row.get(REQUEST) else "automatic",
    )


def from_siem(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row as a SIEM gave it, without what only a surface may say: a log line must not pass for an analyst's click."""
    return {name: value for name, value in row.items() if name != REQUEST}


def with_request(row: Mapping[str, Any], by: str, reason: str, wanted: Sequence[str]) -> Mapping[str, Any]:
    """A row that a person asked for. `wanted` are a tier and names of actions. Raises BadAlert without `by` or reason."""
    if not by.strip() or not reason.strip():
        raise _bad(REQUEST, "who asks, or why, is missing", "give --by ID and --reason WHY")
    return {**from_siem(row), REQUEST: {"by": by, "reason": reason, "wanted": list(wanted)}}


def _accounts(row: Mapping[str, Any], known: Mapping[str, Any]) -> Tuple[Account, ...]:
    kinds = _many(row, "tq_account_kind")
    keys = _many(row, "tq_account")
    if not keys:
        raise _bad("tq_account", "no account is named", "let the detection output vendor:tenant:id")
    accounts: List[Account] = []
    for place, key in enumerate(keys):
        parts = key.split(":", 2)
        if len(parts) != 3 or not all(part.strip() for part in parts) or not _WORD.match(parts[0]):
            raise _bad("tq_account", f"{key[:80]!r} is not vendor:tenant:id", "let the detection output all three parts")
        _no_path("tq_account", parts[2])
        kind = kinds[place] if place < len(kinds) else (kinds[-1] if kinds else str(known.get("account_kind", "user")))
        accounts.append(Account(parts[0], parts[1], kind, parts[2]))
    return tuple(accounts)


def _evidence(row: Mapping[str, Any]) -> Pairs:
    pairs: List[Tuple[str, str]] = []
    for item in _many(row, "tq_evidence"):
        name, equals, value = item.partition("=")
        if not equals or not name or not value:
            raise _bad("tq_evidence", f"{item[:80]!r} is not name=value", "let the detection output name=value")
        _no_path("tq_evidence", value)
        pairs.append((name, value))
    return tuple(pairs)


def _confidence(row: Mapping[str, Any]) -> int:
    values = _many(row, "tq_confidence")
    number = float(values[0]) if len(values) == 1 and _NUMBER.match(values[0]) else math.nan
    if not 0 <= number <= 100:
        raise _bad("tq_confidence", f"{', '.join(values)[:40]!r} is not a number from 0 to 100", "correct the detection")
    return int(number)


def _time(row: Mapping[str, Any], name: str, now: datetime) -> datetime:
    value = _text(row, name)
    found: Optional[datetime] = None
    try:
        found = datetime.fromtimestamp(float(value), timezone.utc)
    except (ValueError, OverflowError, OSError):
        try:
            found = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise _bad(name, f"{value[:40]!r} is no time", "output epoch seconds or ISO 8601 with an offset") from None
    if found.tzinfo is None:
        raise _bad(name, f"{value[:40]!r} has no offset", "output epoch seconds or ISO 8601 with an offset")
    if found > now + _SKEW:
        raise _bad(name, f"{value[:40]!r} lies in the future", "correct the clock of the log source or of this machine")
    try:
        return found.astimezone(timezone.utc)
    except OverflowError:
        raise _bad(name, f"{value[:40]!r} is no time", "output epoch seconds or ISO 8601 with an offset") from None


def _requested(row: Mapping[str, Any]) -> Tuple[str, ...]:
    request = row.get(REQUEST)
    if not request:
        return ()
    if not isinstance(request, Mapping):
        raise _bad(REQUEST, "is text, and only a surface may write it", "let the search not output this column")
    asked = {f"{REQUEST}.{name}": value for name, value in request.items()}
    return (f"by={_text(asked, f'{REQUEST}.by')}", *_many(asked, f"{REQUEST}.wanted"))


def _text(row: Mapping[str, Any], name: str) -> str:
    values = _many(row, name)
    if len(values) != 1:
        raise _bad(name, "is missing" if not values else f"has {len(values)} values", "let the detection output one value")
    return values[0]


def _many(row: Mapping[str, Any], name: str) -> Tuple[str, ...]:
    value = row.get(name)
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        items: Sequence[Any] = value.split("\n", _MAX_ITEMS)
    else:
        items = value if isinstance(value, (list, tuple)) else (value,)
    if len(items) > _MAX_ITEMS:
        raise _bad(name, f"has more than {_MAX_ITEMS} values", f"output at most {_MAX_ITEMS}")
    found: List[str] = []
    for item in items:
        text = _plain(name, item)
        if len(text) > MAX_FIELD:
            raise _bad(name, f"is longer than {MAX_FIELD} characters", f"output at most {MAX_FIELD}")
        if _CONTROL.search(text):
            raise _bad(name, "holds control characters", "output clean ids only")
        if text:
            found.append(text)
    return tuple(found)


def _plain(name: str, item: Any) -> str:
    """Text, or a number as text. str() of anything else would be an id that no vendor knows."""
    if isinstance(item, str):
        return item
    if isinstance(item, (int, float)) and not isinstance(item, bool) and -1e18 < item < 1e18:
        return str(item)
    raise _bad(name, f"holds a {type(item).__name__} that is no id", "output text or numbers")


def _no_path(name: str, value: str) -> None:
    if _PATH.search(value):
        raise _bad(name, f"{value[:80]!r} holds a path trick", "find out who put it there, and output clean ids only")


def _bad(name: str, what: str, remedy: str) -> BadAlert:
    return BadAlert(what, place=name, remedy=remedy)
