"""What a canary drill showed at each vendor: seconds to contain and to restore, or what broke."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Dict, List, Optional, Sequence, Tuple

from responders.containment.record import load
from responders.containment.responder import Responder
from responders.model import Identity, Outcome, Status

_BROKEN = (Status.FAILED, Status.UNKNOWN, Status.REFUSED)


@dataclass(frozen=True)
class Lane:
    """One vendor. Seconds from the drill's alert until the last step held, and from the restore until all was as before.

    None where it never came to that; `problem` says why, "" when the path works.
    """

    vendor: str
    contain: Optional[float]
    restore: Optional[float]
    problem: str


@dataclass(frozen=True)
class Drilled:
    """What a drill showed. `untested` are connected vendors where the canary has no account."""

    identity: str
    containment: str
    at: datetime
    tier: str
    lanes: Tuple[Lane, ...]
    problems: Tuple[str, ...]
    untested: Tuple[str, ...]

    @property
    def works(self) -> bool:
        return not self.problems and all(not lane.problem for lane in self.lanes)


def lanes(
    identity: Identity, responder: Responder, containment: str, began: datetime, back: Sequence[Outcome], since: datetime
) -> Tuple[Lane, ...]:
    """Each vendor at which the canary has an account, as its steps in the journal say."""
    record = load(responder.journal, containment) if containment else None
    done: Dict[str, List[Outcome]] = {account.vendor: [] for account in identity.accounts}
    undone: Dict[str, List[Outcome]] = {account.vendor: [] for account in identity.accounts}
    planned = list(record.steps.values()) if record is not None else []
    for step in planned:
        if record is not None and step.id in record.outcomes:
            done[step.account.vendor].append(record.outcomes[step.id])
    for outcome in back:
        undone[outcome.step.account.vendor].append(outcome)
    reached = {(step.account.vendor, step.account.tenant) for step in planned}
    left = {a.vendor: f"no step was planned at {a.vendor}:{a.tenant}" for a in identity.accounts
            if (a.vendor, a.tenant) not in reached}  # fmt: skip
    return tuple(
        _lane(
            vendor, sum(s.account.vendor == vendor for s in planned), done[vendor], undone[vendor], began, since,
            left.get(vendor, ""),
        )
        for vendor in sorted(done)
    )  # fmt: skip


def _lane(
    vendor: str, planned: int, done: Sequence[Outcome], undone: Sequence[Outcome], began: datetime, since: datetime,
    left_out: str,
) -> Lane:  # fmt: skip
    bad = [o for o in done if o.status in _BROKEN]
    # What nobody can undo (ended sessions) is refused, and no broken path.
    left = [o for o in undone if o.status in (Status.FAILED, Status.UNKNOWN)]
    whole, restored = planned > 0 and len(done) == planned and not bad, bool(undone) and not left
    problem = "; ".join(f"{o.step.action}: {o.status.value}: {o.proof}" for o in (*bad, *left))
    if not problem and (left_out or not whole):
        problem = left_out or "not every step was tried"
    if not problem and not restored:
        problem = "not restored"
    contained = max((o.at for o in done), default=began)
    put_back = max((o.at for o in undone), default=since)
    return Lane(
        vendor,
        round((contained - began).total_seconds(), 3) if whole else None,
        round((put_back - since).total_seconds(), 3) if restored else None,
        problem,
    )
