"""Disable a service principal: no new token for it in this tenant."""

from __future__ import annotations

from datetime import timedelta

from responders.actions.action import Action, outcome
from responders.actions.entra._read import thing
from responders.actions.entra._visible import flag
from responders.model import Outcome, Phase, State, Status, Step, Tier
from responders.vendors.client import VendorClient

_RESIDUAL = timedelta(minutes=90)


class DisableServicePrincipal(Action):
    """PATCH /servicePrincipals/{id} {accountEnabled: false}; undone by true.

    Access tokens already issued live on for up to 90 minutes; continuous access evaluation for workloads covers
    Microsoft Graph only. Source: Microsoft Graph, "Update servicePrincipal"; Microsoft Entra, "Continuous access
    evaluation for workload identities".
    """

    vendor = "entra"
    kinds = ("service_principal",)
    phase = Phase.BLOCK
    least_tier = Tier.REVOKE
    permissions = ("Application.ReadWrite.All",)
    breaks = "everything that signs in as this application in the tenant"
    manual = "Entra admin center > Enterprise applications > the app > Properties > Enabled for users to sign-in: No"

    def check(self, api: VendorClient, step: Step) -> State:
        found = thing(api, "/servicePrincipals/{}", step.account.id, select="id,accountEnabled")
        enabled = flag(found, "accountEnabled")
        return State(not enabled, {"accountEnabled": enabled})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("PATCH", "/servicePrincipals/{}", ids=(step.account.id,), body={"accountEnabled": False})

    def confirm(self, api: VendorClient, step: Step, before: State) -> Outcome:
        now = self.check(api, step)
        if not now.contained:
            return outcome(api, step, Status.FAILED, f"read back and not disabled: {self.proof(now)}")
        return outcome(api, step, Status.CONFIRMED, self.proof(now), api.now() + _RESIDUAL)

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        api.call("PATCH", "/servicePrincipals/{}", ids=(step.account.id,), body={"accountEnabled": True})


ACTION = DisableServicePrincipal()
