"""POST connections/test: the readiness check of a stored connection, or of one that is not saved yet."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

from responders.errors import TourniquetError
from responders.readiness.ask import credentials, found_of
from responders.readiness.check import Readiness, check
from responders.splunk.relay_queue import KvRelayQueue
from responders.splunk.splunkd import SplunkError
from responders.surfaces import splunk_check, splunk_settings
from responders.surfaces.assemble import read_policy
from responders.surfaces.splunk_rest import relays, stores
from responders.surfaces.splunk_rest.connection_form import Form, read_form, validated
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits

_LIMITS = Limits(connect=5.0, attempt=8.0, total=10.0, retries=1)


def test(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """{"name": a stored connection} or {"candidate": what POST connections takes, with the secret in it}.

    A candidate never gets a stored secret: a URL of somebody's own choice would be sent it. What was found of a stored one
    goes to the index as well, where the dashboard *Readiness* reads it; `told` is false where that failed.
    """
    fields = Fields(context.request.body(), ("name", "candidate"))
    name, candidate = fields.text("name"), fields.given.get("candidate")
    if bool(name) == bool(candidate):
        fields.error("name", "or candidate must be given, and only one of them", "name a connection, or send one")
    fields.done()
    stored = splunk_settings.stored(context.splunkd)
    if name:
        keys = stores.stanzas(context.splunkd, splunk_settings.CONNECTIONS).get(name)
        if keys is None:
            raise Status(404, f"there is no connection {name[:80]}")
        connection = validated(Form(name, dict(keys)), stored, context.var)
    else:
        form = read_form(candidate if isinstance(candidate, Mapping) else {}, None, "")
        connection = validated(form, stores.with_new(stored, form.secrets, only_new=True), context.var)
    context.audit(
        "connection tested",
        connection=name or "not saved",
        vendor=connection.vendor,
        url=connection.url or f"relay {connection.relay}",
    )
    used = _used(context)
    pool = ClientPool((connection,), limits=_LIMITS, queue=KvRelayQueue(context.splunkd))
    shown: Dict[bool, Mapping[str, Any]] = {}
    rows: List[Mapping[str, str]] = []
    try:
        for privileged in credentials(connection):
            client = pool.get(connection.vendor, connection.tenant, privileged=privileged)
            assert client is not None
            found = check(client)
            shown[privileged] = _shown(found, used)
            rows += splunk_check.rows_of(found_of(connection, privileged, found, client, sorted(used)))
    finally:
        pool.close()
    through = relays.shown(context.splunkd, connection.relay) if connection.relay else {}
    return {**shown[False], "privileged": shown.get(True), "told": bool(name) and _told(context, rows), **through}


def _told(context: Context, rows: Sequence[Mapping[str, str]]) -> bool:
    general = stores.stanzas(context.splunkd, splunk_settings.SETTINGS).get("general", {})
    try:
        splunk_check.tell(context.splunkd, general.get("index") or "main", rows)
    except SplunkError:  # the answer is on the page all the same
        return False
    return True


def _shown(found: Readiness, used: Set[str]) -> Mapping[str, Any]:
    actions: List[Dict[str, Any]] = [
        {"name": need.name, "ready": need.ready, "missing": list(need.missing), "unknown": list(need.unknown),
         "in_policy": need.name in used}
        for need in found.needs
    ]  # fmt: skip
    lacking = [item["name"] for item in actions if item["in_policy"] and item["ready"] is False]
    return {
        "vendor": found.vendor, "tenant": found.tenant, "reachable": found.reachable,
        "authenticated": found.authenticated, "problem": found.problem, "permissions": dict(found.permissions),
        "actions": actions, "notes": list(found.notes), "ready": found.authenticated and not lacking,
    }  # fmt: skip


def _used(context: Context) -> Set[str]:
    """Actions that the policy in use knows; the default one while the settings are not whole."""
    try:
        policy = context.responder.policy
    except TourniquetError:
        policy = read_policy("")
    return {name for found in policy.actions.values() for name in (*found.restrict, *found.revoke, *found.approval)}
