"""Destroy an AppRole's SecretIDs: those the alert named, or all."""

from __future__ import annotations

from typing import List

from responders.actions.action import Action, each
from responders.actions.vault._lookup import keys, mount_and_name
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DestroySecretId(Action):
    """POST auth/approle/role/{role}/secret-id-accessor/destroy.

    Destroying a SecretID twice answers 500, so what is left is read from the list. Tokens issued with it stay live:
    `vault.revoke_token_accessor` cuts them. Source: Vault API, "AppRole auth method"; tried on OpenBao 2.7.2.
    """

    vendor = "vault"
    kinds = ("approle",)
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = (
        "list on auth/approle/role/+/secret-id",
        "update on auth/approle/role/+/secret-id-accessor/destroy",
    )
    breaks = "applications that log in with these SecretIDs, until they are given new ones"
    irreversible = "a destroyed SecretID can't be brought back; issue a new one"
    uses = ("vault.secret_id_accessor",)
    manual = "vault write auth/approle/role/ROLE/secret-id-accessor/destroy secret_id_accessor=ACCESSOR"

    def check(self, api: VendorClient, step: Step) -> State:
        mount, role = mount_and_name(step.account.id, "approle")
        named = step.all("vault.secret_id_accessor")
        left: List[str] = [key for key in keys(api, "/auth/{}/role/{}/secret-id", mount, role) if not named or key in named]
        return State(not left, {"secret_id_accessors": sorted(left)})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        mount, role = mount_and_name(step.account.id, "approle")
        path = "/auth/{}/role/{}/secret-id-accessor/destroy"
        still = self.check(api, step).data["secret_id_accessors"]
        each(
            [accessor for accessor in before.data["secret_id_accessors"] if accessor in still],
            lambda accessor: api.call("POST", path, ids=(mount, role), body={"secret_id_accessor": accessor}),
        )


ACTION = DestroySecretId()
