"""Connections to vendors: list, create, update, delete. Secrets go into storage/passwords and never come back."""

from __future__ import annotations

import threading
from typing import Any, Mapping, Tuple

from responders.surfaces import splunk_settings
from responders.surfaces.splunk_rest import stores
from responders.surfaces.splunk_rest.connection_form import Form, read_form, refuse, secret_names, shown, validated
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.wire import Status

_CONF = splunk_settings.CONNECTIONS
_LOCK = threading.Lock()


def listed(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Every connection, without its secrets."""
    stored = splunk_settings.stored(context.splunkd)
    found = stores.stanzas(context.splunkd, _CONF)
    return {"connections": [shown(name, keys, stored) for name, keys in sorted(found.items()) if name != "default"]}


def create(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """A new connection, with its secret."""
    with _LOCK:
        known = stores.stanzas(context.splunkd, _CONF)
        form = read_form(context.request.body(), None, "")
        if form.name in known:
            raise Status(409, f"there is a connection {form.name} already: change it, or give another name")
        _alone(form, known)
        return _save(context, form, new=True)


def update(context: Context, names: Tuple[str, ...]) -> Mapping[str, Any]:
    """Change what is sent and leave the rest."""
    with _LOCK:
        before = _one(context, names[0])
        form = read_form(context.request.body(), before, names[0])
        saved = _save(context, form, new=False)
        if form.keys.get("relay", "") != before.get("relay", ""):
            # What signs in at the vendor is the relay's alone from now on, or the other way about.
            for secret in set(secret_names(names[0], before)) - set(form.secrets):
                stores.drop_secret(context.splunkd, secret)
        return saved


def delete(context: Context, names: Tuple[str, ...]) -> Mapping[str, Any]:
    """Remove a connection and forget its secrets. What it contained stays contained, and can't be restored without it."""
    with _LOCK:
        keys = _one(context, names[0])
        context.audit("connection deleted", connection=names[0], vendor=keys.get("vendor", ""))
        stores.remove(context.splunkd, _CONF, names[0])
        for secret in secret_names(names[0], keys):
            stores.drop_secret(context.splunkd, secret)
    context.tell(f"the connection {names[0]} was deleted: nothing is contained or restored there")
    return {"deleted": names[0]}


def _save(context: Context, form: Form, *, new: bool) -> Mapping[str, Any]:
    stored = splunk_settings.stored(context.splunkd)
    validated(form, stored, context.var)
    changed = {key: value for key, value in form.keys.items() if key != "ca_pem"}
    context.audit(
        "connection created" if new else "connection changed", connection=form.name, keys=changed,
        secrets=sorted(form.secrets),
    )  # fmt: skip
    # The secret first: a new URL must never meet the old one.
    for name, value in form.secrets.items():
        stores.keep_secret(context.splunkd, name, value)
    stores.write(context.splunkd, _CONF, form.name, form.keys, new=new)
    if not new:
        context.tell(f"the connection {form.name} was changed: {form.keys.get('url') or form.keys.get('relay', '')}")
    return {"connection": shown(form.name, form.keys, stored)}


def _one(context: Context, name: str) -> Mapping[str, str]:
    found = stores.stanzas(context.splunkd, _CONF).get(name)
    if found is None or name == "default":
        raise Status(404, f"there is no connection {name[:80]}")
    return found


def _alone(form: Form, known: Mapping[str, Mapping[str, str]]) -> None:
    """One connection a tenant: with two, which credential contains would be chance."""
    for name, keys in known.items():
        if (keys.get("vendor"), keys.get("tenant")) == (form.keys.get("vendor"), form.keys.get("tenant")):
            raise refuse("body.tenant", f"is connected already, as {name}", "change that connection")
