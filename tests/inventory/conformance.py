"""The inventory's stores, each filled in the same way, for the tests that all of them must pass.

A store is a context manager that takes an inventory and gives the store that holds it. To add one, add it to STORES, with
the engine it needs as a mark.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import Iterator

import pytest

from responders.content.elastic.server import Server
from responders.elastic.cluster import Cluster
from responders.elastic.push import push
from responders.inventory.elasticsearch import ElasticInventory
from responders.inventory.resolve import Inventory, from_compiled
from responders.inventory.store import InventoryStore
from responders.settings import ElasticSettings
from responders.splunk.inventory import COLLECTION, KvInventory
from responders.splunk.inventory import push as push_to_splunk
from responders.splunk.splunkd import Splunkd as Client
from tests.splunkd import Deployment, Splunkd


@contextmanager
def memory(inventory: Inventory, request: pytest.FixtureRequest) -> Iterator[InventoryStore]:
    """From the compiled form."""
    yield from_compiled(inventory.to_json(), "inventory.json")


@contextmanager
def elasticsearch(inventory: Inventory, request: pytest.FixtureRequest) -> Iterator[InventoryStore]:
    """Pushed to a real one, under names of this test's own."""
    url = str(request.getfixturevalue("elasticsearch_url"))
    names = [f"tourniquet-{kind}-t{secrets.token_hex(6)}" for kind in ("accounts", "identities")]
    cluster = Cluster(ElasticSettings((url,)))
    with Server(url) as server:
        made = push(server, inventory, accounts=names[0], identities=names[1])
        try:
            yield ElasticInventory(cluster, names[1])
        finally:
            cluster.close()
            server.delete(made)


@contextmanager
def kvstore(inventory: Inventory, request: pytest.FixtureRequest) -> Iterator[InventoryStore]:
    """Uploaded into a simulated Splunk."""
    deployment = Deployment()
    deployment.collections[deployment.app, COLLECTION] = {}
    with Splunkd(deployment) as server:
        client = Client(server.uri, server.session("splunk-system-user"))
        try:
            push_to_splunk(client, inventory)
            yield KvInventory(client)
        finally:
            client.close()


STORES = [
    pytest.param(memory, id="memory"),
    pytest.param(kvstore, id="kvstore"),
    pytest.param(elasticsearch, id="elasticsearch", marks=pytest.mark.engine("elasticsearch")),
]
