"""Deactivate an application: a service identity or an agent is one."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.okta._read import status_of, thing
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DeactivateApp(Action):
    """POST /api/v1/apps/{id}/lifecycle/deactivate; undone by activate. Source: Okta API, "Applications"."""

    vendor = "okta"
    kinds = ("app",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("okta.apps.read", "okta.apps.manage")
    breaks = "everything that signs in as, or through, this application"
    manual = "Okta Admin > Applications > the app > Deactivate"

    def check(self, api: VendorClient, step: Step) -> State:
        status = status_of(thing(api, "/api/v1/apps/{}", step.account.id))
        return State(status == "INACTIVE", {"status": status})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/api/v1/apps/{}/lifecycle/deactivate", ids=(step.account.id,))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/api/v1/apps/{}/lifecycle/activate", ids=(step.account.id,))


ACTION = DeactivateApp()
