"""What the setup page needs beside the settings: who is looking, what is missing, the due input, a test message, the end."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from responders.containment.compose import Note, without_containment
from responders.errors import TourniquetError
from responders.escalation.send import send
from responders.surfaces.splunk_rest import stores
from responders.surfaces.splunk_rest.context import AUDIT, Context
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status

DUE = "script://$SPLUNK_HOME/etc/apps/tourniquet/bin/tourniquet_due.py"
"""The stanza of inputs.conf that takes up what is due."""
_SECONDS = 10.0


def get(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Who is looking and what they may; whether the app is configured; what the inventory knows.

    Parts that can't be read say why: at a first set-up hardly anything is there yet.
    """
    found: Dict[str, Any] = {
        "user": context.caller.name,
        "capabilities": sorted(name for name in context.caller.capabilities if name.startswith("tourniquet_")),
        "configured": False, "due_input": None, "accounts": None, "restorers": None, "identity": "", "problem": "",
    }  # fmt: skip
    try:
        found["configured"] = _true(stores.stanzas(context.splunkd, "app").get("install", {}).get("is_configured", ""))
        found["due_input"] = not _true(stores.stanzas(context.splunkd, "inputs").get(DUE, {}).get("disabled", "1"))
        rows = context.splunkd.get("storage", "collections", "data", "tourniquet_accounts", query={"limit": "1"})
        found["accounts"] = bool(rows)
        found["restorers"] = len(context.responder.inventory.restorers)
        found["identity"] = context.person()
    except Status as error:
        found["problem"] = error.text
    except TourniquetError as error:
        found["problem"] = str(error)
    return found


def post(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """{"configured": true} ends the set-up, {"due_input": true or false} switches the input that does what is due.

    Source: Splunk's own example of a setup page (splunk/splunk-app-examples, setup_page_simple) sets `is_configured` in
    app.conf [install] and then reloads the app; inputs are reloaded at data/inputs/script/_reload. Not tried in a real
    Splunk.
    """
    fields = Fields(context.request.body(), ("configured", "due_input"))
    configured, due = fields.flag("configured"), fields.flag("due_input")
    if configured is None and due is None and not fields.errors:
        fields.error("", "names nothing to change", "send configured or due_input")
    fields.done()
    context.audit("set-up", configured=configured, due_input=due)
    if due is not None:
        stores.write(context.splunkd, "inputs", DUE, {"disabled": "0" if due else "1"}, new=False)
        context.splunkd.post("data", "inputs", "script", "_reload")
        if not due:
            context.tell("the input tourniquet_due was switched off: nothing that is due is done any more")
    if configured is not None:
        stores.write(context.splunkd, "app", "install", {"is_configured": "1" if configured else "0"}, new=False)
        context.splunkd.post("apps", "local", context.splunkd.app, "_reload")
    return get(context, ())


def send_test(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """{"name": a stored channel}: sends a message that says it is a test. `failed` says why one did not arrive."""
    fields = Fields(context.request.body(), ("name",))
    name = fields.text("name", needed=True)
    fields.done()
    responder = context.responder
    channels = [channel for channel in responder.channels if channel.name == name]
    if not channels:
        raise Status(404, f"there is no escalation channel {name[:60]}: save it first")
    context.audit("escalation tested", channel=name)
    note = Note(f"This is a test by Splunk user {context.caller.name}: nobody was contained", False)
    failed = send(channels, without_containment(responder.journal, AUDIT, None, None, note), _SECONDS)
    return {"sent": not failed, "failed": [why for _, why in failed]}


def _true(value: str) -> bool:
    return value.lower() in ("1", "true")
