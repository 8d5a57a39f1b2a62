"""Undo a containment from its recorded pre-state, in reverse, each step confirmed. Works from the journal alone."""

from __future__ import annotations

import time
from functools import partial
from typing import Dict, List, Optional, Tuple

from responders.actions import registry
from responders.codec import to_json
from responders.containment import due
from responders.containment.compose import Note, of_containment
from responders.containment.facts import client_for
from responders.containment.gate import alone
from responders.containment.notify import escalate
from responders.containment.people import identity_of, permitted
from responders.containment.record import Record, load
from responders.containment.responder import Responder
from responders.containment.standing import tell_standing
from responders.errors import TourniquetError
from responders.model import Outcome, Status, Step
from responders.parallel import run_all

_GRACE = 1.0


def restore(
    responder: Responder, containment: str, *, by: str, reason: str, approved_by: Optional[str] = None
) -> Tuple[Outcome, ...]:
    """Put back what this containment changed and end it.

    `by` and `approved_by` are identity ids of people. Raises Refused when they may not, when it is ended already, or
    when the reason is empty. Steps that could not be undone keep it open, due, and escalated.
    """
    record = load(responder.journal, containment)
    identity = permitted(record, responder, "restore", by, reason, approved_by)
    journal = responder.journal
    key = due.add(journal, "restore", containment, responder.later(responder.timing.retry_due), f"{by}")
    if record.restoring is None:
        journal.append(
            containment, "restoring", {"by": by, "approved_by": approved_by or "", "reason": reason, "side": [key]}
        )
    outcomes = put_back(responder, load(journal, containment))
    journal.append(containment, "undone", {"outcomes": [to_json(outcome) for outcome in outcomes]})
    failed = tuple(o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN))
    if not failed:
        journal.append(containment, "restored", {"by": by, "approved_by": approved_by or "", "reason": reason})
        tell_standing(responder, containment)
        title = f"{identity.id}: restored by {by}"
    else:
        title = f"{identity.id}: restore is NOT complete"
    lost = tuple(
        f"{o.step.action} on {o.step.account.key}: not undone: {o.proof}"
        for o in outcomes
        if o.status is not Status.CONFIRMED and o.status is not Status.ALREADY
    )
    report = of_containment(journal, load(journal, containment), (), Note(title, bool(failed), lost))
    escalate(responder, report, containment)
    return outcomes


def put_back(responder: Responder, record: Record) -> Tuple[Outcome, ...]:
    """Undo every step that may have changed something: vendors side by side, within one in reverse order."""
    lanes: Dict[str, List[Step]] = {}
    for step in sorted(record.steps.values(), key=lambda item: item.phase, reverse=True):
        lanes.setdefault(step.account.vendor, []).append(step)
    deadline = time.monotonic() + responder.timing.deadline
    tasks = {vendor: partial(_lane, responder, record, vendor, steps, deadline) for vendor, steps in lanes.items()}
    found = run_all(tasks, deadline + _GRACE)
    outcomes: List[Outcome] = []
    for vendor, result in found.items():
        if isinstance(result, Exception):
            outcomes.extend(Outcome(s, Status.UNKNOWN, str(result), responder.now()) for s in lanes[vendor])
        else:
            outcomes.extend(result)
    return tuple(outcomes)


def _lane(responder: Responder, record: Record, vendor: str, steps: List[Step], deadline: float) -> List[Outcome]:
    """A lane that still contains there ends first; none that comes later goes on: it sees that a restore has begun."""
    with alone(responder, f"{record.containment}/{vendor}", deadline):
        now = load(responder.journal, record.containment)
        return [_undo(responder, now, step) for step in steps]


def _undo(responder: Responder, record: Record, step: Step) -> Outcome:
    action, before = registry.load(step.action), record.before.get(step.id)
    if before is None:
        return Outcome(step, Status.ALREADY, "nothing was changed: no intent was recorded", responder.now())
    if before.contained:
        return Outcome(step, Status.ALREADY, "it was so before the containment: left as it was", responder.now())
    if action.irreversible:
        return Outcome(step, Status.REFUSED, f"can't be undone: {action.irreversible}", responder.now())
    client = client_for(responder, identity_of(record), step.account)
    if client is None:
        return Outcome(step, Status.FAILED, "no responder is configured for it any more", responder.now())
    try:
        now = action.check(client, step)
        if not action.restored(before, now):
            action.undo(client, step, before)
            now = action.check(client, step)
    except TourniquetError as error:
        return Outcome(step, Status.FAILED, str(error), responder.now())
    if action.restored(before, now):
        return Outcome(step, Status.CONFIRMED, f"as before: {action.proof(now)}", responder.now())
    return Outcome(step, Status.FAILED, f"read back and not as before: {action.proof(now)}", responder.now())


def close(responder: Responder, containment: str, *, by: str, reason: str, approved_by: Optional[str] = None) -> None:
    """End a containment without undoing it: the identity stays as it is, rechecks stop.

    Nobody puts back any more what an attacker undoes, so the same people as for a restore. Raises Refused.
    """
    permitted(load(responder.journal, containment), responder, "close", by, reason, approved_by)
    responder.journal.append(containment, "closed", {"by": by, "approved_by": approved_by or "", "reason": reason})
    tell_standing(responder, containment)
