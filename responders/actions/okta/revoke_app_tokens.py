"""Revoke every token issued to an application."""

from __future__ import annotations

from responders.actions.action import Action
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RevokeAppTokens(Action):
    """DELETE /api/v1/apps/{id}/tokens. Proof: the list is empty. Source: Okta API, "Application Tokens"."""

    vendor = "okta"
    kinds = ("app",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.apps.read", "okta.apps.manage")
    breaks = "live access of this application, for all its users"
    irreversible = "a revoked token can't be brought back; the application asks for a new one"
    manual = "DELETE /api/v1/apps/APP/tokens"

    def check(self, api: VendorClient, step: Step) -> State:
        found = sorted(str(item["id"]) for item in api.items("/api/v1/apps/{}/tokens", ids=(step.account.id,)))
        return State(not found, {"tokens": found})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("DELETE", "/api/v1/apps/{}/tokens", ids=(step.account.id,))


ACTION = RevokeAppTokens()
