"""The journal's stores, each opened in the same way, for the tests that all of them must pass.

A store is a context manager that gives an opener; each call of the opener is one more responder on the same store. To add
one, add it to STORES, with the engine it needs as a mark.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Callable, Iterator

import pytest

from responders.content.elastic.server import Server
from responders.content.elastic.stores import journal_index
from responders.elastic.cluster import Cluster
from responders.journal.elasticsearch import ElasticStore
from responders.journal.kvstore import COLLECTION, KvStore
from responders.journal.sqlite import SqliteStore
from responders.journal.store import JournalStore
from responders.settings import ElasticSettings
from responders.splunk.splunkd import Splunkd as Client
from tests.splunkd import Deployment, Splunkd

Opener = Callable[[], JournalStore]


@contextmanager
def sqlite(folder: Path, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Handles on one file."""
    with ExitStack() as stack:

        def opened() -> JournalStore:
            store = SqliteStore(str(folder / "journal.db"))
            stack.callback(store.close)
            return store

        yield opened


@contextmanager
def kvstore(folder: Path, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Two search heads of one cluster, in turn."""
    deployment = Deployment()
    deployment.collections[deployment.app, COLLECTION] = {}
    with Splunkd(deployment) as one, Splunkd(deployment) as other, ExitStack() as stack:
        heads = [one, other]

        def opened() -> JournalStore:
            heads.reverse()
            client = Client(heads[0].uri, heads[0].session("splunk-system-user"))
            stack.callback(client.close)
            return KvStore(client, patience=2.0)

        yield opened


@contextmanager
def elastic_journal(url: str) -> Iterator[str]:
    """An index of this test's own; its name."""
    name = f"tourniquet-journal-t{secrets.token_hex(6)}"
    with Server(url) as server:
        server.call("PUT", f"/{name}", journal_index())
        try:
            yield name
        finally:
            server.delete([name])


@contextmanager
def elasticsearch(folder: Path, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Clients of one real Elasticsearch."""
    url = str(request.getfixturevalue("elasticsearch_url"))
    with elastic_journal(url) as index, ExitStack() as stack:

        def opened() -> JournalStore:
            cluster = Cluster(ElasticSettings((url,)))
            stack.callback(cluster.close)
            return ElasticStore(cluster, index)

        yield opened


STORES = [
    pytest.param(sqlite, id="sqlite"),
    pytest.param(kvstore, id="kvstore"),
    pytest.param(elasticsearch, id="elasticsearch", marks=pytest.mark.engine("elasticsearch")),
]
