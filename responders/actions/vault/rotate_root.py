"""Rotate the root password of a database connection, when the leaked secret is Vault's own."""

from __future__ import annotations

from responders.actions.action import Action, each, outcome
from responders.actions.vault._lookup import data, mount_and_name
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class RotateRoot(Action):
    """POST database/rotate-root/{connection}. Vault shows no time of it, so the outcome is `accepted`.

    Source: Vault API, "Database secrets engine".
    """

    vendor = "vault"
    kinds = ("entity", "approle", "userpass")
    phase = Phase.ROTATE
    least_tier = Tier.REVOKE
    permissions = ("read on database/config/+", "update on database/rotate-root/+")
    breaks = "anything but Vault that still uses the connection's root password"
    irreversible = "only Vault knows the new root password; the old one is gone"
    needs = ("vault.database_connection",)
    manual = "vault write -f database/rotate-root/CONNECTION"

    def check(self, api: VendorClient, step: Step) -> State:
        names = step.all("vault.database_connection")
        for name in names:
            data(api, "/{}/config/{}", *mount_and_name(name, "database"))
        return State(False, {"connections": sorted(names)})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        each(
            before.data["connections"],
            lambda name: api.call("POST", "/{}/rotate-root/{}", ids=mount_and_name(str(name), "database")),
        )

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        self.check(api, step)
        return outcome(api, step, Status.ACCEPTED, "Vault accepted the rotation; it shows no time of it")


ACTION = RotateRoot()
