"""The journal in a KV store that is late, starting, read-only, gone or edited; two search heads that see it differently."""

from __future__ import annotations

import json
import threading
from typing import Any, Iterator, List

import pytest

from responders.containment import due
from responders.errors import JournalError, Tampered
from responders.journal.chain import Journal
from responders.journal.kvstore import COLLECTION, KvStore
from responders.splunk.splunkd import Splunkd as Client
from tests.splunkd import Deployment, Splunkd

KEY = b"k" * 32


class Heads:
    """Search heads of one cluster, the first with the KV store's captain; what is opened is closed."""

    def __init__(self, lag: float = 0.0) -> None:
        self.deployment = Deployment()
        self.deployment.collections[self.deployment.app, COLLECTION] = {}
        self.splunkds = [Splunkd(self.deployment), Splunkd(self.deployment, lag=lag)]
        self._clients: List[Client] = []

    def store(self, head: int = 0, *, user: str = "splunk-system-user", patience: float = 2.0) -> KvStore:
        splunkd = self.splunkds[head]
        self._clients.append(Client(splunkd.uri, splunkd.session(user)))
        return KvStore(self._clients[-1], patience=patience)

    def close(self) -> None:
        for opened in (*self._clients, *self.splunkds):
            opened.close()


@pytest.fixture
def heads() -> Iterator[Heads]:
    found = Heads()
    yield found
    found.close()


@pytest.fixture
def late() -> Iterator[Heads]:
    """The second search head sees what was written 0.3 s later."""
    found = Heads(lag=0.3)
    yield found
    found.close()


def later(heads: Heads, seconds: float, state: str) -> threading.Timer:
    timer = threading.Timer(seconds, setattr, (heads.deployment, "kvstore", state))
    timer.start()
    return timer


def test_a_kv_store_that_is_starting_is_waited_for(heads: Heads) -> None:
    """Writes and reads are tried again until it is ready."""
    heads.deployment.kvstore = "starting"
    timer = later(heads, 0.3, "ready")
    store = heads.store(patience=10.0)
    assert store.create("a", {"n": 1}) is True
    assert list(store.scan("")) == [("a", {"n": 1})]
    timer.join()
    assert any(request.status == 503 for request in heads.splunkds[0].requests)


@pytest.mark.parametrize(
    ("state", "said"),
    [("starting", "is initializing"), ("failed", "initialization failed"), ("readonly", "read-only")],
)
def test_one_that_stays_away_is_said_with_what_to_do(heads: Heads, state: str, said: str) -> None:
    """The sentence names the collection, what splunkd said, that nothing was stored for certain, and where to look."""
    heads.deployment.kvstore = state
    with pytest.raises(JournalError) as caught:
        heads.store(patience=0.1).create("a", {})
    assert "tourniquet/tourniquet_journal" in str(caught.value)
    assert said in str(caught.value)
    assert "splunk show kvstore-status" in str(caught.value)
    assert heads.deployment.rows(COLLECTION) == []


def test_who_has_no_session_or_no_collection_hears_it_at_once(heads: Heads) -> None:
    """An expired session and a collection that is not there do not get better by waiting."""
    store = heads.store()
    heads.deployment.sessions.clear()
    with pytest.raises(JournalError, match="session key is not valid any more"):
        list(store.scan("a"))
    heads.deployment.collections.clear()
    with pytest.raises(JournalError, match="Restart Splunk, so that it makes the collections"):
        heads.store().create("a", {})
    assert len(heads.splunkds[0].requests) == 2


def test_no_splunkd_is_said(heads: Heads) -> None:
    """Its address and what to look at."""
    client = Client("http://127.0.0.1:1", "x" * 20)
    with pytest.raises(JournalError, match=r"127\.0\.0\.1:1 does not answer.*Look whether splunkd is up"):
        KvStore(client, patience=0.1).create("a", {})


def test_a_busy_answer_after_the_document_was_stored_makes_no_second_owner(heads: Heads) -> None:
    """The first try was stored and its answer lost: the second one finds its own document, and the key is ours."""
    heads.splunkds[0].lose_next.append("tourniquet_journal")
    assert heads.store().create("claim/x", {"who": "me"}) is True
    heads.splunkds[0].lose_next.append("tourniquet_journal")
    assert heads.store().create("claim/x", {"who": "you"}) is False
    assert json.loads(heads.deployment.rows(COLLECTION)[0]["doc"]) == {"who": "me"}


def test_what_one_wrote_oneself_is_seen_at_once(late: Heads) -> None:
    """On a search head that is behind, the own writes are there, in order with the others'."""
    captain, member = late.store(0), late.store(1)
    captain.create("a/1", {"by": "captain"})
    member.create("a/2", {"by": "member"})
    member.create("a/0", {"by": "member"})
    assert [key for key, _ in member.scan("a/")][:2] == ["a/0", "a/2"]
    assert [key for key, _ in captain.scan("a/")] == ["a/0", "a/1", "a/2"]
    assert [key for key, _ in member.scan("a/", "a/0")] == ["a/2"]


def test_two_search_heads_append_to_one_chain(late: Heads) -> None:
    """One of them sees the other's entries late: neither loses an entry, and the chain verifies."""
    journals = [Journal(late.store(head), KEY) for head in (0, 1)]
    failed: List[BaseException] = []

    def work(who: int) -> None:
        try:
            for number in range(5):
                journals[who].append("c", "thing", {"who": who, "n": number})
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    again = Journal(late.store(0), KEY)
    assert sorted((entry.body["who"], entry.body["n"]) for entry in again.entries("c")) == [
        (who, number) for who in (0, 1) for number in range(5)
    ]
    assert again.verify() == []


def test_one_claim_at_a_time_among_search_heads(late: Heads) -> None:
    """Twenty claims on one name from both heads, at once: never are two alive."""
    journals = [Journal(late.store(head), KEY) for head in (0, 1)]
    alive: List[int] = [0]
    most: List[int] = [0]
    taken: List[str] = []
    lock = threading.Lock()

    def work(who: int) -> None:
        for _ in range(10):
            key = due.claim(journals[who % 2], "x", 60.0)
            if key is None:
                continue
            with lock:
                alive[0] += 1
                most[0] = max(most[0], alive[0])
                taken.append(key)
            with lock:
                alive[0] -= 1
            due.release(journals[who % 2], key)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert taken
    assert len(set(taken)) == len(taken)


def edit(heads: Heads, key: str, **change: Any) -> None:
    """What somebody with the right to write the collection could do."""
    row = next(row for row in heads.deployment.rows(COLLECTION) if row["_key"] == key)
    heads.deployment.put(COLLECTION, {"_key": key, "doc": json.dumps({**json.loads(row["doc"]), **change})})


def test_an_edit_in_the_collection_is_found(heads: Heads) -> None:
    """Also by the process that wrote the entry, which remembers what it wrote: what is stored counts."""
    journal = Journal(heads.store(), KEY)
    for number in range(3):
        journal.append("c", "thing", {"n": number})
    edit(heads, "e/c/00000001", body={"n": 7})
    assert any("e/c/00000001 was edited" in line for line in journal.verify())
    heads.deployment.put(COLLECTION, {"_key": "e/c/00000001", "doc": "no JSON"})
    with pytest.raises(Tampered):
        list(Journal(heads.store(), KEY).entries("c"))
    heads.deployment.put(COLLECTION, {"_key": "e/c/00000001", "doc": {"an": "object"}})
    assert any("e/c/00000001 was edited" in line for line in Journal(heads.store(), KEY).verify())
    heads.deployment.remove(COLLECTION, "e/c/00000001")
    assert any("lacks entries 1 to 1" in line for line in Journal(heads.store(), KEY).verify())


def test_documents_of_another_owner_are_none_of_ours(heads: Heads) -> None:
    """A user's own namespace has keys of its own: nobody takes a claim by writing there."""
    client = Client(heads.splunkds[0].uri, heads.splunkds[0].session("admin"))
    heads.deployment.put(COLLECTION, {"_key": "claim/x", "doc": "{}"}, owner="admin")
    assert KvStore(client).create("claim/x", {"n": 1}) is True
    assert [key for key, _ in KvStore(client).scan("claim/")] == ["claim/x"]
    client.close()


@pytest.mark.parametrize("key", ["", "ä", "a\nb", "\x7f"])
def test_a_key_that_is_none_is_refused(heads: Heads, key: str) -> None:
    """Only printable ASCII is ordered alike by every store."""
    with pytest.raises(JournalError, match="is no key"):
        heads.store().create(key, {})


def test_a_document_that_is_too_big_is_refused_before_it_is_sent(heads: Heads) -> None:
    """MongoDB takes 16 MB."""
    with pytest.raises(JournalError, match="12582912 at most"):
        heads.store().create("a", {"x": "y" * 13_000_000})
    assert heads.splunkds[0].requests == []
