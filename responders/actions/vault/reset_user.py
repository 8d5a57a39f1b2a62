"""Give a userpass user a password nobody knows: the stolen one no longer logs anybody in, the user stays."""

from __future__ import annotations

import secrets

from responders.actions.action import Action, outcome
from responders.actions.vault._lookup import data, mount_and_name
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class ResetUser(Action):
    """POST auth/userpass/users/{user}/password with a random password that is kept nowhere.

    Vault shows neither password nor hash, so the proof is the 204 to this very write: a repeat writes another one.
    Source: Vault API, "Userpass auth method".
    """

    vendor = "vault"
    kinds = ("userpass",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("read on auth/userpass/users/+", "update on auth/userpass/users/+/password")
    breaks = "logins of this user through userpass until the owner is given a new password"
    irreversible = "the old password can't be read, so it can't be put back; the owner is given a new one"
    manual = "vault write auth/userpass/users/USER/password password=RANDOM"

    def check(self, api: VendorClient, step: Step) -> State:
        mount, user = mount_and_name(step.account.id, "userpass")
        data(api, "/auth/{}/users/{}", mount, user)
        return State(False, {"user": user})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        mount, user = mount_and_name(step.account.id, "userpass")
        body = {"password": secrets.token_urlsafe(32)}
        api.call("POST", "/auth/{}/users/{}/password", ids=(mount, user), body=body)

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        self.check(api, step)
        return outcome(api, step, Status.ACCEPTED, "Vault accepted a new random password; it can't be read back")


ACTION = ResetUser()
