"""Deactivate a user: no sign-in, and assignments are lost."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.okta._read import user_status
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DeactivateUser(Action):
    """POST /api/v1/users/{id}/lifecycle/deactivate. Source: Okta API, "User Lifecycle"; asynchronous for some users."""

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("okta.users.manage",)
    breaks = "every sign-in of this user, and every application assignment"
    irreversible = "application assignments and enrolled factors are lost; activating the user does not bring them back"
    manual = "Okta Admin > Directory > People > the user > More actions > Deactivate"

    def check(self, api: VendorClient, step: Step) -> State:
        now = user_status(api, step.account.id)
        return State(now["status"] == "DEPROVISIONED", now)

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/api/v1/users/{}/lifecycle/deactivate", ids=(step.account.id,))


ACTION = DeactivateUser()
