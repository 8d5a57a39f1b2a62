"""Remove the leaked client secrets of an application or service principal, by key id."""

from __future__ import annotations

from responders.actions.action import Action, each
from responders.actions.entra._read import PLACES, thing
from responders.actions.entra._visible import credentials
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RemovePassword(Action):
    """POST /applications/{id}/removePassword or /servicePrincipals/{id}/removePassword {keyId}.

    Source: Microsoft Graph, "application: removePassword".
    """

    vendor = "entra"
    kinds = ("application", "service_principal")
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("Application.ReadWrite.All",)
    breaks = "whatever signs in with these secrets; the other credentials stay"
    irreversible = "Graph shows a secret only once: a removed one can't be put back; add a new one"
    needs = ("entra.key_id",)
    manual = "Entra admin center > App registrations > the app > Certificates & secrets > delete the secret"

    def check(self, api: VendorClient, step: Step) -> State:
        found = thing(api, f"/{PLACES[step.account.kind]}/{{}}", step.account.id, select="id,passwordCredentials")
        present = {str(item["keyId"]) for item in credentials(found, "passwordCredentials")}
        named = sorted(present & set(step.all("entra.key_id")))
        return State(not named, {"key_ids": named})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = f"/{PLACES[step.account.kind]}/{{}}/removePassword"
        each(before.data["key_ids"], lambda key: api.call("POST", path, ids=(step.account.id,), body={"keyId": key}))


ACTION = RemovePassword()
