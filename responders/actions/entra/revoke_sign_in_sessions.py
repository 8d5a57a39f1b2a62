"""Make every refresh token and session cookie of a user invalid."""

from __future__ import annotations

from datetime import timedelta

from responders.actions.action import Action, outcome
from responders.actions.entra._read import parse_time, user
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient

_PLAIN, _CAE = timedelta(minutes=90), timedelta(hours=28)


class RevokeSignInSessions(Action):
    """POST /users/{id}/revokeSignInSessions. Proof: signInSessionsValidFromDateTime moved.

    Access tokens already issued live on: without continuous access evaluation 60 to 90 minutes; with it a resource
    ends them within 15 minutes, or after up to 28 hours when it misses the event. `residual_until` is 90 minutes
    unless the connection's `token_kind` is `cae`. A guest's session in the home tenant does not end.
    Source: Microsoft Graph, "user: revokeSignInSessions"; Microsoft Entra, "Continuous access evaluation",
    "Configurable token lifetimes".
    """

    vendor = "entra"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.RESTRICT
    permissions = ("User.RevokeSessions.All", "User.Read.All")
    breaks = "the user signs in again everywhere"
    irreversible = "a revoked session can't be brought back; the user signs in again"
    manual = "Entra admin center > Users > the user > Revoke sessions"

    def check(self, api: VendorClient, step: Step) -> State:
        found = user(api, step.account.id)
        valid_from = str(found.get("signInSessionsValidFromDateTime") or "")
        data = {"valid_from": valid_from, "guest": found.get("userType") == "Guest"}
        return State(False, {**data, "asked_at": api.now().isoformat()})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/users/{}/revokeSignInSessions", ids=(step.account.id,))

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        now = self.check(api, step).data
        old, new = str(before.data["valid_from"]), str(now["valid_from"])
        if not new or (old and parse_time(new) <= parse_time(old)):
            return outcome(api, step, Status.ACCEPTED, "Graph accepted it; the new session start is not readable yet")
        home = "; the session in the guest's home tenant does not end" if now["guest"] else ""
        lasts = _CAE if api.settings.get("token_kind") == "cae" else _PLAIN
        text = f"sessions are valid only from {new}{home}"
        return outcome(api, step, Status.CONFIRMED, text, parse_time(new) + lasts)


ACTION = RevokeSignInSessions()
