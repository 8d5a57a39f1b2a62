"""Revoke the refresh tokens every client holds for a user."""

from __future__ import annotations

import time
from functools import partial
from typing import Dict, List, Sequence

from responders.actions.action import Action, each, outcome
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.parallel import Running, finish_all, start_all
from responders.vendors.client import VendorClient

_SECONDS = 15.0


class RevokeClientTokens(Action):
    """DELETE /api/v1/users/{id}/clients/{client}/tokens for each client that holds one.

    Proof: every list is empty. Source: Okta API, "User OAuth 2.0 tokens".
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.users.manage")
    breaks = "mobile and desktop applications of the user sign in again"
    irreversible = "a revoked token can't be brought back; the user signs in again"
    manual = "DELETE /api/v1/users/USER/clients/CLIENT/tokens for each client"

    def check(self, api: VendorClient, step: Step) -> State:
        held = self._held(api, step.account.id, ())
        return State(not held, {"tokens": held})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/users/{}/clients/{}/tokens"
        each(sorted(before.data["tokens"]), lambda name: api.call("DELETE", path, ids=(step.account.id, name)))

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        held = self._held(api, step.account.id, sorted(before.data["tokens"]))
        if held:
            return outcome(api, step, Status.FAILED, f"refresh tokens are still held by {', '.join(sorted(held))}")
        return outcome(api, step, Status.CONFIRMED, "no client holds a refresh token")

    @staticmethod
    def _held(api: VendorClient, user: str, known: Sequence[str]) -> Dict[str, List[str]]:
        """Token ids by client; the tokens of `known` clients are read while the list of clients is on its way."""
        path = "/api/v1/users/{}/clients/{}/tokens"
        until = time.monotonic() + _SECONDS
        listing = Running(partial(api.items, "/api/v1/users/{}/clients", ids=(user,)))
        reads = start_all({name: partial(api.items, path, ids=(user, name)) for name in known})
        listed = listing.result(until)
        if isinstance(listed, Exception):
            raise listed
        fresh = {str(client["client_id"]) for client in listed} - set(known)
        reads.update(start_all({name: partial(api.items, path, ids=(user, name)) for name in sorted(fresh)}))
        held: Dict[str, List[str]] = {}
        for name, tokens in finish_all(reads, until).items():
            if isinstance(tokens, Exception):
                raise tokens
            if tokens:
                held[name] = sorted(str(token["id"]) for token in tokens)
        return held


ACTION = RevokeClientTokens()
