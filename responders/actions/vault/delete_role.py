"""Delete an AppRole: nobody logs in with it any more."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.vault._lookup import data, keys, mount_and_name
from responders.errors import NotFound
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DeleteRole(Action):
    """DELETE auth/approle/role/{role}. Source: Vault API, "AppRole auth method"."""

    vendor = "vault"
    kinds = ("approle",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("list on auth/approle/role", "read, delete on auth/approle/role/+")
    breaks = "every application that logs in with this role, whatever its SecretID"
    irreversible = "its SecretIDs are lost with it; create the role again from your own configuration"
    manual = "vault delete auth/approle/role/ROLE"

    def check(self, api: VendorClient, step: Step) -> State:
        mount, role = mount_and_name(step.account.id, "approle")
        try:
            found = data(api, "/auth/{}/role/{}", mount, role)
        except NotFound:
            # A mistyped mount answers 404 as well: gone is proven only by a list, which raises for a missing mount.
            if role in keys(api, "/auth/{}/role", mount):
                raise
            return State(True, {"role": None})
        return State(False, {"role": {name: found[name] for name in sorted(found)}})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("DELETE", "/auth/{}/role/{}", ids=mount_and_name(step.account.id, "approle"))

    def proof(self, now: State) -> str:
        return "the role is gone" if now.contained else "the role is still there"


ACTION = DeleteRole()
