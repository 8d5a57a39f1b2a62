"""Take a user's administrator roles away: those the alert named, or all."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from responders.actions.action import Action, each
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RemoveAdminRole(Action):
    """DELETE /api/v1/users/{id}/roles/{assignment}; undone by POST /api/v1/users/{id}/roles.

    Roles that come from a group are not touched: they are `okta.remove_group`'s. A role put back is a new assignment
    of the same type. Source: Okta API, "Role Assignments".
    """

    vendor = "okta"
    kinds = ("user",)
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("okta.roles.manage",)
    breaks = "administration by this user"
    uses = ("okta.role_assignment_id",)
    manual = "Okta Admin > Security > Administrators > the user > remove the roles"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/api/v1/users/{}/roles", ids=(step.account.id,))
        named = step.all("okta.role_assignment_id")
        direct = [role for role in listed if role.get("assignmentType", "USER") == "USER"]
        roles: Dict[str, Any] = {
            str(role["id"]): {key: role[key] for key in ("type", "role", "resource-set") if key in role}
            for role in direct
            if not named or str(role["id"]) in named
        }
        return State(not roles, {"roles": roles})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/users/{}/roles/{}"
        each(sorted(before.data["roles"]), lambda role: api.call("DELETE", path, ids=(step.account.id, role)))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        present = sorted(self._types(self.check(api, Step(step.id, step.action, step.account, step.phase))))
        for role in before.data["roles"].values():
            if role.get("type", "") in present:
                present.remove(role.get("type", ""))
            else:
                api.call("POST", "/api/v1/users/{}/roles", ids=(step.account.id,), body=dict(role))

    def restored(self, before: State, now: State) -> bool:
        return sorted(self._types(before)) == sorted(self._types(now))

    @staticmethod
    def _types(state: State) -> List[str]:
        roles: Mapping[str, Mapping[str, Any]] = state.data["roles"]
        return [str(role.get("type", "")) for role in roles.values()]


ACTION = RemoveAdminRole()
