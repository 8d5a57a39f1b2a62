"""Halt and resume: stops all automatic writes of every responder that shares the journal."""

from __future__ import annotations

from typing import Any, Mapping, Tuple

from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status


def get(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Whether automation is halted, by whom and why."""
    return {"halted": context.responder.halted()}


def post(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """{"halt": true or false, "reason": …}, by somebody who can restore: a halt is also what an attacker would like."""
    fields = Fields(context.request.body(), ("halt", "reason"))
    halt, reason = fields.flag("halt"), fields.text("reason", needed=True)
    if "halt" not in fields.given:
        fields.error("halt", "is missing", "send true or false")
    fields.done()
    responder = context.responder
    by = context.person()
    if by not in responder.inventory.restorers:
        raise Status(403, f"{by} may not halt or resume: only identities with can_restore in the inventory may")
    context.audit("halt" if halt else "resume", by=by, reason=reason)
    if halt:
        responder.halt(f"{by} (Splunk user {context.caller.name})", reason)
    else:
        responder.lift_halt(f"{by} (Splunk user {context.caller.name})", reason)
    context.tell(f"automation was {'halted' if halt else 'resumed'} by {by}: {reason}")
    return {"halted": responder.halted()}
