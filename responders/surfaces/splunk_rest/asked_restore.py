"""Restore, approve, close: what needs can_restore in the inventory, and for a privileged identity two people.

The second person is a second session: a name that the first one types proves nothing. The first request waits in the
journal; a colleague agrees to it, by its id, from a session of their own.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional

from responders.codec import to_json
from responders.containment import approve as approving
from responders.containment import clicks
from responders.containment import restore as restoring
from responders.containment.people import entitled
from responders.containment.record import Record, latest, load
from responders.errors import Refused
from responders.escalation.words import as_json
from responders.model import Status as StepStatus
from responders.surfaces.splunk_rest.asked import Asked
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.wire import Status


@dataclass(frozen=True)
class People:
    """Who asked and who agreed."""

    by: str
    approved_by: Optional[str]
    reason: str


def _by_people(
    carry_out: Callable[[Context, Asked, Record, People], Mapping[str, Any]],
) -> Callable[[Context, Asked], Mapping[str, Any]]:
    """Carry out once all who must agree have; until then the request waits."""

    @functools.wraps(carry_out)
    def answer(context: Context, asked: Asked) -> Mapping[str, Any]:
        record = _record(context, asked)
        clicks.name_on(context.responder.journal, asked.click, record.containment)
        people = _people(context, asked, record)
        if people is None:
            return _waiting(context, asked, record)
        return carry_out(context, asked, record, people)

    return answer


@_by_people
def restore(context: Context, asked: Asked, record: Record, people: People) -> Mapping[str, Any]:
    """Undo a containment from its recorded state. Steps that could not be undone stay due."""
    outcomes = restoring.restore(
        context.responder, record.containment, by=people.by, reason=people.reason, approved_by=people.approved_by
    )
    left = [o for o in outcomes if o.status in (StepStatus.FAILED, StepStatus.UNKNOWN)]
    title = f"{record.containment} is {'NOT wholly restored: what failed stays due' if left else 'restored'}"
    return {
        "status": "open" if left else "done", "title": title, "containment": record.containment,
        "outcomes": [to_json(outcome) for outcome in outcomes],
    }  # fmt: skip


@_by_people
def approve(context: Context, asked: Asked, record: Record, people: People) -> Mapping[str, Any]:
    """Say yes to actions that wait for a person."""
    report = approving.approve(
        context.responder, record.containment, asked.names, by=people.by, reason=people.reason,
        approved_by=people.approved_by,
    )  # fmt: skip
    return {
        "status": "open" if report.loud else "done", "title": report.title, "containment": report.containment,
        "open_items": list(report.open_items), "report": as_json(report),
    }  # fmt: skip


@_by_people
def close(context: Context, asked: Asked, record: Record, people: People) -> Mapping[str, Any]:
    """End a containment and leave the identity as it is."""
    restoring.close(
        context.responder, record.containment, by=people.by, reason=people.reason, approved_by=people.approved_by
    )
    return {"status": "done", "title": f"{record.containment} is closed", "containment": record.containment}


def _record(context: Context, asked: Asked) -> Record:
    journal = context.responder.journal
    if asked.containment:
        return load(journal, asked.containment)
    found = latest(journal, asked.identity)
    if found is None or not found[1].open:
        raise Refused(f"{asked.identity} is not contained at the moment: nothing can be restored")
    return found[1]


def _people(context: Context, asked: Asked, record: Record) -> Optional[People]:
    """Who is behind it; None when a second person has yet to agree. Raises Refused, Status."""
    click = asked.click
    identity = entitled(record, context.responder, asked.action, click.by, asked.reason)
    if not asked.agree:
        return None if identity.privileged else People(click.by, None, asked.reason)
    first = _agreed(context, asked, record)
    return People(first.by, click.by, first.reason)


def _agreed(context: Context, asked: Asked, record: Record) -> clicks.Waiting:
    """The colleague's request: of the same kind, for the same containment, and not the asker's own. It is used up, and who
    agreed is in the journal, before anything is done."""
    responder, click = context.responder, asked.click
    now = responder.now()
    found = next((item for item in clicks.waiting(record, now) if item.request == asked.agree), None)
    if found is not None and (found.what, found.names) != (asked.action, asked.names):
        raise Refused(f"request {asked.agree} asks to {found.what} {record.containment}: agree to that, or ask anew")
    if found is not None and (found.by == click.by or found.user == click.user):
        raise Status(403, f"request {asked.agree} is your own: a second person must agree")
    return clicks.agree(responder.journal, record, asked.agree, click, now)


def _waiting(context: Context, asked: Asked, record: Record) -> Mapping[str, Any]:
    click = asked.click
    clicks.wait(context.responder.journal, click, record.containment, asked.names)
    about = {
        "by": click.by, "user": click.user, "action": asked.action, "containment": record.containment,
        "actions": list(asked.names), "reason": asked.reason,
    }  # fmt: skip
    title = (
        f"{asked.action} of {record.containment} waits for a second person: a colleague agrees with request {click.chain}"
    )
    context.tell(title, click.chain)
    return {"status": "waits", "title": title, "containment": record.containment, "waits": about}
