"""Remove directory roles: those the alert named, or all of the identity."""

from __future__ import annotations

from typing import Any, Dict

from responders.actions.action import Action, each
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient

_KEEP = ("principalId", "roleDefinitionId", "directoryScopeId")


class RemoveDirectoryRole(Action):
    """DELETE /roleManagement/directory/roleAssignments/{id}; undone by creating it again from the pre-state.

    Source: Microsoft Graph, "Delete unifiedRoleAssignment", "Create unifiedRoleAssignment".
    """

    vendor = "entra"
    kinds = ("user", "service_principal")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("RoleManagement.ReadWrite.Directory",)
    breaks = "administration by this identity"
    manual = "Entra admin center > Roles & admins > the role > Assignments > remove"

    def check(self, api: VendorClient, step: Step) -> State:
        query = {"$filter": f"principalId eq '{step.account.id}'"}
        items = api.items("/roleManagement/directory/roleAssignments", query=query)
        roles: Dict[str, Any] = {
            f"{item['roleDefinitionId']} {item.get('directoryScopeId', '/')}": {
                "id": item["id"], **{key: item[key] for key in _KEEP if key in item},
            }
            for item in items
        }  # fmt: skip
        return State(not roles, {"roles": roles})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        ids = [str(role["id"]) for role in before.data["roles"].values()]
        path = "/roleManagement/directory/roleAssignments/{}"
        each(ids, lambda key: api.call("DELETE", path, ids=(key,)), gone_is_fine=True)

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        now = self.check(api, step).data["roles"]
        missing = [role for key, role in before.data["roles"].items() if key not in now]
        path = "/roleManagement/directory/roleAssignments"
        each(missing, lambda role: api.call("POST", path, body={key: role[key] for key in _KEEP if key in role}))

    def restored(self, before: State, now: State) -> bool:
        return set(before.data["roles"]) == set(now.data["roles"])


ACTION = RemoveDirectoryRole()
