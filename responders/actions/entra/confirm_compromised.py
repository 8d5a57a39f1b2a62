"""Tell ID Protection that a user or service principal is compromised: the customer's risk policies act on it."""

from __future__ import annotations

from responders.actions.action import Action
from responders.actions.entra._read import thing
from responders.errors import NotFound
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient

_LISTS = {
    "user": ("riskyUsers", "userIds"),
    "service_principal": ("riskyServicePrincipals", "servicePrincipalIds"),
}


class ConfirmCompromised(Action):
    """POST /identityProtection/risky…/confirmCompromised; undone by dismiss.

    Needs Entra ID P2, or Workload ID for service principals. An account without any risk has no entry (404), and
    comes back dismissed. Source: Microsoft Graph, "riskyUser: confirmCompromised".
    """

    vendor = "entra"
    kinds = ("user", "service_principal")
    phase = Phase.BLOCK
    least_tier = Tier.RESTRICT
    permissions = ("IdentityRiskyUser.ReadWrite.All", "IdentityRiskyServicePrincipal.ReadWrite.All")
    breaks = "whatever the customer's risk-based Conditional Access does at high risk"
    manual = "Entra admin center > Protection > Risky users > the user > Confirm user(s) compromised"

    def check(self, api: VendorClient, step: Step) -> State:
        place, _ = _LISTS[step.account.kind]
        try:
            state = str(thing(api, f"/identityProtection/{place}/{{}}", step.account.id).get("riskState", "none"))
        except NotFound:
            state = "none"
        return State(state == "confirmedCompromised", {"riskState": state})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        place, field = _LISTS[step.account.kind]
        api.call("POST", f"/identityProtection/{place}/confirmCompromised", body={field: [step.account.id]})

    def undo(self, api: VendorClient, step: Step, before: State) -> None:
        place, field = _LISTS[step.account.kind]
        api.call("POST", f"/identityProtection/{place}/dismiss", body={field: [step.account.id]})

    def restored(self, before: State, now: State) -> bool:
        return now.data["riskState"] in ("none", "dismissed", before.data["riskState"])


ACTION = ConfirmCompromised()
