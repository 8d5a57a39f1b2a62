"""What the setup page needs beside the settings: who is looking, what is missing, the due input, a test message, the end."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from responders.containment.compose import Note, without_containment
from responders.errors import TourniquetError
from responders.escalation.send import send
from responders.surfaces.splunk_rest import stores
from responders.surfaces.splunk_rest.context import Context, audit_chain
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status

DUE = "script://$SPLUNK_HOME/etc/apps/tourniquet/bin/tourniquet_due.py"
"""The stanza of inputs.conf that takes up what is due."""
CHECK = "script://$SPLUNK_HOME/etc/apps/tourniquet/bin/tourniquet_check.py"
"""The stanza that asks the vendors each hour whether they could be worked with."""
_INPUTS: Mapping[str, Tuple[str, str]] = {
    "due_input": (DUE, "the input tourniquet_due was switched off: nothing that is due is done any more"),
    "vendor_check": (CHECK, "the input tourniquet_check was switched off: nobody asks the vendors each hour any more"),
}
"""What is told when one is switched off."""
_SECONDS = 10.0


def get(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Who is looking and what they may; whether the app is configured; what the inventory knows.

    Parts that can't be read say why: at a first set-up hardly anything is there yet.
    """
    found: Dict[str, Any] = {
        "user": context.caller.name,
        "capabilities": sorted(name for name in context.caller.capabilities if name.startswith("tourniquet_")),
        "configured": False, "due_input": None, "vendor_check": None, "accounts": None, "restorers": None,
        "identity": "", "problem": "",
    }  # fmt: skip
    try:
        found["configured"] = _true(stores.stanzas(context.splunkd, "app").get("install", {}).get("is_configured", ""))
        inputs = stores.stanzas(context.splunkd, "inputs")
        found.update({name: not _true(inputs.get(stanza, {}).get("disabled", "1")) for name, (stanza, _) in _INPUTS.items()})
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
    """{"configured": true} ends the set-up; `due_input` and `vendor_check`, true or false, switch the two inputs.

    Source: Splunk's own example of a setup page (splunk/splunk-app-examples, setup_page_simple) sets `is_configured` in
    app.conf [install] and then reloads the app; inputs are reloaded at data/inputs/script/_reload. Not tried in a real
    Splunk.
    """
    fields = Fields(context.request.body(), ("configured", *_INPUTS))
    configured, inputs = fields.flag("configured"), {name: fields.flag(name) for name in _INPUTS}
    switched = {name: on for name, on in inputs.items() if on is not None}
    if configured is None and not switched and not fields.errors:
        fields.error("", "names nothing to change", "send configured, due_input or vendor_check")
    fields.done()
    context.audit("set-up", configured=configured, **inputs)
    for name, on in switched.items():
        stanza, off = _INPUTS[name]
        stores.write(context.splunkd, "inputs", stanza, {"disabled": "0" if on else "1"}, new=False)
        context.splunkd.post("data", "inputs", "script", "_reload")
        if not on:
            context.tell(off)
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
    failed = send(
        channels, without_containment(responder.journal, audit_chain(responder.journal), None, None, note), _SECONDS
    )
    return {"sent": not failed, "failed": [why for _, why in failed]}


def _true(value: str) -> bool:
    return value.lower() in ("1", "true")
