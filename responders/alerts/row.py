"""One row of a SIEM's results as an `Alert`. Everything in it is treated as the attacker's.

Who is meant, how sure it is and when it was must be exact, or there is no alert. What an attacker may name beside that (an
object, a provider, a browser) costs only itself: it is left out, and `Alert.left_out` says so.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from typing import Any, Mapping, Optional, Sequence, Tuple

from responders.alerts.canary import DETECTION, SOURCE
from responders.alerts.fields import bad, exact, many, one, readable, words
from responders.errors import BadAlert
from responders.model import Account, Alert, Pairs

REQUEST = "tq_request"
_SKEW = timedelta(minutes=15)
_PATH = re.compile(r"(?:^|[/\\])\.{1,2}(?:[/\\]|\Z)|%[0-9A-Fa-f]{2}|\?")
"""What walks a path or opens a query. No id of the four vendors holds it; the transport escapes ids all the same."""
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,15}(\.[0-9]*)?(e[0-9])?\s*\Z", re.IGNORECASE)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


def alert_from_row(row: Mapping[str, Any], catalogue: Mapping[str, Any], now: datetime) -> Alert:
    """Read one row. `catalogue` maps detection ids to what the build compiled of them.

    Multivalue fields are lists; a text is one value, whatever it holds.
    Raises BadAlert naming the field and the remedy: an unknown detection, no account that can be read, a confidence
    outside 0 to 100, a time in the future or unreadable, a finding without a name. Of reasons, evidence and accounts
    what can't be read is left out; the finding, events and causes, which are only compared, stand as their digests then.
    """
    if not isinstance(row, Mapping):
        raise bad("row", "is no object", "let the SIEM hand over rows of named fields")
    if "unreadable" in row and "tq_detection" not in row:
        where, why = str(row.get("place", "row"))[:200], str(row.get("why") or row["unreadable"])[:300]
        raise bad(where, why, "correct it and hand it over again: its start is kept in the journal")
    detection = one(row, "tq_detection")
    known = catalogue.get(detection)
    if not isinstance(known, Mapping):
        raise BadAlert(
            f"unknown detection {detection[:80]!r}",
            place="tq_detection",
            remedy="rebuild the content with `tourniquet detections build` and install it in SIEM and responder alike",
        )
    completed = _time(row, "tq_completed_at", now)
    started, late = _started(row, completed, now)
    findings, odd_finding = exact(row, "tq_finding")
    finding = findings[0] if len(findings) == 1 else one(row, "tq_finding")
    accounts, strange = _accounts(row, known)
    reasons, unsaid = words(row, "tq_reasons")
    evidence, unclean = readable(row, "tq_evidence", _pair)
    events, odd_events = exact(row, "tq_events")
    causes, odd_causes = exact(row, "tq_causes")
    return Alert(
        id=finding,
        detection=detection,
        layer=str(known["layer"]),
        confidence=_confidence(row),
        reasons=reasons,
        accounts=accounts,
        events=frozenset(events),
        completed_at=completed,
        started_at=min(started, completed),
        finding=finding,
        evidence=evidence,
        causes=frozenset(causes),
        correlation=bool(known.get("is_correlation", False)),
        requested=_requested(row),
        source=_source(row, detection),
        left_out=(*strange, *unclean, *odd_finding, *odd_events, *odd_causes, *unsaid, *late),
    )


def _source(row: Mapping[str, Any], detection: str) -> str:
    """A request makes it a click; of the canary's detection it is never more than a drill, whoever wrote it."""
    return "automatic" if not row.get(REQUEST) else SOURCE if detection == DETECTION else "click"


def from_siem(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row as a SIEM gave it, without what only a surface may say: a log line must not pass for an analyst's click."""
    return {name: value for name, value in row.items() if name != REQUEST}


def with_request(row: Mapping[str, Any], by: str, reason: str, wanted: Sequence[str]) -> Mapping[str, Any]:
    """A row that a person asked for. `wanted` are a tier and names of actions. Raises BadAlert without `by` or reason."""
    if not by.strip() or not reason.strip():
        raise bad(REQUEST, "who asks, or why, is missing", "give --by ID and --reason WHY")
    return {**from_siem(row), REQUEST: {"by": by, "reason": reason, "wanted": list(wanted)}}


def _accounts(row: Mapping[str, Any], known: Mapping[str, Any]) -> Tuple[Tuple[Account, ...], Pairs]:
    """Accounts that can be read. Beside them one that can't is a stranger; alone it names nobody: BadAlert."""
    kinds = many(row, "tq_account_kind")

    def take(place: int, key: str) -> Account:
        parts = key.split(":", 2)
        if len(parts) != 3 or not all(part.strip() for part in parts) or not _WORD.match(parts[0]):
            raise bad("tq_account", f"{key[:80]!r} is not vendor:tenant:id", "let the detection output all three parts")
        _no_path("tq_account", parts[2], key)
        kind = kinds[place] if place < len(kinds) else (kinds[-1] if kinds else str(known.get("account_kind", "user")))
        return Account(parts[0], parts[1], kind, parts[2])

    accounts, strange = readable(row, "tq_account", take)
    if not accounts:
        for place, key in enumerate(many(row, "tq_account")):
            take(place, key)  # raises what is wrong with it
        raise bad("tq_account", "no account is named", "let the detection output vendor:tenant:id")
    return accounts, strange


def _pair(_: int, item: str) -> Tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals or not name or not value:
        raise bad("tq_evidence", f"{item[:80]!r} is not name=value", "let the detection output name=value")
    _no_path("tq_evidence", value, item)
    return name, value


def _confidence(row: Mapping[str, Any]) -> int:
    values = many(row, "tq_confidence")
    number = float(values[0]) if len(values) == 1 and _NUMBER.match(values[0]) else math.nan
    if not 0 <= number <= 100:
        raise bad("tq_confidence", f"{', '.join(values)[:40]!r} is not a number from 0 to 100", "correct the detection")
    return int(number)


def _time(row: Mapping[str, Any], name: str, now: datetime) -> datetime:
    value = one(row, name)
    found: Optional[datetime] = None
    try:
        found = datetime.fromtimestamp(float(value), timezone.utc)
    except (ValueError, OverflowError, OSError):
        try:
            found = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise bad(name, f"{value[:40]!r} is no time", "output epoch seconds or ISO 8601 with an offset") from None
    if found.tzinfo is None:
        raise bad(name, f"{value[:40]!r} has no offset", "output epoch seconds or ISO 8601 with an offset")
    if found > now + _SKEW:
        raise bad(name, f"{value[:40]!r} lies in the future", "correct the clock of the log source or of this machine")
    try:
        return found.astimezone(timezone.utc)
    except OverflowError:
        raise bad(name, f"{value[:40]!r} is no time", "output epoch seconds or ISO 8601 with an offset") from None


def _started(row: Mapping[str, Any], completed: datetime, now: datetime) -> Tuple[datetime, Pairs]:
    if row.get("tq_started_at") in (None, ""):
        return completed, ()
    try:
        return _time(row, "tq_started_at", now), ()
    except BadAlert as error:
        return completed, (("tq_started_at", f"{error.message}: the time of the completing event stands for it"),)


def _requested(row: Mapping[str, Any]) -> Tuple[str, ...]:
    request = row.get(REQUEST)
    if not request:
        return ()
    if not isinstance(request, Mapping):
        raise bad(REQUEST, "is text, and only a surface may write it", "let the search not output this column")
    asked = {f"{REQUEST}.{name}": value for name, value in request.items()}
    return (f"by={one(asked, f'{REQUEST}.by')}", *many(asked, f"{REQUEST}.wanted"))


def _no_path(name: str, value: str, whole: str) -> None:
    if _PATH.search(value):
        raise bad(name, f"{whole[:80]!r} holds a path trick", "find out who put it there, and output clean ids only")
