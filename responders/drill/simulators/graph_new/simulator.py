"""The whole simulated tenant: every part of Graph, the token endpoint and the attacker's side in one server."""

from __future__ import annotations

from responders.drill.simulators.graph.applications import Applications
from responders.drill.simulators.graph.batch import Batch
from responders.drill.simulators.graph.consents import Consents
from responders.drill.simulators.graph.devices import Devices
from responders.drill.simulators.graph.groups import Groups
from responders.drill.simulators.graph.login import Login
from responders.drill.simulators.graph.methods import Methods
from responders.drill.simulators.graph.protection import Protection
from responders.drill.simulators.graph.resources import Resources
from responders.drill.simulators.graph.roles import Roles
from responders.drill.simulators.graph.seed import GraphSeeds
from responders.drill.simulators.graph.users import Users
from responders.drill.simulators.server import Answer, Request


class GraphSimulator(GraphSeeds):
    """Stateful Graph. `add_*` seed it; the token endpoint, `/me` and `/EnrollmentServer` are the attacker's."""

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        for part in (Users, Devices, Methods, Groups, Protection, Applications, Consents, Roles, Batch, Resources):
            part(self)
        self._login = Login(self)

    def serve(self, request: Request) -> Answer:
        if self._login.owns(request.path):
            with self.lock:
                return self._login.answer(request)
        return super().serve(request)
