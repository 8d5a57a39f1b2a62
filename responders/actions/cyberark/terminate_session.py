"""Terminate a user's live PSM sessions."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.actions.cyberark._read import sessions_of
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class TerminateSession(Action):
    """POST /API/LiveSessions/{id}/Terminate for each. Source: CyberArk, "Terminate live session"."""

    vendor = "cyberark"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = (
        "Audit users",
        "auditor of the recording safe, or PSMLiveSessionTerminators; AllowPSMNotifications=Yes",
    )
    breaks = "work in progress in these sessions is lost"
    irreversible = "an ended session can't be brought back; the user opens a new one"
    manual = "PVWA > Monitoring > the user's live sessions > Terminate"

    def check(self, api: VendorClient, step: Step) -> State:
        found = sorted(str(item["SessionID"]) for item in sessions_of(api, step.account.id))
        return State(not found, {"sessions": found})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/API/LiveSessions/{}/Terminate"
        each(before.data["sessions"], lambda session: api.call("POST", path, ids=(session,)), gone_is_fine=True)


ACTION = TerminateSession()
