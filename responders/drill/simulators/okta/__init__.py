"""A simulated Okta org.

Behaviour follows Okta's API reference ("User Lifecycle", "User Sessions", "Rate limits"); error bodies are Okta's form.
"""

from __future__ import annotations

from responders.drill.simulators.okta.directory import Directory
from responders.drill.simulators.okta.groups import Groups
from responders.drill.simulators.okta.holdings import Holdings
from responders.drill.simulators.okta.log import Log
from responders.drill.simulators.okta.oauth import Oauth
from responders.drill.simulators.okta.users import Users


class OktaSimulator(Users, Oauth, Groups, Holdings, Directory, Log):
    """Stateful Okta. `add_*` seed it; the attacker's endpoints say whether a credential works now."""

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.routes_of_users()
        self.routes_of_sessions()
        self.routes_of_oauth()
        self.routes_of_groups()
        self.routes_of_holdings()
        self.routes_of_apps()
        self.routes_of_log()
        self.routes_of_directory()


__all__ = ["OktaSimulator"]
