"""Remove application permissions (app roles): those the alert named, or all of the service principal."""

from __future__ import annotations

from typing import Any, Dict, List

from responders.actions.action import Action, each
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient

_KEEP = ("principalId", "resourceId", "appRoleId")


class RemoveAppRole(Action):
    """DELETE /servicePrincipals/{id}/appRoleAssignments/{a}; undone by creating it again from the pre-state.

    Source: Microsoft Graph, "Delete appRoleAssignment", "Grant an appRoleAssignment to a service principal".
    """

    vendor = "entra"
    kinds = ("service_principal", "user")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("AppRoleAssignment.ReadWrite.All", "Application.Read.All")
    breaks = "what these permissions let the identity do; tokens already issued keep them until they end"
    needs = ("entra.app_role_assignment_id",)
    manual = "Entra admin center > Enterprise applications > the app > Permissions > remove"

    def check(self, api: VendorClient, step: Step) -> State:
        named, listed = step.all("entra.app_role_assignment_id"), self._listed(api, step)
        held: Dict[str, Any] = {key: body for key, body in listed.items() if key in named}
        return State(not held, {"assignments": held, "present": list(listed.values())})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = f"/{_place(step)}/{{}}/appRoleAssignments/{{}}"
        each(sorted(before.data["assignments"]), lambda key: api.call("DELETE", path, ids=(step.account.id, key)))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        present: List[Any] = list(self._listed(api, step).values())
        missing = [body for body in before.data["assignments"].values() if body not in present]
        path = f"/{_place(step)}/{{}}/appRoleAssignments"
        each(missing, lambda body: api.call("POST", path, ids=(step.account.id,), body=dict(body)))

    def restored(self, before: State, now: State) -> bool:
        # Put back it has a new id, so the alert's id no longer names it: it is looked for by what it grants.
        return all(body in now.data["present"] for body in before.data["assignments"].values())

    def proof(self, now: State) -> str:
        return f"named assignments left: {', '.join(sorted(now.data['assignments'])) or 'none'}"

    @staticmethod
    def _listed(api: VendorClient, step: Step) -> Dict[str, Any]:
        items = api.items(f"/{_place(step)}/{{}}/appRoleAssignments", ids=(step.account.id,))
        return {str(item["id"]): {key: item[key] for key in _KEEP if key in item} for item in items}


def _place(step: Step) -> str:
    return "users" if step.account.kind == "user" else "servicePrincipals"


ACTION = RemoveAppRole()
