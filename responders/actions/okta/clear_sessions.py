"""End a user's Okta sessions, their OAuth tokens and remembered devices with them."""

from __future__ import annotations

from responders.actions.action import Action, outcome
from responders.actions.okta._read import thing
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class ClearSessions(Action):
    """DELETE /api/v1/users/{id}/sessions?oauthTokens=true&forgetDevices=true.

    Without `oauthTokens=true` refresh tokens live on. No API lists sessions: the proof is the System Log's
    `user.session.clear`, and the watch for activity afterwards. Sessions inside applications live on until the
    application asks Okta again. Source: Okta API, "User Sessions"; event types catalogue.
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.RESTRICT
    permissions = ("okta.users.read", "okta.users.manage", "okta.logs.read")
    breaks = "the user signs in again everywhere, with every factor"
    irreversible = "an ended session can't be brought back; the user signs in again"
    manual = "Okta Admin > Directory > People > the user > More actions > Clear user sessions (tick tokens)"

    def check(self, api: VendorClient, step: Step) -> State:
        thing(api, "/api/v1/users/{}", step.account.id)
        return State(False, {"asked_at": api.now().isoformat(timespec="milliseconds")})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        query = {"oauthTokens": "true", "forgetDevices": "true"}
        api.call("DELETE", "/api/v1/users/{}/sessions", ids=(step.account.id,), query=query)

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        query = {
            "since": str(before.data["asked_at"]).replace("+00:00", "Z"),
            "filter": f'eventType eq "user.session.clear" and target.id eq "{step.account.id}"',
            "limit": "1",
        }
        events = api.call("GET", "/api/v1/logs", query=query).body
        if isinstance(events, list) and events:
            text = f"System Log: user.session.clear at {events[0].get('published', '?')}"
            return outcome(api, step, Status.CONFIRMED, text)
        return outcome(api, step, Status.ACCEPTED, "Okta accepted it; the System Log does not show it yet")


ACTION = ClearSessions()
