"""Take a user or application out of its safes."""

from __future__ import annotations

from typing import Any, Dict

from responders.actions.action import Action, each
from responders.actions.cyberark._read import user_name
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RemoveSafeMember(Action):
    """DELETE /API/Safes/{safe}/Members/{member}/; undone by POST with the recorded permissions.

    An application (CCP/AAM) is a service identity: it is taken out of its safes. Its authentications are never
    deleted, since each of them is a restriction. Source: CyberArk, "Delete safe member", "Add safe member".
    """

    vendor = "cyberark"
    kinds = ("user", "application")
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("Audit users", "View safe members", "Manage safe members")
    breaks = "every secret of these safes for this member"
    needs = ("cyberark.safe",)
    manual = "PVWA > Policies > Safes > the safe > Members > remove"

    def check(self, api: VendorClient, step: Step) -> State:
        member = self._member(api, step)
        found: Dict[str, Any] = {}
        for safe in dict.fromkeys(step.all("cyberark.safe")):
            for item in api.items("/API/Safes/{}/Members", ids=(safe,)):
                if item.get("memberName") == member:
                    found[safe] = {key: item[key] for key in ("memberType", "permissions") if key in item}
        return State(not found, {"member": member, "safes": found})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path, member = "/API/Safes/{}/Members/{}/", str(before.data["member"])
        each(sorted(before.data["safes"]), lambda safe: api.call("DELETE", path, ids=(safe, member)), gone_is_fine=True)

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        now = self.check(api, step).data["safes"]
        missing = {safe: item for safe, item in before.data["safes"].items() if safe not in now}
        each(
            sorted(missing),
            lambda safe: api.call(
                "POST",
                "/API/Safes/{}/Members",
                ids=(safe,),
                body={"memberName": before.data["member"], **missing[safe]},
            ),
        )

    @staticmethod
    def _member(api: VendorClient, step: Step) -> str:
        return step.account.id if step.account.kind == "application" else user_name(api, step.account.id)


ACTION = RemoveSafeMember()
