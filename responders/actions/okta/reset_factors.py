"""Remove every factor of a user. Approval only: whoever holds the password enrols the next one."""

from __future__ import annotations

from responders.actions.action import Action
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class ResetFactors(Action):
    """POST /api/v1/users/{id}/lifecycle/reset_factors. Source: Okta API, "User Factors"."""

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.ROTATE
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.users.manage")
    breaks = "every factor of the user, the rightful ones too"
    irreversible = "factors' secrets are gone; the user enrols them again"
    hands_over = True
    manual = "Okta Admin > Directory > People > the user > More actions > Reset authenticators"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = sorted(str(item["id"]) for item in api.items("/api/v1/users/{}/factors", ids=(step.account.id,)))
        return State(not listed, {"factors": listed})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/api/v1/users/{}/lifecycle/reset_factors", ids=(step.account.id,))


ACTION = ResetFactors()
