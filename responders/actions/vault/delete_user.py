"""Delete a userpass user: its password no longer logs anybody in."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.vault._lookup import keys, mount_and_name
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DeleteUser(Action):
    """DELETE auth/userpass/users/{user}. Source: Vault API, "Userpass auth method"."""

    vendor = "vault"
    kinds = ("userpass",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("list on auth/userpass/users", "delete on auth/userpass/users/+")
    breaks = "logins of this user through userpass"
    irreversible = "the password can't be read, so it can't be put back; create the user with a new one"
    manual = "vault delete auth/userpass/users/USER"

    def check(self, api: VendorClient, step: Step) -> State:
        mount, user = mount_and_name(step.account.id, "userpass")
        present = user in keys(api, "/auth/{}/users", mount)
        return State(not present, {"present": present})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("DELETE", "/auth/{}/users/{}", ids=mount_and_name(step.account.id, "userpass"))


ACTION = DeleteUser()
