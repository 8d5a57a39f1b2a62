"""Deactivate an identity provider the alert named: nobody signs in through it. Approval only."""

from __future__ import annotations

from typing import Dict

from responders.actions.action import Action, each
from responders.actions.okta._read import status_of, thing
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class DeactivateIdentityProvider(Action):
    """POST /api/v1/idps/{id}/lifecycle/deactivate; undone by activate. Source: Okta API, "Identity Providers"."""

    vendor = "okta"
    kinds = ("user", "app")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.idps.read", "okta.idps.manage")
    breaks = "every sign-in through this identity provider, of everybody"
    needs = ("okta.idp_id",)
    manual = "Okta Admin > Security > Identity Providers > the provider > Deactivate"

    def check(self, api: VendorClient, step: Step) -> State:
        found: Dict[str, str] = {idp: status_of(thing(api, "/api/v1/idps/{}", idp)) for idp in step.all("okta.idp_id")}
        return State(all(status == "INACTIVE" for status in found.values()), {"providers": found})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, before, "deactivate")

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        self._all(api, before, "activate")

    @staticmethod
    def _all(api: VendorClient, before: State, verb: str) -> None:
        active = [idp for idp, status in sorted(before.data["providers"].items()) if status == "ACTIVE"]
        path = "/api/v1/idps/{}/lifecycle/" + verb
        each(active, lambda idp: api.call("POST", path, ids=(idp,)))


ACTION = DeactivateIdentityProvider()
