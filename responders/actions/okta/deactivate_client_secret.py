"""Deactivate a client's secret the alert named, when another is active."""

from __future__ import annotations

from typing import Dict

from responders.actions.action import Action, each
from responders.actions.okta._read import status_of
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DeactivateClientSecret(Action):
    """POST /api/v1/apps/{app}/credentials/secrets/{secret}/lifecycle/deactivate; undone by activate.

    A client's only active secret can't be deactivated: then the app is deactivated, or a new secret added first.
    Source: Okta API, "Application SSO Credentials".
    """

    vendor = "okta"
    kinds = ("app",)
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("okta.apps.read", "okta.apps.manage")
    breaks = "whatever signs in with this secret; the client's other credentials stay"
    needs = ("okta.client_secret_id",)
    manual = "Okta Admin > Applications > the app > General > Client Credentials > deactivate the secret"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/api/v1/apps/{}/credentials/secrets", ids=(step.account.id,))
        states: Dict[str, str] = {str(item["id"]): status_of(item) for item in listed}
        named = {key: states[key] for key in step.all("okta.client_secret_id") if key in states}
        active = {key for key, status in states.items() if status == "ACTIVE"}
        only = bool(active) and active <= set(named)
        wrong = "it is the client's only active secret: add a new one first, or deactivate the app" if only else ""
        return State(all(status != "ACTIVE" for status in named.values()), {"secrets": named}, wrong)

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, step, before, "deactivate")

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, step, before, "activate")

    @staticmethod
    def _all(api: VendorClient, step: Step, before: State, verb: str) -> None:
        active = [key for key, status in sorted(before.data["secrets"].items()) if status == "ACTIVE"]
        path = "/api/v1/apps/{}/credentials/secrets/{}/lifecycle/" + verb
        each(active, lambda key: api.call("POST", path, ids=(step.account.id, key)))


ACTION = DeactivateClientSecret()
