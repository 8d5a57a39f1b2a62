"""Remove factors a user enrolled since the compromise. Approval only."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.actions.okta._read import since_filter
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RemoveFactor(Action):
    """DELETE /api/v1/users/{id}/factors/{factor}. Source: Okta API, "User Factors".

    On an enabled account it lets whoever holds the password enrol the next factor: only after a confirmed block.
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.ROTATE
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.users.manage")
    breaks = "factors enrolled since the compromise; older ones stay"
    irreversible = "a factor's secret is gone; its owner enrols it again"
    hands_over = True
    manual = "Okta Admin > Directory > People > the user > Authenticators: remove those enrolled since"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/api/v1/users/{}/factors", ids=(step.account.id,))
        new = sorted(str(item["id"]) for item in since_filter(listed, "created", step.get("since")))
        return State(not new, {"factors": new})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/users/{}/factors/{}"
        each(before.data["factors"], lambda factor: api.call("DELETE", path, ids=(step.account.id, factor)))


ACTION = RemoveFactor()
