"""Revoke every consent a user gave to applications."""

from __future__ import annotations

from responders.actions.action import Action
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RevokeGrants(Action):
    """DELETE /api/v1/users/{id}/grants. Proof: the list is empty. Source: Okta API, "User OAuth 2.0 grants"."""

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.users.manage")
    breaks = "applications the user consented to ask for consent again"
    irreversible = "a revoked grant can't be brought back; the user consents again"
    manual = "Okta Admin > Directory > People > the user > Applications: revoke each grant"

    def check(self, api: VendorClient, step: Step) -> State:
        found = sorted(str(item["id"]) for item in api.items("/api/v1/users/{}/grants", ids=(step.account.id,)))
        return State(not found, {"grants": found})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("DELETE", "/api/v1/users/{}/grants", ids=(step.account.id,))


ACTION = RevokeGrants()
