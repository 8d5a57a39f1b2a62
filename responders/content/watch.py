"""The watch list that the responder would have written, where a run is not given one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from responders.content.forms import TIMES, parse_time

_WATCHED = timedelta(hours=24)
_SOURCES = ("signal", "journal")


def watched(events: Iterable[Tuple[str, Any]]) -> List[Dict[str, str]]:
    """Rows of tourniquet_watch: whoever a signal or the journal names, for 24 hours from the last, and its detection."""
    until: Dict[str, Tuple[float, str]] = {}
    for source, event in events:
        if source not in _SOURCES or not isinstance(event, Mapping):
            continue
        name = event.get("tq_identity")
        at = next((found for found in (parse_time(event.get(key)) for key in TIMES[source]) if found is not None), None)
        if isinstance(name, str) and name and at is not None:
            why = str(event.get("tq_detection") or "contained")
            until[name] = max((at, why), until.get(name, (at, why)))
    return [{"tq_identity": name, "until": _iso(at), "why": why} for name, (at, why) in until.items()]


def watched_indexed(indexed: Iterable[Mapping[str, Any]]) -> List[Dict[str, str]]:
    """The same from events in Splunk's form."""
    own = (event for event in indexed if event.get("source") in _SOURCES)
    return watched((str(event["source"]), _parsed(str(event["_raw"]))) for event in own)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _iso(at: float) -> str:
    try:
        return (datetime.fromtimestamp(at, timezone.utc) + _WATCHED).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, OSError, ValueError):
        return "9999-12-31T00:00:00Z"
