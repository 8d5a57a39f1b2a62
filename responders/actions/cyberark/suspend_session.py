"""Suspend a user's live PSM sessions: nobody types in them until they are resumed."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.actions.cyberark._read import sessions_of
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class SuspendSession(Action):
    """POST /API/LiveSessions/{id}/Suspend; undone by Resume. Source: CyberArk, "Suspend live session".

    The list may not say which sessions are suspended already; then each check suspends them again, which is harmless.
    """

    vendor = "cyberark"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.RESTRICT
    permissions = (
        "Audit users",
        "auditor of the recording safe, or PSMLiveSessionTerminators; AllowPSMNotifications=Yes",
    )
    breaks = "work in these sessions waits until they are resumed"
    manual = "PVWA > Monitoring > the user's live sessions > Suspend"

    def check(self, api: VendorClient, step: Step) -> State:
        found = {str(item["SessionID"]): item.get("IsSuspended") is True for item in sessions_of(api, step.account.id)}
        running = sorted(session for session, suspended in found.items() if not suspended)
        return State(not running, {"running": running, "suspended": sorted(set(found) - set(running))})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/API/LiveSessions/{}/Suspend"
        each(before.data["running"], lambda session: api.call("POST", path, ids=(session,)), gone_is_fine=True)

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/API/LiveSessions/{}/Resume"
        each(before.data["running"], lambda session: api.call("POST", path, ids=(session,)), gone_is_fine=True)

    def restored(self, before: State, now: State) -> bool:
        # A session that its user ended meanwhile can't come back, and need not.
        return not set(before.data["running"]) & set(now.data["suspended"])


ACTION = SuspendSession()
