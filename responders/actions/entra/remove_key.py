"""Remove the leaked certificates of an application or service principal, by key id."""

from __future__ import annotations

from typing import Set

from responders.actions.action import Action
from responders.actions.entra._read import PLACES, thing
from responders.actions.entra._visible import credentials
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient


class RemoveKey(Action):
    """PATCH keyCredentials without the leaked ones.

    removeKey wants a proof signed with an existing key of the application, which the responder must not hold, so the
    list is written without it. Source: Microsoft Graph, "application: removeKey", "Update application".
    """

    vendor = "entra"
    kinds = ("application", "service_principal")
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("Application.ReadWrite.All",)
    breaks = "whatever signs in with these certificates; the other credentials stay"
    irreversible = "the certificate is trusted no more; add it again by hand if it was not leaked"
    needs = ("entra.key_id",)
    manual = "Entra admin center > App registrations > the app > Certificates & secrets > delete the certificate"

    def check(self, api: VendorClient, step: Step) -> State:
        named = sorted(self._present(api, step) & set(step.all("entra.key_id")))
        return State(not named, {"key_ids": named})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        path = f"/{PLACES[step.account.kind]}/{{}}"
        found = thing(api, path, step.account.id, select="id,keyCredentials")
        keep = [item for item in credentials(found, "keyCredentials") if item["keyId"] not in before.data["key_ids"]]
        api.call("PATCH", path, ids=(step.account.id,), body={"keyCredentials": keep})

    @staticmethod
    def _present(api: VendorClient, step: Step) -> Set[str]:
        path = f"/{PLACES[step.account.kind]}/{{}}"
        found = thing(api, path, step.account.id, select="id,keyCredentials")
        return {str(item["keyId"]) for item in credentials(found, "keyCredentials")}


ACTION = RemoveKey()
