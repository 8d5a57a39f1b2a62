"""All containments as rows, kept up to date while somebody looks. One board for all: many pages cost no more than one.

The journal names containments in no order of time, so each is read once; after that only the open ones, from their last
entry on. Each look is bounded in time: what it did not get to, the next one reads.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Dict, List, Mapping, Optional, Set, Tuple

from responders.containment import clicks
from responders.containment.record import Record, all_containments, load
from responders.containment.responder import Responder
from responders.errors import Refused, Tampered
from responders.model import Status

_SLICE = 1.0
"""Seconds of reading in one look."""
_REST = 10.0
"""A look is followed by a rest so many times as long: reading takes a tenth of the time at most."""


@dataclass(frozen=True)
class Row:
    """One containment in a list. `state` is contained, open, restoring, restored, closed, begun or broken."""

    containment: str
    identity: str
    generation: int
    state: str
    seq: int = -1
    kind: str = ""
    tier: str = ""
    confidence: int = 0
    detection: str = ""
    privileged: bool = False
    unmapped: bool = False
    held: int = 0
    steps: int = 0
    opened_at: Optional[datetime] = None
    seconds: Optional[float] = None
    waits: int = 0

    @property
    def live(self) -> bool:
        """True until it is restored or closed."""
        return self.state not in ("restored", "closed")


class Board:
    """Raises JournalError where the journal can't be read."""

    def __init__(self, responder: Callable[[], Responder]) -> None:
        self._responder = responder
        self._rows: Dict[str, Row] = {}
        self._left: List[Tuple[str, Mapping[str, str]]] = []
        self._lock = threading.Lock()
        self._next = 0.0

    def rows(self) -> Tuple[Tuple[Row, ...], int]:
        """Rows, live ones first and newest first, and how many containments are not read yet."""
        with self._lock:
            if time.monotonic() >= self._next:
                began = time.monotonic()
                self._look(began + _SLICE)
                taken = time.monotonic() - began
                self._next = time.monotonic() + (0.0 if self._left else min(30.0, max(0.2, _REST * taken)))
            found = sorted(self._rows.values(), key=lambda row: (row.live, row.opened_at is None, _stamp(row)), reverse=True)
            return tuple(found), len(self._left)

    def soon(self) -> None:
        """Something was done here: whoever looks next reads the journal anew."""
        with self._lock:
            self._next = 0.0

    def mark(self) -> str:
        """Another text whenever a row changed, or automation was halted."""
        rows, left = self.rows()
        said = "\n".join(sorted(f"{row.containment} {row.seq} {row.state} {row.waits}" for row in rows))
        return hashlib.sha256(f"{left}\n{self._responder().halted()}\n{said}".encode()).hexdigest()[:16]

    def _look(self, until: float) -> None:
        responder = self._responder()
        journal = responder.journal
        if not self._left:
            self._left = [item for item in all_containments(journal) if self._stale(item[0], responder)]
        while self._left:
            name, about = self._left.pop()
            self._rows[name] = _row(name, about, responder)
            if time.monotonic() > until:
                return

    def _stale(self, name: str, responder: Responder) -> bool:
        known = self._rows.get(name)
        if known is None:
            return True
        if not known.live:
            return False
        try:
            head = responder.journal.head(name)
        except Tampered:
            return known.state != "broken"
        return known.state == "begun" or known.waits > 0 or (head is not None and head.seq != known.seq)


def _row(name: str, about: Mapping[str, str], responder: Responder) -> Row:
    identity, generation = about["identity"], int(about["generation"])
    try:
        return row_of(load(responder.journal, name), identity, generation, responder.now())
    except Tampered:
        return Row(name, identity, generation, "broken")
    except Refused:
        return Row(name, identity, generation, "begun")


def row_of(record: Record, identity: str, generation: int, now: datetime) -> Row:
    """A containment as its chain tells it."""
    plan = record.plan
    if plan is None:
        return Row(record.containment, identity, generation, "begun", opened_at=record.opened_at)
    who, alert = plan.decision.identity, record.alerts[-1]
    held = sum(outcome.status.holds for outcome in record.outcomes.values())
    done = _first_whole(record) if held == len(record.steps) else None
    return Row(
        record.containment, identity, generation, _state(record, held), record.entries[-1].seq, who.kind,
        plan.decision.tier.label, plan.decision.confidence, alert.detection, who.privileged, who.unmapped, held,
        len(record.steps), record.opened_at,
        (done - record.opened_at).total_seconds() if done is not None and record.opened_at is not None else None,
        len(clicks.waiting(record, now)),
    )  # fmt: skip


def _first_whole(record: Record) -> Optional[datetime]:
    """When every step first held: a later recheck proves them again, and must not look like a slower containment."""
    steps: Set[str] = set()
    held: Set[str] = set()
    for entry in record.entries:
        if entry.kind == "plan":
            steps |= {str(step["id"]) for step in entry.body["plan"]["steps"]}
        elif entry.kind == "outcome":
            for found in entry.body["outcomes"]:
                (held.add if Status(found["status"]).holds else held.discard)(str(found["step"]["id"]))
            if steps and steps <= held:
                return entry.at
    return None


def _state(record: Record, held: int) -> str:
    if record.ended is not None:
        return record.ended.kind
    if record.restoring is not None:
        return "restoring"
    whole = bool(record.steps) and held == len(record.steps)
    loud = record.plan is not None and (record.plan.unsupported or record.plan.decision.refused)
    return "contained" if whole and not loud else "open"


def _stamp(row: Row) -> float:
    return row.opened_at.timestamp() if row.opened_at is not None else 0.0
