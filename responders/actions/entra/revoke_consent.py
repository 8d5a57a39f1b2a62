"""Revoke delegated consents: those the alert named, or all of the user or service principal."""

from __future__ import annotations

from typing import Any, Dict, List

from responders.actions.action import Action, each
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient

_KEEP = ("clientId", "consentType", "principalId", "resourceId", "scope")


class RevokeConsent(Action):
    """DELETE /oauth2PermissionGrants/{id}; undone by creating it again from the pre-state.

    Source: Microsoft Graph, "Delete oAuth2PermissionGrant", "Create oAuth2PermissionGrant".
    """

    vendor = "entra"
    kinds = ("user", "service_principal")
    phase = Phase.CUT
    least_tier = Tier.REVOKE
    permissions = ("DelegatedPermissionGrant.ReadWrite.All",)
    breaks = "applications lose the delegated access this identity gave them, or was given"
    uses = ("entra.grant_id",)
    manual = "Entra admin center > Enterprise applications > the app > Permissions > revoke"

    def check(self, api: VendorClient, step: Step) -> State:
        field = "principalId" if step.account.kind == "user" else "clientId"
        listed = api.items("/oauth2PermissionGrants", query={"$filter": f"{field} eq '{step.account.id}'"})
        named = step.all("entra.grant_id")
        every = {str(item["id"]): {key: item[key] for key in _KEEP if item.get(key) is not None} for item in listed}
        grants: Dict[str, Any] = {key: body for key, body in every.items() if not named or key in named}
        return State(not grants, {"grants": grants, "present": list(every.values())})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        each(sorted(before.data["grants"]), lambda grant: api.call("DELETE", "/oauth2PermissionGrants/{}", ids=(grant,)))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        present: List[Any] = self.check(api, step).data["present"]
        missing = [body for body in before.data["grants"].values() if body not in present]
        each(missing, lambda body: api.call("POST", "/oauth2PermissionGrants", body=dict(body)))

    def restored(self, before: State, now: State) -> bool:
        # A grant that was put back has a new id, so one the alert named is looked for by what it grants.
        return all(body in now.data["present"] for body in before.data["grants"].values())

    def proof(self, now: State) -> str:
        return f"consents left: {', '.join(sorted(now.data['grants'])) or 'none'}"


ACTION = RevokeConsent()
