"""What the journal says the responder itself was doing: which ids it worked on, where, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.containment.record import Record, all_containments, load
from responders.containment.responder import Responder
from responders.model import Cause, OwnChange

MARGIN = timedelta(minutes=5)
"""How far the vendor's clock and ours may be apart: with more, neither Okta nor Entra takes our sign-in."""


@dataclass(frozen=True)
class Work:
    """One lane of one containment: from its claim on, until it gave it back or the claim ran out."""

    ids: FrozenSet[str]
    start: datetime
    end: datetime
    undoing: bool

    def explains(self, change: OwnChange) -> bool:
        """True when this change can be a step of this lane, or the undoing of one."""
        if change.cause is Cause.NEVER or (change.cause is Cause.UNDO and not self.undoing):
            return False
        in_time = self.start - MARGIN <= change.at <= self.end + MARGIN
        return in_time and not self.ids.isdisjoint(change.touched) and self.ids.issuperset(change.into)


def work_at(responder: Responder, vendor: str, since: datetime) -> Tuple[Work, ...]:
    """Every lane at this vendor since then. Who did not hold the claim of a lane changed nothing in it."""
    found: List[Work] = []
    for containment, _ in all_containments(responder.journal):
        spans = list(_spans(responder, containment, vendor, since))
        if spans:
            record = load(responder.journal, containment)
            ids = frozenset(_ids_of(record, vendor))
            found.extend(Work(ids, start, end, _undoing(record, end)) for start, end in spans)
    return tuple(found)


def _spans(responder: Responder, containment: str, vendor: str, since: datetime) -> Iterator[Tuple[datetime, datetime]]:
    length = timedelta(seconds=responder.timing.claim)
    for _, doc in responder.journal.side(f"claim/{containment}/{vendor}/"):
        until = datetime.fromisoformat(str(doc["until"])) if "until" in doc else None
        if until is not None and until + MARGIN >= since:
            yield until - length, until


def _undoing(record: Record, end: datetime) -> bool:
    """True when a restore had begun while the claim was held. A newer alert may have lifted it since: the entry stays."""
    begun: Sequence[datetime] = [entry.at for entry in record.entries if entry.kind == "restoring"]
    return any(at <= end for at in begun)


def _ids_of(record: Record, vendor: str) -> Iterator[str]:
    for step in record.steps.values():
        if step.account.vendor == vendor:
            yield step.account.id
            yield from (value for _, value in step.parameters)
            before: Optional[Any] = record.before.get(step.id)
            if before is not None:
                yield from _texts(before.data)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
