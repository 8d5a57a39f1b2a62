"""Deny an entity every path it may use, by a quarantine policy that repeats those path strings verbatim."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from responders.actions.action import Action, outcome
from responders.actions.vault._lookup import data, tokens_of
from responders.errors import BadAnswer, NotFound, WrongState
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient

_PATH = re.compile(r'path\s+"((?:[^"\\]|\\.)*)"')
_BUILT_IN = ("root",)


class RestrictPaths(Action):
    """Writes a quarantine policy and adds it to the entity.

    Policies add up and the more specific path wins, so a deny on `*` changes nothing: the quarantine policy repeats
    each path of the effective token, entity and group policies with deny, since on the very same path deny wins.
    Confirmed with sys/capabilities-accessor on the live tokens. Source: Vault documentation, "Policies" (priority
    matching); tried on OpenBao 2.7.2.
    """

    vendor = "vault"
    kinds = ("entity",)
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = (
        "read, update on identity/entity/id/*",
        "read on identity/group/id/*",
        "read on sys/policies/acl/*",
        "create, read, update, delete on sys/policies/acl/tourniquet-quarantine-*",
        "list, sudo on auth/token/accessors",
        "update on auth/token/lookup-accessor",
        "update on sys/capabilities-accessor",
    )
    breaks = "every secret and endpoint this entity can reach; logins still succeed and can do nothing"
    uses = ("vault.accessor",)
    manual = "write a policy that denies each path of the entity's policies, and add it to the entity"

    def check(self, api: VendorClient, step: Step) -> State:
        entity = data(api, "/identity/entity/id/{}", step.account.id)
        policies = _names(entity.get("policies"))
        quarantine = quarantine_name(step.account.id)
        live = tokens_of(api, step.account.id, step.all("vault.accessor"))
        paths = self._paths(api, entity, live.values())
        text = _read_policy(api, quarantine)
        denied = set(_PATH.findall(text)) if text is not None else set()
        contained = quarantine in policies and paths <= denied
        return State(contained, {"policies": sorted(policies - {quarantine}), "quarantined": contained})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        entity = data(api, "/identity/entity/id/{}", step.account.id)
        live = tokens_of(api, step.account.id, step.all("vault.accessor"))
        quarantine = quarantine_name(step.account.id)
        body = {"policy": deny_all(self._paths(api, entity, live.values()))}
        api.call("POST", "/sys/policies/acl/{}", ids=(quarantine,), body=body)
        policies = sorted({*_names(entity.get("policies")), quarantine})
        api.call("POST", "/identity/entity/id/{}", ids=(step.account.id,), body={"policies": policies})

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        now = self.check(api, step)
        if not now.contained:
            return outcome(api, step, Status.FAILED, "the quarantine policy does not cover every path of the entity")
        entity = data(api, "/identity/entity/id/{}", step.account.id)
        live = tokens_of(api, step.account.id, step.all("vault.accessor"))
        paths = sorted(_concrete(self._paths(api, entity, live.values())))
        for accessor in sorted(live):
            allowed = _allowed(api, accessor, paths)
            if allowed:
                return outcome(api, step, Status.FAILED, f"a live token may still use {', '.join(allowed[:5])}")
        return outcome(api, step, Status.CONFIRMED, f"{len(paths)} paths denied, asked for {len(live)} live tokens")

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        body = {"policies": list(before.data["policies"])}
        api.call("POST", "/identity/entity/id/{}", ids=(step.account.id,), body=body)
        api.call("DELETE", "/sys/policies/acl/{}", ids=(quarantine_name(step.account.id),))

    def _paths(self, api: VendorClient, entity: Mapping[str, Any], live: Any) -> Set[str]:
        names = _names(entity.get("policies")) | {"default"}
        for group in _names(entity.get("group_ids")):
            names |= _names(data(api, "/identity/group/id/{}", group).get("policies"))
        for token in live:
            names |= _names(token.get("policies")) | _names(token.get("identity_policies"))
        names -= {quarantine_name(str(entity.get("id", ""))), *_BUILT_IN}
        paths: Set[str] = set()
        for name in sorted(names):
            paths.update(_PATH.findall(_read_policy(api, name) or ""))
        return paths


def quarantine_name(entity: str) -> str:
    """Name of an entity's own quarantine policy."""
    return "tourniquet-quarantine-" + hashlib.sha256(entity.encode()).hexdigest()[:16]


def deny_all(paths: Set[str]) -> str:
    """A policy that denies each of those path strings, written exactly as the other policies write them."""
    return "\n".join(f'path "{path}" {{\n  capabilities = ["deny"]\n}}' for path in sorted(paths)) + "\n"


def _read_policy(api: VendorClient, name: str) -> Optional[str]:
    try:
        return str(data(api, "/sys/policies/acl/{}", name).get("policy", ""))
    except NotFound:
        return None


def _names(value: Any) -> Set[str]:
    return {str(item) for item in value} if isinstance(value, Sequence) and not isinstance(value, str) else set()


def _concrete(paths: Set[str]) -> List[str]:
    """One real path for each pattern: capabilities are asked for paths, not for patterns. Templates are left out."""
    found: Dict[str, None] = {}
    for path in sorted(paths):
        if "{{" not in path:
            found[path.replace("+", "tourniquet").replace("*", "tourniquet")] = None
    return list(found)


def _allowed(api: VendorClient, accessor: str, paths: Sequence[str]) -> Tuple[str, ...]:
    try:
        body = api.call("POST", "/sys/capabilities-accessor", body={"accessor": accessor, "paths": list(paths)}).body
    except WrongState as error:
        if "invalid token" in error.message or "invalid accessor" in error.message:
            return ()  # it was revoked since it was listed
        raise
    answer = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(answer, Mapping):
        raise BadAnswer("vault", "capabilities-accessor: no data object in the answer")
    return tuple(path for path in paths if set(answer.get(path, ["?"])) != {"deny"})


ACTION = RestrictPaths()
