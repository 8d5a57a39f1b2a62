"""What changing and reconciling passwords share: mark, then wait for the CPM."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Mapping

from responders.actions.action import Action, each, outcome
from responders.actions.cyberark._read import thing
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient


class Passwords(Action):
    """Accounts in the connection's `accounts_with_dependents` are left to a person: `approved` lets them through."""

    vendor = "cyberark"
    kinds = ("user", "application")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("List accounts", "Initiate CPM password management operations")
    breaks = "whoever else uses the old password of these accounts"
    irreversible = "the old password is gone; who needs it checks the new one out"
    needs = ("cyberark.account_id",)
    verb: ClassVar[str]

    def check(self, api: VendorClient, step: Step) -> State:
        skipped = set() if step.get("approved") else set(api.settings.get("accounts_with_dependents", "").split())
        named = [account for account in dict.fromkeys(step.all("cyberark.account_id")) if account not in skipped]
        changed: Dict[str, int] = {
            account: int(self._management(api, account).get("lastModifiedTime") or 0) for account in named
        }
        left = sorted(set(step.all("cyberark.account_id")) & skipped)
        return State(not named, {"changed": changed, "left_to_a_person": left})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = f"/API/Accounts/{{}}/{self.verb}"
        each(before.data["changed"], lambda account: api.call("POST", path, ids=(account,), body={}))

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        waiting, failed = [], []
        for account, at in before.data["changed"].items():
            found = self._management(api, account)
            if str(found.get("status", "")) == "failure":
                failed.append(account)
            elif int(found.get("lastModifiedTime") or 0) <= int(at):
                waiting.append(account)
        left = before.data["left_to_a_person"]
        tail = f"; others depend on {', '.join(left)}: approve them" if left else ""
        if failed:
            return outcome(api, step, Status.FAILED, f"the CPM failed on {', '.join(failed)}{tail}")
        if waiting:
            return outcome(api, step, Status.ACCEPTED, f"marked, the CPM has not changed {', '.join(waiting)} yet{tail}")
        if left:
            return outcome(api, step, Status.ACCEPTED, f"{len(before.data['changed'])} changed{tail}")
        return outcome(api, step, Status.CONFIRMED, f"the CPM changed {len(before.data['changed'])} passwords")

    @staticmethod
    def _management(api: VendorClient, account: str) -> Mapping[str, Any]:
        found = thing(api, "/API/Accounts/{}", account).get("secretManagement")
        return found if isinstance(found, Mapping) else {}
