"""Remove authentication methods a user registered since the compromise. Approval only."""

from __future__ import annotations

from typing import Dict

from responders.actions.action import Action, each
from responders.actions.entra._read import newer
from responders.model import Phase, State, Step, Tier
from responders.vendors.client import VendorClient

_PATHS = {
    "#microsoft.graph.fido2AuthenticationMethod": "fido2Methods",
    "#microsoft.graph.microsoftAuthenticatorAuthenticationMethod": "microsoftAuthenticatorMethods",
    "#microsoft.graph.phoneAuthenticationMethod": "phoneMethods",
    "#microsoft.graph.emailAuthenticationMethod": "emailMethods",
    "#microsoft.graph.softwareOathAuthenticationMethod": "softwareOathMethods",
    "#microsoft.graph.temporaryAccessPassAuthenticationMethod": "temporaryAccessPassMethods",
    "#microsoft.graph.windowsHelloForBusinessAuthenticationMethod": "windowsHelloForBusinessMethods",
}


class RemoveAuthMethod(Action):
    """DELETE /users/{id}/authentication/{kind}Methods/{m}: methods and Temporary Access Passes alike.

    Methods that carry no creation time are left alone and named. Source: Microsoft Graph, "authenticationMethod".
    """

    vendor = "entra"
    kinds = ("user",)
    phase = Phase.ROTATE
    least_tier = Tier.REVOKE
    permissions = ("UserAuthenticationMethod.ReadWrite.All",)
    breaks = "methods registered since the compromise; older ones stay"
    irreversible = "a method's secret is gone; its owner registers it again"
    hands_over = True
    manual = "Entra admin center > Users > the user > Authentication methods > delete those registered since"

    def check(self, api: VendorClient, step: Step) -> State:
        listed = api.items("/users/{}/authentication/methods", ids=(step.account.id,))
        new = newer(listed, "createdDateTime", step.get("since"))
        methods: Dict[str, str] = {
            str(item["id"]): _PATHS[str(item["@odata.type"])] for item in new if item.get("@odata.type") in _PATHS
        }
        return State(not methods, {"methods": methods})

    def apply(self, api: VendorClient, step: Step, before: State) -> None:
        user = step.account.id
        each(
            sorted(before.data["methods"].items()),
            lambda item: api.call("DELETE", f"/users/{{}}/authentication/{item[1]}/{{}}", ids=(user, item[0])),
        )


ACTION = RemoveAuthMethod()
