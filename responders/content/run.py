"""Runs detections over raw vendor events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.forms import parse_time, to_splunk
from responders.content.loader import load_macros
from responders.content.spl import Context, Macro, Search, parse, run
from responders.content.watch import watched_indexed

LOOKUPS = ("tourniquet_accounts", "tourniquet_watch", "tourniquet_seen")


@dataclass(frozen=True)
class Hit:
    """One row of a detection: one identity. `row` is the raw alert as the SIEM hands it to the responder."""

    detection: Detection
    row: Mapping[str, Any]

    @property
    def account(self) -> str:
        return str(self.row.get("tq_account", ""))

    @property
    def confidence(self) -> int:
        return int(float(str(self.row.get("tq_confidence", 0))))

    def to_json(self) -> Dict[str, Any]:
        """What `tourniquet detections run --json` prints."""
        return {
            "detection": self.detection.slug,
            "id": self.detection.id,
            "name": self.detection.name,
            "confidence": self.confidence,
            "identity": str(self.row.get("tq_identity", "")),
            "account": self.account,
            "events": many(self.row.get("tq_events")),
            "completed_at": _utc(self.row.get("tq_completed_at")),
            "started_at": _utc(self.row.get("tq_started_at")),
            "reasons": many(self.row.get("tq_reasons")),
            "evidence": many(self.row.get("tq_evidence")),
        }


def _utc(value: Any) -> str:
    """A row's time in UTC to the millisecond, whatever the time zone that the search wrote it in."""
    at = parse_time(value)
    if at is None:
        return ""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def many(value: Any) -> List[str]:
    """A field's values as a list of texts."""
    if value is None or value == "":
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def run_detections(
    detections: Sequence[Detection],
    events: Iterable[Tuple[str, Any]],
    *,
    accounts: Sequence[Mapping[str, str]] = (),
    lookups: Optional[Mapping[str, Sequence[Mapping[str, str]]]] = None,
    now: Optional[float] = None,
) -> List[Hit]:
    """Every hit of `detections` over the events, by the SPL evaluator; strongest first.

    `accounts` are rows of the accounts lookup. Events need not be in order. `now` is the search's time (epoch
    seconds), by default the time of the latest event.
    """
    given = list(events)
    at = latest(given) if now is None else now
    indexed = [to_splunk(source, event, at) for source, event in given]
    indexed.sort(key=lambda event: -float(event["_time"]))
    return run_indexed(detections, indexed, accounts=accounts, lookups=lookups, now=at)


def run_indexed(
    detections: Sequence[Detection],
    indexed: Sequence[Mapping[str, Any]],
    *,
    accounts: Sequence[Mapping[str, str]] = (),
    lookups: Optional[Mapping[str, Sequence[Mapping[str, str]]]] = None,
    now: float,
) -> List[Hit]:
    """The same over events that are in Splunk's form already, latest first as Splunk returns them.

    Without a tourniquet_watch among the lookups, the events' own signals make the watch list, as the responder would.
    """
    tables: Dict[str, List[Dict[str, Any]]] = {name: [] for name in LOOKUPS}
    tables["tourniquet_accounts"] = [dict(row) for row in accounts]
    tables["tourniquet_watch"] = watched_indexed(indexed)
    for name, rows in (lookups or {}).items():
        tables[name] = [dict(row) for row in rows]
    macros = _macros()
    context = Context(macros, tables, now)
    hits = [Hit(d, row) for d in detections for row in run(_search(d.splunk), indexed, context)]
    return sorted(hits, key=lambda hit: (-float(str(hit.row.get("tq_confidence", 0))), hit.detection.slug, hit.account))


def latest(events: Iterable[Tuple[str, Any]]) -> float:
    """The latest time of the events (epoch seconds), which one that has no readable time of its own is given."""
    found = (float(to_splunk(source, event, -1.0)["_time"]) for source, event in events)
    return max((at for at in found if at > 0), default=0.0)


@lru_cache(maxsize=1)
def _macros() -> Dict[str, Macro]:
    return load_macros()


@lru_cache(maxsize=None)  # noqa: UP033 - a bounded set of searches, kept by their text
def _search(text: str) -> Search:
    return parse(text, _macros())
