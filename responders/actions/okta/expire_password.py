"""Make a user choose a new password. Approval only: whoever holds the old one sets the new one."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.okta._read import user_status
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class ExpirePassword(Action):
    """POST /api/v1/users/{id}/lifecycle/expire_password. Source: Okta API, "User Credentials"."""

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.ROTATE
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.users.manage")
    breaks = "the user must set a new password at the next sign-in"
    irreversible = "an expired password can't be made valid again; the user sets a new one"
    hands_over = True
    manual = "Okta Admin > Directory > People > the user > More actions > Expire password"

    def check(self, api: VendorClient, step: Step) -> State:
        now = user_status(api, step.account.id)
        return State(now["status"] == "PASSWORD_EXPIRED", now)

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/api/v1/users/{}/lifecycle/expire_password", ids=(step.account.id,))


ACTION = ExpirePassword()
