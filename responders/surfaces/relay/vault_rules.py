"""What a relay does at Vault: the calls of responders/actions/vault and of the readiness check."""

from __future__ import annotations

import re
import secrets
from typing import Any, Mapping, Set, Tuple

from responders.actions.vault.restrict_paths import quarantine_name
from responders.surfaces.relay.rule import ALL, Broken, Job, Passed, Rule, change, key_of
from responders.vendors.relay_wire import CALL, ITEMS, Ask

_QUARANTINE = re.compile(r"tourniquet-quarantine-[0-9a-f]{16}\Z")
_DENIES = re.compile(r'(?:path "(?:[^"\\\n]|\\[^\n])*" \{\n  capabilities = \["deny"\]\n\}\n)*\n?\Z')
"""What `deny_all` of the action writes: nothing but denials."""


def _entity(job: Job) -> Passed:
    """Either disabled, or the list of policies; the latter may differ from what is there by the quarantine policy only."""
    body: Mapping[str, Any] = job.ask.body or {}
    if len(body) != 1:
        raise Broken("an entity is changed in one thing at a time")
    ((field, value),) = body.items()
    return _disabled(job, value) if field == "disabled" else _policies(job, value)


def _enabled(ask: Ask) -> str:
    return key_of(ask, "entity", *ask.ids) if (ask.body or {}).get("disabled") is False else ""


def _disabled(job: Job, value: Any) -> Passed:
    key = job.key("entity", *job.ask.ids)
    if value is not True:
        if value is not False:
            raise Broken("disabled is neither true nor false")
        job.must_be_taken(key, f"disabling entity {job.ask.ids[0]}")
        return Passed(job.ask.body, done=lambda: job.state.gave_back(key))
    if _data(job).get("disabled") is True or job.state.taken(key) is not None:
        return Passed(job.ask.body)  # disabled by somebody else: that is not ours to undo
    job.state.take(key)  # before it is done: a crash in between must not leave an entity that nobody enables again
    return Passed(job.ask.body, refused=lambda: job.state.gave_back(key))


def _policies(job: Job, value: Any) -> Passed:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Broken("policies are no list of names")
    quarantine = quarantine_name(job.ask.ids[0])
    before: Set[str] = {str(item) for item in _data(job).get("policies") or ()}
    if set(value) - {quarantine} != before - {quarantine}:
        raise Broken(f"the policies of entity {job.ask.ids[0]} would change in more than {quarantine}: do it by hand")
    return Passed(job.ask.body)


def _data(job: Job) -> Mapping[str, Any]:
    body = job.client.call("GET", "/identity/entity/id/{}", ids=job.ask.ids).body
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        raise Broken(f"Vault does not show entity {job.ask.ids[0]}")
    job.spared(str(data.get("name", "")))
    return data


def _write_policy(job: Job) -> Passed:
    _delete_policy(job)
    text = (job.ask.body or {}).get("policy")
    if not isinstance(text, str) or not _DENIES.match(text):
        raise Broken("the policy does more than deny")
    return Passed(job.ask.body)


def _delete_policy(job: Job) -> Passed:
    if not _QUARANTINE.match(job.ask.ids[0]):
        raise Broken(f"{job.ask.ids[0][:80]!r} is no quarantine policy of Tourniquet")
    return Passed(job.ask.body)


def _password(job: Job) -> Passed:
    """A password that nobody knows, not even who signed the request."""
    return Passed({"password": secrets.token_urlsafe(32)})


_TOKEN = ("entity_id", "policies", "identity_policies", "path", "creation_time")
_LIST = ("list",)
RULES: Tuple[Rule, ...] = (
    Rule(CALL, "GET", "/identity/entity/id/{}", keep=("id", "disabled", "policies", "group_ids", "aliases")),
    Rule(CALL, "GET", "/identity/group/id/{}", keep=("policies",)),
    Rule(CALL, "GET", "/sys/policies/acl/{}", keep=("policy",)),
    Rule(ITEMS, "GET", "/auth/token/accessors", keep=("key",), query=_LIST),
    Rule(CALL, "POST", "/auth/token/lookup-accessor", keep=_TOKEN, body=("accessor",)),
    Rule(CALL, "POST", "/sys/capabilities-accessor", keep=ALL, body=("accessor", "paths")),
    Rule(CALL, "POST", "/sys/capabilities-self", keep=ALL, body=("paths",)),
    Rule(CALL, "POST", "/sys/leases/lookup", body=("lease_id",)),
    Rule(CALL, "GET", "/auth/{}/role/{}", keep=ALL),
    Rule(ITEMS, "GET", "/auth/{}/role", keep=("key",), query=_LIST),
    Rule(ITEMS, "GET", "/auth/{}/role/{}/secret-id", keep=("key",), query=_LIST),
    Rule(CALL, "GET", "/auth/{}/users/{}"),
    Rule(ITEMS, "GET", "/auth/{}/users", keep=("key",), query=_LIST),
    Rule(CALL, "GET", "/{}/cert/{}", keep=("revocation_time",)),
    Rule(CALL, "GET", "/{}/static-roles/{}", keep=("last_vault_rotation",)),
    Rule(CALL, "GET", "/{}/config/{}"),
    change("POST", "/identity/entity/id/{}", body=("disabled", "policies"), guard=_entity, gives=_enabled),
    change("POST", "/sys/policies/acl/{}", body=("policy",), guard=_write_policy),
    change("DELETE", "/sys/policies/acl/{}", guard=_delete_policy),
    change("POST", "/auth/token/revoke-accessor", body=("accessor",)),
    change("PUT", "/sys/leases/revoke", body=("lease_id",)),
    change("DELETE", "/auth/{}/role/{}"),
    change("POST", "/auth/{}/role/{}/secret-id-accessor/destroy", body=("secret_id_accessor",)),
    change("DELETE", "/auth/{}/users/{}"),
    change("POST", "/auth/{}/users/{}/password", body=("password",), guard=_password),
    change("POST", "/{}/revoke", body=("serial_number",)),
    change("POST", "/{}/rotate-role/{}"),
    change("POST", "/{}/rotate-root/{}"),
)
