"""The journal in a real Elasticsearch: what is lost on the way, what is too long, and what is said when it can't be used."""

from __future__ import annotations

import socket
import threading
from typing import Any, Iterator

import pytest

from responders import pipeline
from responders.content.elastic.server import Server
from responders.content.elastic.stores import journal_index
from responders.drill.world import World
from responders.elastic.cluster import Cluster
from responders.errors import JournalError
from responders.journal.chain import Journal
from responders.journal.elasticsearch import ElasticStore
from responders.settings import ElasticSettings, Secret
from tests.catalogue import CATALOGUE
from tests.journal.conformance import elastic_journal
from tests.journal.way import Way
from tests.support import raw_alert

pytestmark = pytest.mark.engine("elasticsearch")
KEY = b"k" * 32


@pytest.fixture(scope="module")
def index(elasticsearch_url: str) -> Iterator[str]:
    """A journal's index."""
    with elastic_journal(elasticsearch_url) as name:
        yield name


@pytest.fixture
def way(elasticsearch_url: str) -> Iterator[Way]:
    """A way to the server that can be broken."""
    with Way(elasticsearch_url) as found:
        yield found


def store(url: str, index: str, *, patience: float = 10.0, key: str = "") -> ElasticStore:
    return ElasticStore(Cluster(ElasticSettings((url,), Secret(key) if key else None), patience=patience), index)


def test_an_answer_that_was_lost_is_no_second_owner(way: Way, index: str) -> None:
    """A create whose answer is lost is sent again, and is still ours; to anybody else the key is taken."""
    mine = store(way.url, index)
    way.drop = 2
    assert mine.create("claim/lost/000001", {"who": "me"}) is True
    assert way.seen == [f"PUT /{index}/_bulk"] * 3 + [f"POST /{index}/_mget"]
    assert store(way.url, index).create("claim/lost/000001", {"who": "me"}) is False
    way.drop = 1
    assert store(way.url, index).create("claim/lost/000001", {"who": "me"}) is False


def test_a_restart_is_waited_for(way: Way, index: str) -> None:
    """Connections that break for a while hold back neither an entry nor a read, and nothing is there twice."""
    journal = Journal(store(way.url, index), KEY)
    for number in range(4):
        way.refuse = 3
        journal.append("a-restart", "thing", {"n": number})
    way.refuse = 3
    assert [entry.body["n"] for entry in Journal(store(way.url, index), KEY).entries("a-restart")] == [0, 1, 2, 3]


def test_nobody_there_is_said_in_time() -> None:
    """No server: an error that names the address and what to do, within the patience."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(JournalError, match=rf"{url}.*no connection.*Check that it runs.*Nothing may be stored under k"):
            store(url, "tourniquet-journal-x", patience=0.5).create("k", {})
        with pytest.raises(JournalError, match="Nothing could be read"):
            list(store(url, "tourniquet-journal-x", patience=0.5).scan("k"))


def test_a_server_that_hangs_is_said_in_time(way: Way, index: str) -> None:
    """No answer: given up, and the message says that the entry may be there after all."""
    way.hang.clear()
    with pytest.raises(JournalError, match=r"no answer in time.*may be stored"):
        store(way.url, index, patience=0.6).create("hang", {})
    way.hang.set()


def test_a_red_index_is_said(elasticsearch_url: str) -> None:
    """An index whose only shard no node may hold: neither written nor read, and never taken for empty."""
    name = "tourniquet-journal-t-red"
    body = journal_index()
    body["settings"]["routing.allocation.require._name"] = "nowhere"
    with Server(elasticsearch_url) as server:
        server.delete([name])
        server.call("PUT", f"/{name}", body, query={"wait_for_active_shards": "0"})
        try:
            red = store(elasticsearch_url, name, patience=0.6)
            with pytest.raises(JournalError, match="tourniquet-journal-t-red"):
                red.create("e/a/00000000", {})
            for prefix in ("e/a/", "due/"):
                with pytest.raises(JournalError, match="Nothing could be read"):
                    list(red.scan(prefix))
        finally:
            server.delete([name])


def test_a_full_disk_is_said(elasticsearch_url: str) -> None:
    """The block that Elasticsearch puts on indices of a full disk: said with its remedy; reading goes on."""
    with elastic_journal(elasticsearch_url) as name, Server(elasticsearch_url) as server:
        found = store(elasticsearch_url, name, patience=0.5)
        assert found.create("e/a/00000000", {"n": 1})
        server.call("PUT", f"/{name}/_settings", {"index.blocks.read_only_allow_delete": True})
        with pytest.raises(JournalError, match=r"cluster_block_exception.*[Ff]ree its disk"):
            found.create("e/a/00000001", {})
        assert [doc for _, doc in found.scan("e/a/")] == [{"n": 1}]
        server.call("PUT", f"/{name}/_settings", {"index.blocks.read_only_allow_delete": None})
        assert found.create("e/a/00000001", {})


def test_a_wrong_key_is_said_and_never_shown(elasticsearch_url: str, index: str) -> None:
    """An API key that is not one: said at once, without the key."""
    wrong = "d3Jvbmc6bm90LWEta2V5LWF0LWFsbA=="
    with pytest.raises(JournalError, match=r"401.*Make a new API key") as caught:
        store(elasticsearch_url, index, key=wrong).create("k", {})
    assert wrong not in f"{caught.value}{caught.value.__cause__!r}"


def test_an_index_of_another_kind_is_refused(elasticsearch_url: str) -> None:
    """An index with another mapping takes no entry: it would not find it again."""
    with Server(elasticsearch_url) as server:
        name = "tourniquet-other-t-mapping"
        server.delete([name])
        server.call("PUT", f"/{name}", {"mappings": {"dynamic": "strict", "properties": {"key": {"type": "keyword"}}}})
        try:
            with pytest.raises(JournalError, match="strict_dynamic_mapping_exception"):
                store(elasticsearch_url, name).create("k", {})
        finally:
            server.delete([name])


def test_keys_longer_than_an_id_are_kept_apart(elasticsearch_url: str, index: str) -> None:
    """Beyond 512 bytes, two keys that differ at their ends are two, each found by its whole name."""
    found = store(elasticsearch_url, index)
    keys = [f"long/{'x' * 700}/{ending}" for ending in ("a", "b")]
    assert [found.create(key, {"key": key}) for key in keys] == [True, True]
    assert found.create(keys[0], {}) is False
    assert [key for key, _ in found.scan("long/")] == keys
    assert [key for key, _ in found.scan(f"long/{'x' * 700}/b")] == keys[1:]


def test_a_hole_in_a_chain_is_seen(elasticsearch_url: str, index: str) -> None:
    """An entry that somebody deleted in the middle is no end of its chain: reading says so."""
    journal = Journal(store(elasticsearch_url, index), KEY)
    for number in range(20):
        journal.append("a-hole", "thing", {"n": number})
    with Server(elasticsearch_url) as server:
        server.call("DELETE", f"/{index}/_doc/e%2Fa-hole%2F00000011")
    with pytest.raises(JournalError, match="does not follow entry 10"):
        list(Journal(store(elasticsearch_url, index), KEY).entries("a-hole"))
    assert any("a-hole" in line for line in journal.verify())


def test_waiting_threads_share_a_refresh(way: Way, index: str) -> None:
    """Many that look at once cost few refreshes, and each sees what was stored before it looked."""
    shared = store(way.url, index)
    seen: list[Any] = []

    def look(number: int) -> None:
        shared.create(f"look/{number:02d}", {})
        seen.append(any(key == f"look/{number:02d}" for key, _ in shared.scan("look/")))

    threads = [threading.Thread(target=look, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 16
    assert sum("_refresh" in path for path in way.seen) < 16


def test_a_containment_asks_elasticsearch_few_times(way: Way, index: str, world: World) -> None:
    """What belongs together is one request: over a network each call is time that the attacker has."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    journal = Journal(store(way.url, index), KEY)
    report = pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE, journal=journal))
    assert report.contained_at is not None
    assert len(way.seen) <= 36, way.seen
