"""The inventory in a real Elasticsearch: two reads, whole contents or none, and errors that say what to do."""

from __future__ import annotations

import secrets
from typing import Iterator, List

import pytest

from responders.content.elastic.server import Server
from responders.content.elastic.stores import identities_index
from responders.elastic.cluster import Cluster
from responders.elastic.push import push
from responders.errors import BadInput, InventoryError
from responders.inventory.elasticsearch import ElasticInventory
from responders.inventory.resolve import Inventory, resolve
from responders.model import Account, Identity
from responders.settings import ElasticSettings
from tests.journal.way import Way

pytestmark = pytest.mark.engine("elasticsearch")


def company(size: int, tenant: str = "default") -> Inventory:
    accounts = [Account("okta", tenant, "user", f"00u{number}") for number in range(size)]
    people = [Identity(f"p{n}", "human", None, "normal", "production", False, (a,), ()) for n, a in enumerate(accounts)]
    return Inventory(people, {f"okta:{tenant}:p{number}@corp.example": f"p{number}" for number in range(size)})


@pytest.fixture
def names(elasticsearch_url: str) -> Iterator[List[str]]:
    """Aliases of this test's own: accounts and identities."""
    found = [f"tourniquet-{kind}-t{secrets.token_hex(6)}" for kind in ("accounts", "identities")]
    yield found
    with Server(elasticsearch_url) as server:
        for alias in found:
            held = server.call("GET", f"/_resolve/index/{alias}*")["indices"]
            server.delete([index["name"] for index in held])


def test_two_reads_whatever_the_size(elasticsearch_url: str, names: List[str]) -> None:
    """Of 3,000 identities one is found by a search and a read by id, and one more read in five seconds."""
    with Server(elasticsearch_url) as server:
        push(server, company(3000), accounts=names[0], identities=names[1])
    with Way(elasticsearch_url) as way:
        store = ElasticInventory(Cluster(ElasticSettings((way.url,))), names[1])
        found = resolve(store, [Account("okta", "default", "user", "00u2024")]).identity
        assert found is not None and found.id == "p2024"
        assert (store.population, store.restorers, store.break_glass) == (3000, frozenset(), frozenset())
        assert len(way.seen) == 3
        resolve(store, [Account("okta", "default", "user", "p7@corp.example")])
        assert len(way.seen) == 5
        crowd = resolve(store, [Account("okta", "default", "user", f"00u{number}") for number in range(1500)])
        assert crowd.identity is None and "accounts of several identities" in crowd.why


def test_a_new_content_takes_the_place_of_the_old_at_once(elasticsearch_url: str, names: List[str]) -> None:
    """Both aliases lead to the new content alone, the old indices are gone, and who left is a stranger."""
    cluster = Cluster(ElasticSettings((elasticsearch_url,)))
    with Server(elasticsearch_url) as server:
        first = push(server, company(5, "old"), accounts=names[0], identities=names[1])
        second = push(server, company(3, "new"), accounts=names[0], identities=names[1])
        for alias, index in zip(names, second):
            assert server.call("GET", f"/_resolve/index/{alias}")["aliases"] == [{"name": alias, "indices": [index]}]
        assert (
            server.call("GET", f"/_resolve/index/{','.join(first)}", query={"ignore_unavailable": "true"})["indices"] == []
        )
        assert server.call("GET", f"/{names[0]}/_count")["count"] == 6
    store = ElasticInventory(cluster, names[1])
    assert store.population == 3
    left = resolve(store, [Account("okta", "old", "user", "00u1")]).identity
    assert left is not None and left.unmapped
    cluster.close()


def test_a_push_that_fails_leaves_what_was_there(elasticsearch_url: str, names: List[str]) -> None:
    """A document that Elasticsearch refuses stops the push before the aliases move."""
    with Server(elasticsearch_url) as server:
        push(server, company(2), accounts=names[0], identities=names[1])
        broken = Inventory([*company(4).identities, Identity("x", "human", None, "normal", "production", False,
                            (Account("okta", "default", "user", "y" * 40_000),), ())])  # fmt: skip
        with pytest.raises(BadInput):
            push(server, broken, accounts=names[0], identities=names[1])
    assert ElasticInventory(Cluster(ElasticSettings((elasticsearch_url,))), names[1]).population == 2


def test_an_empty_or_absent_inventory_is_no_inventory(elasticsearch_url: str, names: List[str]) -> None:
    """Nobody is a stranger because nothing was pushed yet: it is said, with the command that fills it."""
    store = ElasticInventory(Cluster(ElasticSettings((elasticsearch_url,))), names[1])
    who = [Account("okta", "default", "user", "00u1")]
    with pytest.raises(InventoryError, match=r"404.*tourniquet elastic import"):
        resolve(store, who)
    with Server(elasticsearch_url) as server:
        server.call("PUT", f"/{names[1]}-1", {**identities_index(), "aliases": {names[1]: {}}})
    with pytest.raises(InventoryError, match=r"nothing was pushed.*tourniquet elastic inventory"):
        resolve(store, who)


def test_it_goes_on_after_a_restart_and_is_said_when_it_does_not_come_back(elasticsearch_url: str, names: List[str]) -> None:
    """Broken connections are tried again; without an answer in time the error names the inventory."""
    with Server(elasticsearch_url) as server:
        push(server, company(2), accounts=names[0], identities=names[1])
    with Way(elasticsearch_url) as way:
        way.refuse = 3
        store = ElasticInventory(Cluster(ElasticSettings((way.url,))), names[1])
        assert store.identity("p1") is not None
        way.hang.clear()
        slow = ElasticInventory(Cluster(ElasticSettings((way.url,)), patience=0.5), names[1])
        with pytest.raises(InventoryError, match=f"{names[1]}.*no answer in time"):
            slow.names(["okta:default:00u1"])
        way.hang.set()
