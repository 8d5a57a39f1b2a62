"""Universal Logout: end sessions and tokens of a user in Okta and in applications that support it."""

from __future__ import annotations

from responders.actions.action import Action, outcome
from responders.actions.okta._read import thing
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class GlobalTokenRevocation(Action):
    """POST /oauth2/v1/global-token-revocation with the user as sub_id.

    Okta answers 204 and works through the applications later, so the outcome is `accepted`.
    Source: Okta API, "Global Token Revocation" (developer.okta.com/docs/api/openapi/okta-oauth).
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.universalLogout.manage")
    breaks = "the user's sessions in Okta and in every application that supports Universal Logout"
    irreversible = "an ended session can't be brought back; the user signs in again"
    manual = "Okta Admin > Directory > People > the user > More actions > Clear user sessions > Logout of apps"

    def check(self, api: VendorClient, step: Step) -> State:
        thing(api, "/api/v1/users/{}", step.account.id)
        return State(False, {})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        body = {"sub_id": {"format": "opaque", "id": step.account.id}}
        api.call("POST", "/oauth2/v1/global-token-revocation", body=body)

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        return outcome(api, step, Status.ACCEPTED, "Okta accepted it; applications end their sessions on their own")


ACTION = GlobalTokenRevocation()
