"""Disable a vault user: no new logon to PVWA."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.cyberark._read import thing
from responders.errors import BadAnswer
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DisableUser(Action):
    """POST /API/Users/{id}/disable/ (12.6 and newer); undone by /enable/. `/Activate` only lifts a lock-out.

    Source: CyberArk, "Disable user", "Enable user".
    """

    vendor = "cyberark"
    kinds = ("user",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("Audit users", "Manage users (Add/Update users)")
    breaks = "every new logon of this user to the vault; PSM sessions go on until they are terminated"
    manual = "PVWA > User Provisioning > Users > the user > Disable"

    def check(self, api: VendorClient, step: Step) -> State:
        enabled = thing(api, "/API/Users/{}", step.account.id).get("enableUser")
        if not isinstance(enabled, bool):  # versions before 12.6 show none: that is not "disabled"
            raise BadAnswer("cyberark", "the user is shown without enableUser: PVWA 12.6 or newer is needed")
        return State(not enabled, {"enableUser": enabled})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/API/Users/{}/disable/", ids=(step.account.id,))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/API/Users/{}/enable/", ids=(step.account.id,))


ACTION = DisableUser()
