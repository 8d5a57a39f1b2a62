"""Deactivate a user: no sign-in, and assignments are lost."""

from __future__ import annotations

from responders.actions.action import Action, outcome
from responders.actions.okta._read import status_of, thing
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient

_GONE = "DEPROVISIONED"


class DeactivateUser(Action):
    """POST /api/v1/users/{id}/lifecycle/deactivate.

    Asynchronous for some users: until it is done their `transitioningToStatus` is DEPROVISIONED, the outcome `accepted`,
    and their sessions may live on. Source: Okta API, "User Lifecycle", "Deactivate a user".
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.users.manage")
    breaks = "every sign-in of this user, and every application assignment"
    irreversible = "application assignments and enrolled factors are lost; activating the user does not bring them back"
    manual = "Okta Admin > Directory > People > the user > More actions > Deactivate"

    def check(self, api: VendorClient, step: Step) -> State:
        found = thing(api, "/api/v1/users/{}", step.account.id)
        status, becomes = status_of(found), str(found.get("transitioningToStatus") or "")
        return State(status == _GONE, {"status": status, "becomes": becomes})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        if before.data["becomes"] == _GONE:
            return  # it is on its way, and a repeat is refused
        api.call("POST", "/api/v1/users/{}/lifecycle/deactivate", ids=(step.account.id,))

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        now = self.check(api, step)
        if not now.contained and now.data["becomes"] == _GONE:
            text = f"Okta is deactivating the user, who is still {now.data['status']}"
            return outcome(api, step, Status.ACCEPTED, text)
        return super().confirm(api, step, before)


ACTION = DeactivateUser()
