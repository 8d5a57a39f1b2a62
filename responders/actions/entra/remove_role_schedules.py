"""Remove a user's active and eligible role schedules (PIM): eligible roles survive a removed active one."""

from __future__ import annotations

from typing import Any, Dict, List

from responders.actions.action import Action, each
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient

_KINDS = {
    "assignment": ("roleAssignmentSchedules", "roleAssignmentScheduleRequests"),
    "eligibility": ("roleEligibilitySchedules", "roleEligibilityScheduleRequests"),
}


class RemoveRoleSchedules(Action):
    """POST …/role{Assignment,Eligibility}ScheduleRequests with adminRemove; undone by adminAssign.

    Source: Microsoft Graph, "unifiedRoleAssignmentScheduleRequest", "unifiedRoleEligibilityScheduleRequest".
    """

    vendor = "entra"
    kinds = ("user", "service_principal")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("RoleManagement.ReadWrite.Directory",)
    breaks = "administration by this identity, and its right to activate roles"
    manual = "Entra admin center > Privileged Identity Management > Entra roles > Assignments > remove"

    def check(self, api: VendorClient, step: Step) -> State:
        found: Dict[str, List[Dict[str, Any]]] = {}
        for kind, (listed, _) in _KINDS.items():
            path = f"/roleManagement/directory/{listed}"
            items = api.items(path, query={"$filter": f"principalId eq '{step.account.id}'"})
            found[kind] = sorted(
                (
                    {"roleDefinitionId": i["roleDefinitionId"], "directoryScopeId": i.get("directoryScopeId", "/")}
                    for i in items
                ),
                key=lambda item: (str(item["roleDefinitionId"]), str(item["directoryScopeId"])),
            )
        return State(not any(found.values()), found)

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        self._request(api, step, before, "adminRemove")

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        now = self.check(api, step)
        missing = {kind: [item for item in before.data[kind] if item not in now.data[kind]] for kind in _KINDS}
        self._request(api, step, State(False, missing), "adminAssign")

    @staticmethod
    def _request(api: VendorClient, step: Step, state: State, verb: str) -> None:
        for kind, (_, requests) in _KINDS.items():
            base = {"action": verb, "principalId": step.account.id, "justification": f"Tourniquet {step.id}"}
            if verb == "adminAssign":
                base = {**base, "scheduleInfo": {"expiration": {"type": "noExpiration"}}}  # type: ignore[dict-item]
            path = f"/roleManagement/directory/{requests}"
            each(state.data[kind], lambda item, b=base, p=path: api.call("POST", p, body={**b, **item}))  # type: ignore[misc]


ACTION = RemoveRoleSchedules()
