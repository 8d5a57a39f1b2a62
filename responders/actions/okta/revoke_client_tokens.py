"""Revoke the refresh tokens every client holds for a user."""

from __future__ import annotations

from typing import Dict, List

from responders.actions.action import Action, each
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RevokeClientTokens(Action):
    """DELETE /api/v1/users/{id}/clients/{client}/tokens for each client that holds one.

    Proof: every list is empty. Source: Okta API, "User OAuth 2.0 tokens".
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.users.manage",)
    breaks = "mobile and desktop applications of the user sign in again"
    irreversible = "a revoked token can't be brought back; the user signs in again"
    manual = "DELETE /api/v1/users/USER/clients/CLIENT/tokens for each client"

    def check(self, api: VendorClient, step: Step) -> State:
        user = step.account.id
        held: Dict[str, List[str]] = {}
        for client in api.items("/api/v1/users/{}/clients", ids=(user,)):
            name = str(client["client_id"])
            tokens = api.items("/api/v1/users/{}/clients/{}/tokens", ids=(user, name))
            if tokens:
                held[name] = sorted(str(token["id"]) for token in tokens)
        return State(not held, {"tokens": held})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/users/{}/clients/{}/tokens"
        each(sorted(before.data["tokens"]), lambda name: api.call("DELETE", path, ids=(step.account.id, name)))


ACTION = RevokeClientTokens()
