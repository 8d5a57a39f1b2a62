"""Who may approve, restore and close: people with can_restore in the inventory, and never for themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from responders.alerts import canary
from responders.containment.record import Record, is_drill, latest
from responders.containment.responder import Responder
from responders.errors import Refused
from responders.model import Alert, Identity
from responders.policy.guards import MOST


def identity_of(record: Record) -> Identity:
    """Whom a containment is about. Raises Refused when it never came to a plan."""
    if record.plan is None:
        raise Refused(f"containment {record.containment} has no plan: nothing was changed, nothing can be restored")
    return record.plan.decision.identity


def permitted(record: Record, responder: Responder, what: str, by: str, reason: str, approved_by: Optional[str]) -> Identity:
    """The identity, when these people may do `what` (`restore`, `approve`) to it; a privileged one needs two.

    Raises Refused naming the rule that is broken.
    """
    identity = entitled(record, responder, what, by, reason, approved_by)
    if identity.privileged and (not approved_by or approved_by == by):
        raise Refused(f"{identity.id} is privileged: a second person must agree: --approved-by ID")
    return identity


def entitled(
    record: Record, responder: Responder, what: str, by: str, reason: str, approved_by: Optional[str] = None
) -> Identity:
    """The identity, when each of these people may do `what` to it, as far as it needs no second one. Raises Refused."""
    identity = identity_of(record)
    if not record.open:
        raise Refused(f"containment {record.containment} has ended already; `tourniquet status` shows what is open")
    if not reason.strip():
        raise Refused(f"to {what} needs a reason: --reason WHY")
    if what == "restore" and by == canary.BY and not approved_by and is_drill(record):
        return identity
    for person in filter(None, (by, approved_by)):
        if person not in responder.inventory.restorers:
            raise Refused(f"{person} may not {what}: only identities with can_restore in the inventory may")
        if person == identity.id:
            raise Refused(f"{person} is the contained identity: nobody can {what} for themselves")
        found = latest(responder.journal, person)
        if found is not None and found[1].open:
            raise Refused(f"{person} is contained at the moment and can't {what} anything")
    return identity


def as_asked(alert: Alert, responder: Responder) -> Alert:
    """The alert, without the rights of a click when who asked for it is contained at the moment: judged as automatic."""
    by = next((name[3:] for name in alert.requested if name.startswith("by=")), "")
    found = latest(responder.journal, by) if by else None
    if found is None or not found[1].open:
        return alert
    why = f"asked for by {by}, who is contained at the moment: judged without them"
    # How far they might have gone still binds: the row may be of their own making.
    most = tuple(name for name in alert.requested if name.startswith(MOST))
    return replace(alert, source="automatic", requested=most, reasons=(*alert.reasons, why))
