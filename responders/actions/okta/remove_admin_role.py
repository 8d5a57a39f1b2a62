"""Take a user's administrator roles away: those the alert named, or all."""

from __future__ import annotations

from typing import Any, Dict, List

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
    permissions = ("okta.roles.read", "okta.roles.manage")
    breaks = "administration by this user"
    uses = ("okta.role_assignment_id",)
    manual = "Okta Admin > Security > Administrators > the user > remove the roles"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/api/v1/users/{}/roles", ids=(step.account.id,))
        named = step.all("okta.role_assignment_id")
        direct: Dict[str, Any] = {
            str(role["id"]): {key: role[key] for key in ("type", "role", "resource-set") if key in role}
            for role in listed
            if role.get("assignmentType", "USER") == "USER"
        }
        roles = {key: role for key, role in direct.items() if not named or key in named}
        return State(not roles, {"roles": roles, "present": list(direct.values())})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/users/{}/roles/{}"
        each(sorted(before.data["roles"]), lambda role: api.call("DELETE", path, ids=(step.account.id, role)))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/api/v1/users/{}/roles"
        missing = self._missing(before, self.check(api, step))
        each(missing, lambda role: api.call("POST", path, ids=(step.account.id,), body=dict(role)))

    def restored(self, before: State, now: State) -> bool:
        return not self._missing(before, now)

    def proof(self, now: State) -> str:
        return f"roles left: {', '.join(sorted(now.data['roles'])) or 'none'}"

    @staticmethod
    def _missing(before: State, now: State) -> List[Any]:
        """Roles that `before` had and `now` has not. Put back they have new ids: they are looked for by what they are."""
        present = list(now.data["present"])
        missing = []
        for role in before.data["roles"].values():
            if role in present:
                present.remove(role)
            else:
                missing.append(role)
        return missing


ACTION = RemoveAdminRole()
