"""Deactivate a client's key the alert named, when another is active."""

from __future__ import annotations

from typing import Dict

from responders.actions.action import Action, each
from responders.actions.okta._read import status_of
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DeactivateClientKey(Action):
    """POST /api/v1/apps/{app}/credentials/jwks/{key}/lifecycle/deactivate; undone by activate.

    A client's only active key can't be deactivated: then the app is deactivated, or a new key added first.
    Source: Okta API, "Application SSO Credentials".
    """

    vendor = "okta"
    kinds = ("app",)
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("okta.apps.read", "okta.apps.manage")
    breaks = "whatever signs in with this key; the client's other credentials stay"
    needs = ("okta.client_key_id",)
    manual = "Okta Admin > Applications > the app > General > Client Credentials > deactivate the key"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/api/v1/apps/{}/credentials/jwks", ids=(step.account.id,))
        states: Dict[str, str] = {str(item["id"]): status_of(item) for item in listed}
        named = {key: states[key] for key in step.all("okta.client_key_id") if key in states}
        active = {key for key, status in states.items() if status == "ACTIVE"}
        only = bool(active) and active <= set(named)
        wrong = "it is the client's only active key: add a new one first, or deactivate the app" if only else ""
        return State(all(status != "ACTIVE" for status in named.values()), {"keys": named}, wrong)

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, step, before, "deactivate")

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, step, before, "activate")

    @staticmethod
    def _all(api: VendorClient, step: Step, before: State, verb: str) -> None:
        active = [key for key, status in sorted(before.data["keys"].items()) if status == "ACTIVE"]
        path = "/api/v1/apps/{}/credentials/jwks/{}/lifecycle/" + verb
        each(active, lambda key: api.call("POST", path, ids=(step.account.id, key)))


ACTION = DeactivateClientKey()
