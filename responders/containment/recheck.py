"""Rechecks: does it still hold? What was undone is put back, at most twice, then a person must look."""

from __future__ import annotations

import time
from functools import partial
from typing import Callable, Dict, List, Sequence, Tuple

from responders.actions import registry
from responders.containment import due
from responders.containment.compose import Note, of_containment
from responders.containment.execute import execute
from responders.containment.facts import client_for
from responders.containment.notify import escalate
from responders.containment.record import Record, follow, load, with_blocks, write_outcomes
from responders.containment.responder import Responder
from responders.containment.standing import tell_standing
from responders.containment.sweep import sweep
from responders.model import Outcome, Step
from responders.parallel import run_all

PUT_BACK_LIMIT = 2


def schedule_rechecks(responder: Responder, containment: str) -> None:
    """Write the due entries of all rechecks, whoever runs next takes them."""
    docs = [
        due.document(responder.journal, "recheck", containment, responder.later(seconds), f"{seconds:g} s")
        for seconds in responder.timing.rechecks
    ]
    responder.journal.append(containment, "rechecks", {"side": []}, docs)


def recheck(responder: Responder, containment: str, label: str) -> Tuple[Outcome, ...]:
    """Read every step back; put back what no longer holds, and escalate what was put back or stays open.

    Raises Refused when there is no such containment. An ended containment is left alone.
    """
    record = load(responder.journal, containment)
    if not record.open or record.restoring is not None or record.plan is None:
        return ()
    deadline = time.monotonic() + responder.timing.deadline
    outcomes, unread = _read_back(responder, record, deadline)
    fell = tuple(o for o in outcomes if not o.status.holds and record.outcomes[o.step.id].status.holds)
    open_steps = record.due_steps()
    write_outcomes(responder.journal, containment, tuple(outcomes))
    loud: List[str] = []
    guard = _untouchable(responder, record)
    may = not guard and record.put_back < PUT_BACK_LIMIT
    if fell and guard:
        loud.append(f"found undone at the {label} recheck and left so, for it is {guard} since: {_words(fell)}")
    elif fell and not may:
        loud.append(f"undone again after being put back {PUT_BACK_LIMIT} times: a person must look: {_words(fell)}")
    elif fell:
        responder.journal.append(containment, "put back", {"steps": [o.step.id for o in fell], "at": label})
        loud.append(f"found undone at the {label} recheck and put back: {_words(fell)}")
    if fell and not may:
        responder.journal.append(containment, "left to a person", {"steps": [o.step.id for o in fell], "at": label})
    todo = tuple(dict.fromkeys((*(o.step for o in fell if may), *(s for s in open_steps if not guard))))
    todo = with_blocks(load(responder.journal, containment), todo)
    left = [o.step for o in execute(responder, record.plan, todo, record, {}, deadline) if not o.status.holds]
    _again(responder, containment, label, bool(left and fell), bool(unread))
    if todo:
        tell_standing(responder, containment)
    if loud:
        now = load(responder.journal, containment)
        created, missing = sweep(responder, record.plan, now.outcomes.values(), deadline)
        note = Note(title=_title(record, label), loud=True, open_items=(*loud, *missing), created=created)
        escalate(responder, of_containment(responder.journal, follow(responder.journal, now), (), note), containment)
    return tuple(load(responder.journal, containment).outcomes.values())


def _again(responder: Responder, containment: str, label: str, left: bool, unread: bool) -> None:
    """The next recheck may be a day away, or none: what could not be put back, or not even read, is tried again soon."""
    at = responder.later(responder.timing.retry_due)
    wanted = (("resume", "", left), ("recheck", label, unread))
    keys = [due.add(responder.journal, what, containment, at, note) for what, note, needed in wanted if needed]
    if keys:
        responder.journal.append(containment, "recheck again", {"side": keys})


def _untouchable(responder: Responder, record: Record) -> str:
    """The guard that came over the identity since it was contained, "" for none."""
    now = responder.inventory.identity(record.plan.decision.identity.id) if record.plan else None
    if now is None:
        return ""
    return "break-glass" if now.break_glass else "protected" if now.protected else ""


def _read_back(responder: Responder, record: Record, deadline: float) -> Tuple[List[Outcome], Tuple[str, ...]]:
    """Confirm every step that held, and the ids of those that could not be read: not read is not undone."""
    tasks: Dict[Step, Callable[[], Outcome]] = {}
    for step in record.steps.values():
        client = client_for(responder, record.plan.decision.identity, step.account) if record.plan else None
        held = step.id in record.outcomes and record.outcomes[step.id].status.holds
        if client is not None and held and step.id in record.before:
            tasks[step] = partial(registry.load(step.action).confirm, client, step, record.before[step.id])
    found = run_all(tasks, deadline)
    unread = tuple(step.id for step, outcome in found.items() if not isinstance(outcome, Outcome))
    return [outcome for outcome in found.values() if isinstance(outcome, Outcome)], unread


def _title(record: Record, label: str) -> str:
    identity = record.plan.decision.identity.id if record.plan else record.containment
    return f"{identity}: containment was undone, seen at the {label} recheck"


def _words(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{o.step.action} on {o.step.account.key} ({o.proof})" for o in outcomes)
