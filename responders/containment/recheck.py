"""Rechecks: does it still hold? What was undone is put back, at most twice, then a person must look."""

from __future__ import annotations

import time
from functools import partial
from typing import Callable, Dict, List, Sequence, Tuple

from responders.actions import registry
from responders.codec import to_json
from responders.containment import due
from responders.containment.compose import Note, of_containment
from responders.containment.execute import execute
from responders.containment.facts import client_for
from responders.containment.notify import escalate
from responders.containment.record import Record, load, write_outcomes
from responders.containment.responder import Responder
from responders.containment.sweep import sweep
from responders.model import Outcome, Step
from responders.parallel import run_all

PUT_BACK_LIMIT = 2


def schedule_rechecks(responder: Responder, containment: str) -> None:
    """Write the due entries of all rechecks, whoever runs next takes them."""
    keys = [
        due.add(responder.journal, "recheck", containment, responder.later(seconds), f"{seconds:g} s")
        for seconds in responder.timing.rechecks
    ]
    responder.journal.append(containment, "rechecks", {"side": keys})


def recheck(responder: Responder, containment: str, label: str) -> Tuple[Outcome, ...]:
    """Read every step back; put back what no longer holds, and escalate what was put back or stays open.

    Raises Refused when there is no such containment. An ended containment is left alone.
    """
    record = load(responder.journal, containment)
    if not record.open or record.restoring is not None or record.plan is None:
        return ()
    deadline = time.monotonic() + responder.timing.deadline
    outcomes = _read_back(responder, record, deadline)
    fell = tuple(o for o in outcomes if not o.status.holds and record.outcomes[o.step.id].status.holds)
    open_steps = record.due_steps()
    write_outcomes(responder.journal, containment, tuple(outcomes))
    loud: List[str] = []
    if fell and record.put_back >= PUT_BACK_LIMIT:
        loud.append(f"undone again after being put back {PUT_BACK_LIMIT} times: a person must look: {_words(fell)}")
    elif fell:
        responder.journal.append(containment, "put back", {"steps": [to_json(o.step.id) for o in fell], "at": label})
        loud.append(f"found undone at the {label} recheck and put back: {_words(fell)}")
    again = tuple(o.step for o in fell) if record.put_back < PUT_BACK_LIMIT else ()
    todo = tuple(dict.fromkeys((*again, *open_steps)))
    if todo:
        execute(responder, record.plan, todo, record.before, {}, deadline)
    if loud:
        created, unread = sweep(responder, record.plan, deadline)
        note = Note(title=_title(record, label), loud=True, open_items=(*loud, *unread), created=created)
        escalate(responder, of_containment(responder.journal, load(responder.journal, containment), (), note), containment)
    return tuple(load(responder.journal, containment).outcomes.values())


def _read_back(responder: Responder, record: Record, deadline: float) -> List[Outcome]:
    """Confirm every step that held. A vendor that can't be read gives no outcome: not read is not undone."""
    tasks: Dict[Step, Callable[[], Outcome]] = {}
    for step in record.steps.values():
        client = client_for(responder, record.plan.decision.identity, step.account) if record.plan else None
        held = step.id in record.outcomes and record.outcomes[step.id].status.holds
        if client is not None and held and step.id in record.before:
            tasks[step] = partial(registry.load(step.action).confirm, client, step, record.before[step.id])
    found = run_all(tasks, deadline)
    return [outcome for outcome in found.values() if isinstance(outcome, Outcome)]


def _title(record: Record, label: str) -> str:
    identity = record.plan.decision.identity.id if record.plan else record.containment
    return f"{identity}: containment was undone, seen at the {label} recheck"


def _words(outcomes: Sequence[Outcome]) -> str:
    return ", ".join(f"{o.step.action} on {o.step.account.key} ({o.proof})" for o in outcomes)
