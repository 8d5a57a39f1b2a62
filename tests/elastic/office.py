"""A namespace of a test's own on the real Elasticsearch: the responder's stores, and a key with the shipped role."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Mapping, Optional, Type

from responders.containment.responder import Responder
from responders.content.elastic.mappings import LOOKUPS, mapping
from responders.content.elastic.server import Server
from responders.content.elastic.stores import journal_index, stream_template
from responders.drill.world import World
from responders.elastic.cluster import Cluster
from responders.elastic.push import push
from responders.elastic.telling import ElasticMirror, ElasticSignals
from responders.inventory.elasticsearch import ElasticInventory
from responders.inventory.resolve import Inventory
from responders.journal.chain import Journal
from responders.journal.elasticsearch import ElasticStore
from responders.journal.mirror import Outbox
from responders.settings import ElasticSettings, Secret
from tests.catalogue import CATALOGUE

ROLE: Mapping[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "elastic_rules" / "role.json").read_text("utf-8")
)


@dataclass
class Names:
    """Of one namespace."""

    space: str

    @property
    def journal(self) -> str:
        return f"tourniquet-journal-{self.space}"

    @property
    def identities(self) -> str:
        return f"tourniquet-identities-{self.space}"

    @property
    def accounts(self) -> str:
        return f"tourniquet-accounts-{self.space}"

    @property
    def watch(self) -> str:
        return f"tourniquet-watch-{self.space}"

    def stream(self, name: str) -> str:
        return f"logs-tourniquet.{name}-{self.space}"


class Office:
    """`with Office(url) as office:` `office.key` may do what role.json says, `office.server` everything."""

    def __init__(self, url: str, space: str = "") -> None:
        self.url = url
        self.names = Names(space or f"t{secrets.token_hex(6)}")
        self.server = Server(url)
        self.key = ""
        self._made: List[str] = []
        self._clusters: List[Cluster] = []

    def __enter__(self) -> Office:
        names = self.names
        for stream in ("logs-tourniquet.signals", "logs-tourniquet.journal"):
            template = {**stream_template(stream), "index_patterns": [f"{stream}-{names.space}"], "priority": 400}
            self.server.call("PUT", f"/_index_template/{stream}-{names.space}", template)
        self.create(names.journal, journal_index())
        lookup = {"settings": {"index.mode": "lookup"}, "mappings": mapping(LOOKUPS["tourniquet-watch"])}
        if not self.server.call("GET", f"/_resolve/index/{names.watch}", query={"ignore_unavailable": "true"})["aliases"]:
            self.create(f"{names.watch}-1", {**lookup, "aliases": {names.watch: {}}})
        asked = {"name": names.space, "role_descriptors": {"tourniquet_responder": ROLE}}
        self.key = self.server.call("POST", "/_security/api_key", asked)["encoded"]
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        for cluster in self._clusters:
            cluster.close()
        self.server.delete(self._made)
        self.server.__exit__(kind, error, trace)

    def create(self, name: str, body: Mapping[str, Any]) -> None:
        self.server.call("PUT", f"/{name}", body)
        self._made.append(name)

    def fill(self, inventory: Inventory) -> None:
        """Push this inventory."""
        self._made.extend(push(self.server, inventory, accounts=self.names.accounts, identities=self.names.identities))

    def cluster(self, *, patience: float = 10.0, url: str = "") -> Cluster:
        """A connection with the role's key."""
        found = Cluster(ElasticSettings((url or self.url,), Secret(self.key), "", self.names.space), patience=patience)
        self._clusters.append(found)
        return found

    def journal(self, key: bytes, cluster: Optional[Cluster] = None, **options: Any) -> Journal:
        """A journal with its mirror."""
        cluster = cluster or self.cluster()
        found = Journal(ElasticStore(cluster, self.names.journal), key, **options)
        found.listener = Outbox(found, ElasticMirror(cluster, found.clock, self.names.space))
        return found

    def responder(self, world: World, **options: Any) -> Responder:
        """A responder over this world with all its stores here, each used with the role's key."""
        cluster = self.cluster()
        journal = self.journal(world.key, cluster)
        found = world.responder(catalogue=CATALOGUE, journal=journal, **options)
        signals = ElasticSignals(cluster, journal.clock, self.names.space, self.names.watch)
        return replace(found, inventory=ElasticInventory(cluster, self.names.identities), signals=signals)

    def rows(self, stream: str, query: str = "") -> List[Dict[str, Any]]:
        """Rows of ES|QL over a data stream: `FROM …` and then `query`."""
        self.server.call("POST", f"/{self.names.stream(stream)}/_refresh")
        return self.server.esql(f"FROM {self.names.stream(stream)} METADATA _id\n{query}\n| LIMIT 1000", {"match_all": {}})
