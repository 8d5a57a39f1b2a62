"""Pages: all containments, and one with plan, reasons, proof, what is open, and its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from werkzeug.wrappers import Response

from responders.actions import registry
from responders.console.board import Row, row_of
from responders.console.site import Visit
from responders.console.timeline import lines
from responders.containment import clicks, due
from responders.containment.compose import of_containment
from responders.containment.record import Record, load
from responders.errors import Refused
from responders.escalation.words import left_out
from responders.model import Outcome, Step

_SHOWN = 200


def listed(visit: Visit) -> Response:
    """Live ones first, newest first; with `find` those whose identity holds these words."""
    rows, left = visit.site.board.rows()
    find = visit.request.args.get("find", "").strip()[:200]
    rows = tuple(row for row in rows if find.casefold() in row.identity.casefold() or find == row.containment)
    live = [row for row in rows if row.live]
    ended = [row for row in rows if not row.live]
    counts = {
        "need a person": sum(row.state in ("open", "begun", "broken") or row.waits > 0 for row in live),
        "contained": sum(row.state == "contained" for row in live),
        "being restored": sum(row.state == "restoring" for row in live),
        "ended": len(ended),
    }
    return visit.show(
        "containments.html", live=live[:_SHOWN], ended=ended[:_SHOWN], counts=counts, left=left, find=find,
        more=max(0, len(live) - _SHOWN) + max(0, len(ended) - _SHOWN), mark=visit.site.board.mark(),
    )  # fmt: skip


@dataclass(frozen=True)
class Done:
    """A step and what became of it."""

    step: Step
    outcome: Optional[Outcome]
    irreversible: str
    breaks: str


def one(visit: Visit, containment: str) -> Response:
    """One containment. Each entry of its chain was checked while it was read."""
    record = found(visit, containment)
    return shown(visit, record)


def found(visit: Visit, containment: str) -> Record:
    """Raises Refused when there is none."""
    if not containment.startswith("c-") or len(containment) != 18:
        raise Refused("there is no such containment")
    return load(visit.responder.journal, containment)


def shown(visit: Visit, record: Record, status: int = 200, said: str = "") -> Response:
    """Its page, with a sentence on top."""
    responder = visit.responder
    if record.plan is None:
        raise Refused(f"{record.containment} has no plan yet: it has just begun, or was interrupted and is taken up again")
    report = of_containment(responder.journal, record, ())
    who = record.plan.decision.identity
    later = [item for item in due.pending(responder.journal) if item.about == record.containment] if record.open else []
    return visit.show(
        "containment.html", status, record=record, report=report, row=_row(record, visit), who=who, said=said,
        decision=record.plan.decision, lanes=_lanes(record), later=later, lines=lines(record.entries)[::-1],
        waiting=clicks.waiting(record, responder.now()), mine=visit.session.identity,
        restores=visit.session.identity in responder.inventory.restorers, mark=visit.site.board.mark(),
        alerts=record.alerts[::-1], left_out=left_out(report),
    )  # fmt: skip


def _row(record: Record, visit: Visit) -> Row:
    assert record.plan is not None
    return row_of(record, record.plan.decision.identity.id, record.plan.generation, visit.responder.now())


def _lanes(record: Record) -> List[Tuple[str, List[Done]]]:
    lanes: Dict[str, List[Done]] = {}
    for step in sorted(record.steps.values(), key=lambda step: (step.account.vendor, step.phase)):
        action = registry.load(step.action)
        done = Done(step, record.outcomes.get(step.id), action.irreversible, action.breaks)
        lanes.setdefault(step.account.vendor, []).append(done)
    return list(lanes.items())
