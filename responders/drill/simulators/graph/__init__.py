"""A simulated Entra tenant behind Microsoft Graph v1.0 and its token endpoint.

Behaviour follows Microsoft Graph's reference and "Continuous access evaluation"; ids are made here. Permissions are
checked for each endpoint as application roles of the calling app.
"""

from __future__ import annotations

from responders.drill.simulators.graph.audit import Audit
from responders.drill.simulators.graph.batch import Batch
from responders.drill.simulators.graph.login import Login
from responders.drill.simulators.graph.risk import Risk
from responders.drill.simulators.graph.roles import GLOBAL_ADMINISTRATOR, Roles
from responders.drill.simulators.graph.tenant import TENANT
from responders.drill.simulators.graph.users import Users


class GraphSimulator(Batch, Login, Users, Roles, Risk, Audit):
    """Stateful Graph. `add_*` seed it; `sign_in`-like endpoints say whether the attacker's credential works now."""

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.routes_of_login()
        self.routes_of_batch()
        self.routes_of_delta()  # before `/users/{id}`, which its paths would match
        self.routes_of_users()
        self.routes_of_applications()
        self.routes_of_roles()
        self.routes_of_risk()
        self.routes_of_audit()


__all__ = ["GLOBAL_ADMINISTRATOR", "TENANT", "GraphSimulator"]
