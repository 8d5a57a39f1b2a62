"""Who is behind a user name of the SIEM: the person of the inventory who may ask for something, or nobody."""

from __future__ import annotations

from responders.containment.record import latest
from responders.containment.responder import Responder
from responders.errors import Refused
from responders.inventory.resolve import resolve
from responders.model import Account


def person_of(responder: Responder, vendor: str, tenant: str, name: str) -> str:
    """The identity id whose accounts or aliases say `vendor:tenant:name`, exactly.

    Raises Refused when there is none, when it is no person, or when they are contained at the moment.
    """
    key = f"{vendor}:{tenant}:{name}"
    found = resolve(responder.inventory, (Account(vendor, tenant, "user", name),)).identity
    if found is None or found.unmapped:
        raise Refused(f"the inventory does not say who {key} is: add it to the aliases of that person, exactly so")
    if found.kind != "human":
        raise Refused(f"{key} belongs to {found.id}, which is no person: a {found.kind} can't ask for anything")
    open_now = latest(responder.journal, found.id)
    if open_now is not None and open_now[1].open:
        raise Refused(f"{found.id} is contained at the moment and can't ask for anything")
    return found.id
