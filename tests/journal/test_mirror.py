"""Every entry is told to the mirror at least once, whatever dies, and nobody waits for it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from responders.errors import JournalError, MirrorError
from responders.journal.chain import Entry, Journal
from responders.journal.mirror import Outbox, event_id
from responders.journal.sqlite import SqliteStore
from responders.journal.store import OneByOne

KEY = b"k" * 32
NOW = datetime(2026, 3, 1, 10, tzinfo=timezone.utc)


class Index:
    """The SIEM's index, as a set of ids; down, or hanging, if so told."""

    def __init__(self) -> None:
        self.ids: Set[str] = set()
        self.entries: List[Entry] = []
        self.down = False
        self.never = ""
        self.open = threading.Event()
        self.open.set()

    def tell(self, entries: Sequence[Entry]) -> None:
        self.open.wait(10)
        for entry in entries:
            if self.down:
                raise MirrorError("the index is read-only. Free its disk")
            if entry.chain == self.never:
                raise MirrorError("an entry is refused")
            self.ids.add(event_id(entry))
            self.entries.append(entry)


class Counting(OneByOne):
    """A store that counts what is read of it."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.read = store, 0

    def create(self, key: str, doc: Mapping[str, Any]) -> bool:
        return self.store.create(key, doc)

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Mapping[str, Any]]]:
        for item in self.store.scan(prefix, after):
            self.read += 1
            yield item


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    found = SqliteStore(str(tmp_path / "j.db"))
    yield found
    found.close()


class Clock:
    """A clock that a test sets; also one that only ever goes forward."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return (self.now - NOW).total_seconds()


def responder(
    store: Any, index: Index, at: datetime = NOW, *, clock: Optional[Clock] = None, most: int = 1000
) -> Tuple[Journal, Outbox]:
    """A process's journal and outbox."""
    journal = Journal(store, KEY, clock=clock or (lambda: at))
    outbox = Outbox(journal, index, most=most, **({"monotonic": clock.seconds} if clock else {}))
    journal.listener = outbox
    return journal, outbox


def test_every_entry_is_told_in_order(store: SqliteStore) -> None:
    """What was appended, also from several threads, is in the index once it is flushed, and nothing is left to catch up."""
    index = Index()
    journal, outbox = responder(store, index)
    threads = [
        threading.Thread(target=lambda c=chain: [journal.append(c, "thing", {"n": n}) for n in range(10)])  # type: ignore[misc]
        for chain in ("a", "b", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.flush(10)
    assert len(index.entries) == 40
    assert [entry.seq for entry in index.entries if entry.chain == "a"] == list(range(10))
    again, later = responder(store, Index(), NOW + timedelta(hours=3))
    assert later.catch_up() == ()
    assert again.verify() == []


def test_a_hanging_index_keeps_nobody_waiting(store: SqliteStore) -> None:
    """While the index answers nothing, entries are stored all the same; a flush ends in time and says so."""
    index = Index()
    index.open.clear()
    journal, outbox = responder(store, index)
    for number in range(5):
        journal.append("a", "thing", {"n": number})
    assert not outbox.flush(0.05)
    assert index.ids == set()
    assert len(list(journal.entries("a"))) == 5
    index.open.set()
    assert outbox.flush(10)
    assert len(index.ids) == 5


def test_what_a_dead_process_did_not_tell_is_told_later(store: SqliteStore) -> None:
    """Killed before it told anything, its entries are told by whoever runs what is due then, and only once by those."""
    dead = Index()
    dead.open.clear()
    journal, _ = responder(store, dead)
    for chain in ("a", "b"):
        for number in range(3):
            journal.append(chain, "thing", {"n": number})
    index = Index()
    _, soon = responder(store, index, NOW + timedelta(seconds=30))
    assert soon.catch_up() == ()  # it may yet be alive
    _, later = responder(store, index, NOW + timedelta(minutes=5))
    assert later.catch_up() == ("mirror: 6 entries told that had not been",)
    assert later.catch_up() == ()
    assert len(index.entries) == 6
    dead.open.set()


def test_an_index_that_is_down_is_said_and_caught_up_with(store: SqliteStore) -> None:
    """A refusal reaches no containment; catching up says why, and once the index takes entries again all are there."""
    index = Index()
    index.down = True
    journal, outbox = responder(store, index)
    for number in range(3):
        journal.append("a", "thing", {"n": number})
    assert outbox.flush(10)
    journal.append("a", "thing", {"n": 3})
    _, later = responder(store, index, NOW + timedelta(minutes=5))
    assert later.catch_up() == ("mirror: the index is read-only. Free its disk. It is told later",)
    index.down = False
    assert later.catch_up() == ("mirror: 4 entries told that had not been",)
    assert index.ids == {f"a/{number}" for number in range(4)}


def test_an_entry_that_is_never_taken_keeps_no_other_back(store: SqliteStore) -> None:
    """Attack: an alert made so that the index refuses its entry. Those of other chains are told; it is said, each time."""
    index = Index()
    index.open.clear()
    journal, _ = responder(store, index)
    for chain in ("a", "poison", "b"):
        journal.append(chain, "thing", {})
    index = Index()
    index.never = "poison"
    _, later = responder(store, index, NOW + timedelta(minutes=5))
    said = "mirror: an entry is refused. It is told later"
    assert later.catch_up() == ("mirror: 2 entries told that had not been", said)
    assert index.ids == {"a/0", "b/0"}
    assert later.catch_up() == (said,)


def test_what_found_no_room_is_caught_up_with(store: SqliteStore) -> None:
    """More entries than are held while the index hangs: memory stays bounded, and those left out are told later."""
    index = Index()
    index.open.clear()
    journal, outbox = responder(store, index, most=2)
    for number in range(6):
        journal.append("a", "thing", {"n": number})
    index.open.set()
    assert outbox.flush(10)
    assert len(index.ids) < 6
    _, later = responder(store, index, NOW + timedelta(minutes=5))
    later.catch_up()
    assert index.ids == {f"a/{number}" for number in range(6)}


def test_catching_up_is_cheap(store: SqliteStore) -> None:
    """A long history that was told is not read again: only the last hour's notes, and one mark."""
    index = Index()
    for hour in range(6):
        journal, outbox = responder(store, index, NOW + timedelta(hours=hour))
        journal.append(f"a-{hour}", "thing", {})
        assert outbox.flush(10)
        outbox.catch_up()
    counting = Counting(store)
    _, later = responder(counting, index, NOW + timedelta(hours=6))
    assert later.catch_up() == ()
    assert counting.read <= 8
    assert len(index.entries) == 6


def test_an_entry_that_could_not_be_stored_is_not_told(store: SqliteStore) -> None:
    """A store that fails raises as before, and the index hears of nothing that is not in the journal."""
    index = Index()
    journal, outbox = responder(store, index)
    journal.append("a", "thing", {})
    assert outbox.flush(10)
    store.close()
    with pytest.raises(JournalError):
        journal.append("a", "thing", {})
    assert outbox.flush(10)
    assert index.ids == {"a/0"}


@example(["die", "append a", "3", "catch up", "append a"])
@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(["append a", "append b", "down", "up", "die", "start", "catch up", "0.2", "3"]), max_size=25)
)
def test_nothing_is_ever_lost(tmp_path_factory: pytest.TempPathFactory, events: List[str]) -> None:
    """Whatever the order of entries, failures, deaths and catching up: in the end the index has every entry."""
    store = SqliteStore(str(tmp_path_factory.mktemp("m") / "j.db"))
    index, clock = Index(), Clock()
    journal, outbox = responder(store, index, clock=clock)
    stored = {"a": 0, "b": 0}
    held: List[Index] = []
    for event in events:
        if event.startswith("append"):
            journal.append(event[-1], "thing", {})
            stored[event[-1]] += 1
        elif event in ("down", "up"):
            index.down = event == "down"
        elif event == "die":  # what it had not told goes to an index that never answers
            silent = Index()
            silent.open.clear()
            held.append(silent)
            journal, outbox = responder(store, silent, clock=clock)
        elif event == "start":
            journal, outbox = responder(store, index, clock=clock)
        elif event == "catch up":
            responder(store, index, clock=clock)[1].catch_up()
        else:
            clock.now += timedelta(minutes=float(event))
    index.down = False
    clock.now += timedelta(minutes=3)
    responder(store, index, clock=clock)[1].catch_up()
    for silent in held:
        silent.open.set()
    outbox.flush(10)
    assert index.ids == {f"{chain}/{number}" for chain, count in stored.items() for number in range(count)}
    store.close()
