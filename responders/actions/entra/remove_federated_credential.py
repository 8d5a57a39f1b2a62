"""Remove federated credentials of an application that the alert named."""

from __future__ import annotations

from typing import Any, Dict

from responders.actions.action import Action, each
from responders.actions.entra._application import application_of
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient

_KEEP = ("name", "issuer", "subject", "audiences", "description")


class RemoveFederatedCredential(Action):
    """DELETE /applications/{id}/federatedIdentityCredentials/{f}; undone by creating it again from the pre-state.

    Source: Microsoft Graph, "Delete federatedIdentityCredential".
    """

    vendor = "entra"
    kinds = ("application", "service_principal")
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("Application.ReadWrite.All",)
    breaks = "workloads that sign in through these federated credentials"
    needs = ("entra.federated_credential_id",)
    manual = "Entra admin center > App registrations > the app > Certificates & secrets > Federated credentials"

    def check(self, api: VendorClient, step: Step) -> State:
        application = application_of(api, step.account)
        listed = {
            str(item["id"]): {key: item[key] for key in _KEEP if key in item}
            for item in api.items("/applications/{}/federatedIdentityCredentials", ids=(application,))
        }
        named = step.all("entra.federated_credential_id")
        found: Dict[str, Any] = {key: body for key, body in listed.items() if key in named}
        present = list(listed.values())
        return State(not found, {"application": application, "credentials": found, "present": present})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = "/applications/{}/federatedIdentityCredentials/{}"
        application = str(before.data["application"])
        each(sorted(before.data["credentials"]), lambda key: api.call("DELETE", path, ids=(application, key)))

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        application = str(before.data["application"])
        listed = api.items("/applications/{}/federatedIdentityCredentials", ids=(application,))
        present = {str(item["name"]) for item in listed}
        path = "/applications/{}/federatedIdentityCredentials"
        missing = [body for body in before.data["credentials"].values() if body["name"] not in present]
        each(missing, lambda body: api.call("POST", path, ids=(application,), body=dict(body)))

    def restored(self, before: State, now: State) -> bool:
        # Put back it has a new id, so the alert's id no longer names it: it is looked for by what it trusts.
        return all(body in now.data["present"] for body in before.data["credentials"].values())

    def proof(self, now: State) -> str:
        return f"named credentials left: {', '.join(sorted(now.data['credentials'])) or 'none'}"


ACTION = RemoveFederatedCredential()
