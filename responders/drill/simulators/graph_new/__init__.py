"""A simulated Entra tenant behind Microsoft Graph v1.0, its token endpoint, and the resources an attacker uses."""

from responders.drill.simulators.graph.core import GLOBAL_ADMINISTRATOR, TENANT
from responders.drill.simulators.graph.simulator import GraphSimulator

__all__ = ["GLOBAL_ADMINISTRATOR", "TENANT", "GraphSimulator"]
