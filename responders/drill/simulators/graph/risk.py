"""Identity Protection: confirmed and dismissed risk. It needs a P2 licence."""

from __future__ import annotations

from typing import Callable

from responders.drill.simulators.graph.tenant import GraphTenant
from responders.drill.simulators.server import Answer, Request


class Risk(GraphTenant):
    """`p2` is whether the tenant is licensed."""

    p2 = True

    def routes_of_risk(self) -> None:
        for kind, name in (
            ("riskyUsers", "IdentityRiskyUser"),
            ("riskyServicePrincipals", "IdentityRiskyServicePrincipal"),
        ):
            needed, path = (f"{name}.ReadWrite.All",), f"/identityProtection/{kind}"
            self.guarded("GET", f"{path}/{{id}}", needed, self._get_risk)
            self.guarded("POST", f"{path}/confirmCompromised", needed, self._risk("confirmedCompromised"))
            self.guarded("POST", f"{path}/dismiss", needed, self._risk("dismissed"))

    def _get_risk(self, request: Request) -> Answer:
        if not self.p2:
            raise self.refuse(403, "Your tenant is not licensed for this feature.", "Forbidden")
        if request.ids[0] not in self.state["risk"]:
            raise self.refuse(404, "Unable to find the risky object")
        return Answer(200, {"id": request.ids[0], "riskState": self.state["risk"][request.ids[0]]})

    def _risk(self, to: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            if not self.p2:
                raise self.refuse(403, "Your tenant is not licensed for this feature.", "Forbidden")
            body = request.body if isinstance(request.body, dict) else {}
            listed = body.get("userIds") or body.get("servicePrincipalIds")
            if not isinstance(listed, list) or not listed:
                raise self.refuse(400, "The list of ids is missing")
            self.state["risk"].update(dict.fromkeys(listed, to))
            return Answer(204)

        return change
