"""Rotate the password of a static database role."""

from __future__ import annotations

from responders.actions.action import Action, each, outcome
from responders.actions.vault._lookup import data, mount_and_name
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class RotateRole(Action):
    """POST database/rotate-role/{name} for each static role the alert named.

    Proof: `last_vault_rotation` of the role moved; static-creds would show it too, and the password with it.
    Source: Vault API, "Database secrets engine"; tried on OpenBao 2.7.2.
    """

    vendor = "vault"
    kinds = ("entity", "approle", "userpass")
    phase = Phase.ROTATE
    least_tier = Tier.REVOKE
    permissions = ("read on database/static-roles/+", "update on database/rotate-role/+")
    breaks = "every application that holds the old password of this database user"
    irreversible = "the old password is gone; applications read the new one from Vault"
    needs = ("vault.database_static_role",)
    manual = "vault write -f database/rotate-role/NAME"

    def check(self, api: VendorClient, step: Step) -> State:
        rotated = {name: self._rotated(api, name) for name in step.all("vault.database_static_role")}
        # Never contained by itself: a password that was rotated since the compromise began may have been read after that.
        return State(False, {"rotated": rotated})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        each(
            sorted(before.data["rotated"]),
            lambda name: api.call("POST", "/{}/rotate-role/{}", ids=mount_and_name(name, "database")),
        )

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        old = {name: at for name, at in self.check(api, step).data["rotated"].items() if at == before.data["rotated"][name]}
        if old:
            return outcome(api, step, Status.FAILED, f"not rotated: {', '.join(sorted(old))}")
        return outcome(api, step, Status.CONFIRMED, "last_vault_rotation moved")

    @staticmethod
    def _rotated(api: VendorClient, name: str) -> str:
        return str(data(api, "/{}/static-roles/{}", *mount_and_name(name, "database")).get("last_vault_rotation", ""))


ACTION = RotateRole()
