"""Revoke a user's API tokens: they live on after suspend, lock-out and password reset."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.errors import Refused
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RevokeApiToken(Action):
    """GET /api/v1/api-tokens, those of the user; DELETE /api/v1/api-tokens/{id}. Source: Okta API, "API Tokens"."""

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.apiTokens.read", "okta.apiTokens.manage")
    breaks = "scripts and integrations that use this user's API tokens"
    irreversible = "a revoked API token can't be brought back; create a new one"
    manual = "Okta Admin > Security > API > Tokens > revoke each token of the user"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/api/v1/api-tokens")
        mine = sorted(str(item["id"]) for item in listed if item.get("userId") == step.account.id)
        return State(not mine, {"tokens": mine})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        if step.account.id in api.own_ids():
            raise Refused("these API tokens are the responder's own: it would cut itself off")
        each(
            before.data["tokens"],
            lambda token: api.call("DELETE", "/api/v1/api-tokens/{}", ids=(token,)),
            gone_is_fine=True,
        )


ACTION = RevokeApiToken()
