"""Set a user's risk to HIGH: the customer's risk policies act on it."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.okta._read import thing
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class SetUserRisk(Action):
    """PUT /api/v1/users/{id}/risk {riskLevel: HIGH}.

    NONE can't be written back: a user without risk comes back as LOW. Source: Okta API, "User Risk".
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("okta.userRisk.read", "okta.userRisk.manage")
    breaks = "whatever the customer's entity risk policy does at HIGH, a logout among it"
    manual = "Okta Admin > Directory > People > the user > Risk > set HIGH"

    def check(self, api: VendorClient, step: Step) -> State:
        level = str(thing(api, "/api/v1/users/{}/risk", step.account.id).get("riskLevel", "NONE"))
        return State(level == "HIGH", {"riskLevel": level})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("PUT", "/api/v1/users/{}/risk", ids=(step.account.id,), body={"riskLevel": "HIGH"})

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("PUT", "/api/v1/users/{}/risk", ids=(step.account.id,), body={"riskLevel": _writable(before)})

    def restored(self, before: State, now: State) -> bool:
        return now.data["riskLevel"] in (before.data["riskLevel"], _writable(before))


def _writable(before: State) -> str:
    return "LOW" if before.data["riskLevel"] == "NONE" else str(before.data["riskLevel"])


ACTION = SetUserRisk()
