"""A small company at simulated vendors, each with a credential that may read and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Mapping, Optional, Tuple, Type

from responders.drill.simulators.cyberark import CyberArkSimulator
from responders.drill.simulators.graph import TENANT, GraphSimulator
from responders.drill.simulators.okta import OktaSimulator
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.run import How, Read
from responders.inventory.sync.vendors import read_all
from responders.settings import Connection, Secret

GRAPH_READ = (
    "User.Read.All", "Application.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All", "Directory.Read.All",
)  # fmt: skip


class Company:
    """`okta`, `graph` and `cyberark` are the simulators; the reading never sleeps, it only counts what it would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.okta, self.graph, self.cyberark = OktaSimulator(), GraphSimulator(), CyberArkSimulator()
        self.slept = 0.0
        self.clock = 0.0
        self.state = folder / "observed.db"

    def __enter__(self) -> Company:
        for sim in (self.okta, self.graph, self.cyberark):
            sim.start()
        reader = self.okta.add_user("sync@corp.example")
        self.okta.add_role(reader, "SUPER_ADMIN")
        token = self.okta.add_api_token(reader, "sync")
        self.app = self.graph.add_app("tourniquet-sync", secret="s3cret", roles=GRAPH_READ)
        client = self.graph.state["service_principals"][self.app]["appId"]
        self.cyberark.add_user("sync", password="pw", rights=("AuditUsers", "ListAccounts", "ViewSafeMembers"))
        self.connections: Dict[str, Connection] = {
            "okta": _connection("okta", "corp", self.okta.url, {"api_token": token}),
            "entra": _connection("entra", TENANT, self.graph.url, {"client_secret": "s3cret"},
                                 {"client_id": client, "login": self.graph.login}),
            "cyberark": _connection("cyberark", "pam", self.cyberark.url, {"password": "pw"}, {"username": "sync"}),
        }  # fmt: skip
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        for sim in (self.okta, self.graph, self.cyberark):
            sim.stop()

    def read(self, *vendors: str, **how: Any) -> Dict[str, Read]:
        """Read these vendors (all when none is named)."""
        import time

        def sleep(seconds: float) -> None:
            self.slept += seconds
            self.clock += seconds

        wanted = [self.connections[name] for name in vendors or self.connections]
        given = How(now=lambda: time.time() + self.clock, sleep=sleep, **how)
        return {read.place.partition(":")[0]: read for read in read_all(wanted, self.state, given)}

    def place(self, vendor: str) -> str:
        return f"{vendor}:{self.connections[vendor].tenant}"

    def rows(self, place: str, listing: str) -> Dict[str, Tuple[Mapping[str, Any], Optional[float]]]:
        with RawStore(self.state) as store:
            return {row.id: (row.body, gone) for row, gone in store.rows(place, listing)}


def _connection(vendor: str, tenant: str, url: str, secrets: Mapping[str, str], plain: Mapping[str, Any] = {}) -> Connection:
    kept = {name: Secret(value) for name, value in secrets.items()}
    return Connection(vendor, tenant, url, kept, dict(plain), allow_loopback_http=True)
