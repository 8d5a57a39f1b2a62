"""Suspend a user: no sign-in, undone by unsuspend."""

from __future__ import annotations

from responders.actions.action import Action, outcome
from responders.actions.okta._read import user_status
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient

_BLOCKED = ("SUSPENDED", "DEPROVISIONED", "STAGED")


class SuspendUser(Action):
    """POST /api/v1/users/{id}/lifecycle/suspend.

    Only an ACTIVE user can be suspended; other states answer 400 and are *not* contained by that answer. A
    LOCKED_OUT user whose password lives in Okta is unlocked first. One whose password lives in a directory can be
    unlocked only there. Source: Okta API, "User Lifecycle"; Okta help, "About user account status".
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("okta.users.read", "okta.users.manage")
    breaks = "every sign-in of this user through Okta; a directory import may reactivate it"
    manual = "Okta Admin > Directory > People > the user > More actions > Suspend"

    def check(self, api: VendorClient, step: Step) -> State:
        now = user_status(api, step.account.id)
        return State(now["status"] in _BLOCKED, now, self._wrong(now["status"], now["provider"]))

    @staticmethod
    def _wrong(status: str, provider: str) -> str:
        if status == "LOCKED_OUT" and provider in ("ACTIVE_DIRECTORY", "LDAP"):
            return f"locked out, and only {provider} can unlock it: disable the account in the directory"
        if status in ("PASSWORD_EXPIRED", "RECOVERY", "PROVISIONED"):
            return f"status {status} can't be suspended, and who holds the mailbox may finish it: approve deactivate_user"
        return ""

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        if before.data["status"] == "LOCKED_OUT":
            api.call("POST", "/api/v1/users/{}/lifecycle/unlock", ids=(step.account.id,))
        api.call("POST", "/api/v1/users/{}/lifecycle/suspend", ids=(step.account.id,))

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        now = self.check(api, step)
        if now.wrong and now.data["status"] == "LOCKED_OUT":
            return outcome(api, step, Status.ACCEPTED, now.wrong)
        if now.contained:
            return outcome(api, step, Status.CONFIRMED, self.proof(now))
        return outcome(api, step, Status.FAILED, now.wrong or f"read back and not suspended: {self.proof(now)}")

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("POST", "/api/v1/users/{}/lifecycle/unsuspend", ids=(step.account.id,))

    def restored(self, before: State, now: State) -> bool:
        # A user who was locked out comes back unlocked: Okta has no way to lock somebody out again.
        expected = "ACTIVE" if before.data["status"] == "LOCKED_OUT" else before.data["status"]
        return bool(now.data["status"] == expected)


ACTION = SuspendUser()
