"""Disable a user: no new sign-in anywhere in the tenant."""

from __future__ import annotations

from datetime import timedelta

from responders.actions.action import Action, outcome
from responders.actions.entra._read import user
from responders.actions.entra._visible import flag
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient

_SYNC = timedelta(minutes=30)


class DisableUser(Action):
    """PATCH /users/{id} {accountEnabled: false}.

    A user mastered on premises comes back with the next directory sync (about 30 minutes) unless it is disabled in
    Active Directory too: `accepted`, and rechecked. A target with a directory role needs a directory role on the
    caller. Source: Microsoft Graph, "Update user"; Microsoft Entra Connect, "scheduler".
    """

    vendor = "entra"
    kinds = ("user",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("User.EnableDisableAccount.All", "User.Read.All")
    breaks = "every new sign-in of this user in the tenant"
    manual = "Entra admin center > Users > the user > Edit properties > Account enabled: off (and in AD, if synced)"

    def check(self, api: VendorClient, step: Step) -> State:
        found = user(api, step.account.id)
        enabled = flag(found, "accountEnabled")
        return State(not enabled, {"accountEnabled": enabled, "synced": bool(found.get("onPremisesSyncEnabled"))})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("PATCH", "/users/{}", ids=(step.account.id,), body={"accountEnabled": False})

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        now = self.check(api, step)
        if not now.contained:
            return outcome(api, step, Status.FAILED, f"read back and not disabled: {self.proof(now)}")
        if now.data["synced"]:
            text = "disabled, but mastered on premises: disable it in Active Directory before the next sync enables it"
            return outcome(api, step, Status.ACCEPTED, text, api.now() + _SYNC)
        return outcome(api, step, Status.CONFIRMED, self.proof(now))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("PATCH", "/users/{}", ids=(step.account.id,), body={"accountEnabled": True})


ACTION = DisableUser()
