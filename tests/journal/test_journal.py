"""The journal finds every edit, deletion, reordering, truncation, and a chain recomputed without the key."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.errors import JournalError, Tampered
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore

KEY = b"k" * 32


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    store = SqliteStore(str(tmp_path / "j.db"))
    found = Journal(store, KEY, anchor=str(tmp_path / "anchor"))
    for chain in ("a", "b"):
        for number in range(4):
            found.put(f"due/{chain}{number}", {"n": number})
            found.append(chain, "thing", {"n": number, "side": [f"due/{chain}{number}"]})
    yield found
    store.close()


def sql(journal: Journal, *statements: Tuple[str, Tuple[Any, ...]]) -> None:
    """What somebody with write access to the store could do."""
    assert isinstance(journal.store, SqliteStore)
    connection = sqlite3.connect(journal.store.path)
    for statement, values in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


def rewrite(journal: Journal, key: str, change: Callable[[dict[str, Any]], None]) -> None:
    assert isinstance(journal.store, SqliteStore)
    connection = sqlite3.connect(journal.store.path)
    doc = json.loads(connection.execute("SELECT doc FROM journal WHERE key=?", (key,)).fetchone()[0])
    change(doc)
    connection.execute("UPDATE journal SET doc=? WHERE key=?", (json.dumps(doc), key))
    connection.commit()
    connection.close()


def test_a_whole_journal_verifies(journal: Journal) -> None:
    """Nothing is found where nothing was touched."""
    assert journal.verify() == []


@pytest.mark.parametrize("field", ["kind", "at", "body", "seq", "chain", "prev", "mac"])
def test_every_edit_is_found(journal: Journal, field: str) -> None:
    """Any field of an entry, changed, is found by its key."""
    rewrite(journal, "e/a/00000001", lambda doc: doc.update({field: "x" if field != "seq" else 7}))
    assert any("e/a/00000001" in finding for finding in journal.verify())


def test_deletion_is_found(journal: Journal) -> None:
    """An entry taken out of the middle leaves a hole."""
    sql(journal, ("DELETE FROM journal WHERE key=?", ("e/a/00000001",)))
    assert any("deleted" in finding for finding in journal.verify())


def test_truncation_is_found(journal: Journal) -> None:
    """Entries cut off at the end are missed by the anchor; a whole chain cut off too."""
    sql(journal, ("DELETE FROM journal WHERE key=?", ("e/a/00000003",)))
    assert any("truncated" in finding for finding in journal.verify())
    sql(journal, ("DELETE FROM journal WHERE key LIKE ?", ("e/b/%",)))
    assert any("chain b" in finding and "truncated" in finding for finding in journal.verify())


def test_truncation_is_found_by_an_escalated_head(journal: Journal) -> None:
    """With the anchor file gone as well, the head that an escalation carried still tells."""
    head = journal.head("a")
    assert head is not None
    sql(journal, ("DELETE FROM journal WHERE key=?", ("e/a/00000003",)))
    bare = Journal(journal.store, KEY)
    assert bare.verify() == []
    assert any("truncated" in finding for finding in bare.verify({"a": (head.seq, head.mac)}))


def test_reordering_is_found(journal: Journal) -> None:
    """Two entries that swap places are found."""
    sql(
        journal,
        ("UPDATE journal SET key='x' WHERE key=?", ("e/a/00000001",)),
        ("UPDATE journal SET key=? WHERE key=?", ("e/a/00000001", "e/a/00000002")),
        ("UPDATE journal SET key=? WHERE key='x'", ("e/a/00000002",)),
    )
    assert any("moved" in finding for finding in journal.verify())


def test_a_chain_recomputed_without_the_key_is_found(journal: Journal, tmp_path: Path) -> None:
    """Somebody who rewrites a whole chain, MACs and all, with another key does not pass."""
    sql(journal, ("DELETE FROM journal WHERE key LIKE ?", ("e/a/%",)))
    forger = Journal(journal.store, b"f" * 32)
    for number in range(4):
        forger.append("a", "thing", {"n": number + 100})
    assert Journal(journal.store, KEY, anchor=str(tmp_path / "anchor")).verify()


def test_a_side_document_deleted_or_edited_is_found(journal: Journal) -> None:
    """A due entry that somebody removes, so that a recheck never runs, is missed by the entry that wrote it."""
    sql(journal, ("DELETE FROM journal WHERE key=?", ("due/a2",)))
    rewrite(journal, "due/b1", lambda doc: doc.update({"n": 99}))
    findings = journal.verify()
    assert any("due/a2" in finding and "deleted" in finding for finding in findings)
    assert any("due/b1" in finding and "edited" in finding for finding in findings)


def test_an_edited_entry_is_never_read_as_truth(journal: Journal) -> None:
    """Reading a tampered chain raises; nothing acts on it."""
    rewrite(journal, "e/a/00000001", lambda doc: doc["body"].update({"n": 7}))
    with pytest.raises(Tampered):
        list(journal.entries("a"))


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Four writers on one chain, each with a connection of its own: every entry is there, and in one order."""
    stores: List[SqliteStore] = []

    def write() -> None:
        store = SqliteStore(str(tmp_path / "j.db"))
        stores.append(store)
        journal = Journal(store, KEY)
        for number in range(10):
            journal.append("a", "thing", {"n": number})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = Journal(stores[0], KEY)
    assert len(list(journal.entries("a"))) == 40
    assert journal.verify() == []
    for store in stores:
        store.close()


class Late(SqliteStore):
    """A store that shows other responders' entries late: only after some looks, as a search index does."""

    looks = 0

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Any]]:
        if self.looks > 0:
            self.looks -= 1
            return iter(())
        return super().scan(prefix, after)


def test_a_place_that_is_taken_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that can't be read yet is waited for, longer each time; when it never comes, that is said."""
    waits: List[float] = []
    monkeypatch.setattr("responders.journal.chain.time.sleep", waits.append)
    other = SqliteStore(str(tmp_path / "j.db"))
    Journal(other, KEY).append("a", "theirs", {})
    late = Late(str(tmp_path / "j.db"))
    late.looks = 5
    assert Journal(late, KEY).append("a", "ours", {}).seq == 1
    assert len(waits) == 4 and waits[-1] > waits[0]
    late.looks = 1000
    with pytest.raises(JournalError, match="is taken, and can't be read"):
        Journal(late, KEY).append("a", "ours", {})
    assert sum(waits) < 30
    late.close()
    other.close()


def test_create_is_once(tmp_path: Path) -> None:
    """The second create of a key stores nothing and says so."""
    store = SqliteStore(str(tmp_path / "j.db"))
    assert store.create("k", {"a": 1})
    assert not store.create("k", {"a": 2})
    assert list(store.scan("k")) == [("k", {"a": 1})]
    store.close()


@given(st.lists(st.text("abc/", min_size=1, max_size=6), unique=True, max_size=20), st.text("abc/", max_size=3), st.data())
def test_scan_is_ordered_and_exact(
    tmp_path_factory: pytest.TempPathFactory, keys: List[str], prefix: str, data: Any
) -> None:
    """Scan gives the keys with the prefix, greater than `after`, in order: no more and no fewer."""
    store = SqliteStore(str(tmp_path_factory.mktemp("s") / "j.db"))
    for key in keys:
        store.create(key, {})
    after = data.draw(st.sampled_from(["", *keys]))
    expected = sorted(key for key in keys if key.startswith(prefix) and (key > after or after == ""))
    assert [key for key, _ in store.scan(prefix, after)] == expected
    store.close()


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    """The journal's file can't be read by others, and a folder that can't be written is said."""
    store = SqliteStore(str(tmp_path / "j.db"))
    assert (tmp_path / "j.db").stat().st_mode & 0o077 == 0
    store.close()
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalError, match="folder"):
        SqliteStore(str(tmp_path / "file" / "j.db"))


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    """A key that could be guessed is no key."""
    store = SqliteStore(str(tmp_path / "j.db"))
    with pytest.raises(JournalError, match="16 bytes"):
        Journal(store, b"short")
    store.close()


def copy_of(journal: Journal, to: Path) -> Path:
    """The database file as somebody could have kept it."""
    assert isinstance(journal.store, SqliteStore)
    source, target = sqlite3.connect(journal.store.path), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()
    return to


def test_an_older_file_put_back_is_found_even_after_work_went_on(journal: Journal, tmp_path: Path) -> None:
    """Attack: an old copy of the database replaces the new one, and the responder writes on, past where it was.

    The chain is whole again and longer than before; the anchor remembers what stood there, and so does an escalation.
    """
    old = copy_of(journal, tmp_path / "old.db")
    journal.append("a", "what the attacker wants forgotten", {})
    head = journal.head("a")
    assert head is not None
    folder = tmp_path / "again"
    folder.mkdir()
    shutil.copy(old, folder / "j.db")
    shutil.copy(tmp_path / "anchor", folder / "anchor")
    store = SqliteStore(str(folder / "j.db"))
    again = Journal(store, KEY, anchor=str(folder / "anchor"))
    for number in range(3):
        again.append("a", "thing", {"n": number})
    assert any("entry 4 of chain a" in finding and "replaced" in finding for finding in again.verify())
    assert any("replaced" in finding for finding in Journal(store, KEY).verify({"a": (head.seq, head.mac)}))
    store.close()


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"', "{not json", ""])
@pytest.mark.parametrize("key", ["e/a/00000001", "due/a1"])
def test_a_document_that_is_no_object_is_an_edit_like_any_other(journal: Journal, key: str, text: str) -> None:
    """Whatever stands in its place, verify names the entry and goes on to find the next edit."""
    sql(journal, ("UPDATE journal SET doc=? WHERE key=?", (text, key)))
    rewrite(journal, "due/b3", lambda doc: doc.update({"n": 99}))
    findings = journal.verify()
    assert any(key in finding for finding in findings)
    assert any("due/b3" in finding for finding in findings)


def test_an_anchor_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A full disk, a missing folder: an error of the journal that names the file, never a crash."""
    store = SqliteStore(str(tmp_path / "j.db"))
    for anchor in ("/dev/full", str(tmp_path / "no" / "anchor")):
        with pytest.raises(JournalError, match="anchor"):
            Journal(store, KEY, anchor=anchor).append("a", "thing", {})
    store.close()


def test_a_full_disk_is_said_and_what_was_written_stays_whole(journal: Journal) -> None:
    """An entry that finds no room raises and leaves no half entry; with room again the chain goes on."""
    assert isinstance(journal.store, SqliteStore)
    connection = journal.store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="full"):
        journal.append("a", "thing", {"text": "x" * 100_000})
    assert journal.verify() == []
    connection.execute("PRAGMA max_page_count = 100000")
    journal.append("a", "thing", {"text": "x" * 100_000})
    assert journal.verify() == []


def test_a_damaged_database_is_said(tmp_path: Path) -> None:
    """A file that is no database, and one with a hole in the middle: an error that names the file and what to do."""
    (tmp_path / "no.db").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    with pytest.raises(JournalError, match=r"no\.db.*damaged.*backup"):
        SqliteStore(str(tmp_path / "no.db"))
    store = SqliteStore(str(tmp_path / "j.db"))
    whole = Journal(store, KEY)
    for number in range(200):
        whole.append("a", "thing", {"n": number, "text": "x" * 500})
    store.close()
    data = bytearray((tmp_path / "j.db").read_bytes())
    data[8192:-4096] = b"\xff" * (len(data) - 12288)
    (tmp_path / "j.db").write_bytes(bytes(data))
    with pytest.raises(JournalError, match=r"j\.db.*damaged.*backup"):
        Journal(SqliteStore(str(tmp_path / "j.db")), KEY).verify()


_WRITER = """
import sys
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
journal = Journal(SqliteStore(sys.argv[1]), b"k" * 32, anchor=sys.argv[2])
for number in range(40):
    journal.append("a", "thing", {"n": number})
"""


def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    """Two processes on one chain: 80 entries in one order, all of them anchored."""
    arguments = [sys.executable, "-c", _WRITER, str(tmp_path / "j.db"), str(tmp_path / "anchor")]
    running = [subprocess.Popen(arguments) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    store = SqliteStore(str(tmp_path / "j.db"))
    journal = Journal(store, KEY, anchor=str(tmp_path / "anchor"))
    assert len(list(journal.entries("a"))) == 80
    assert journal.verify() == []
    store.close()


class Held(SqliteStore):
    """A store whose first write of an entry waits for a test, and that may then be full."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.asked, self.go, self.full = threading.Event(), threading.Event(), False

    def create(self, key: str, doc: Any) -> bool:
        self.asked.set()
        assert self.go.wait(10)
        if self.full:
            raise JournalError("journal: database or disk is full")
        return super().create(key, doc)


@pytest.mark.parametrize("full", [False, True])
def test_what_threads_want_appended_meanwhile_is_one_entry(tmp_path: Path, full: bool) -> None:
    """While one entry is stored, what others want of its chain and kind is gathered into one; each hears how it went."""
    store = Held(str(tmp_path / "j.db"))
    journal = Journal(store, KEY)
    said: List[str] = []

    def want(name: str) -> None:
        try:
            journal.append_joined("c", "outcome", {"outcomes": [name], "before": {name: 1}})
            said.append(f"{name} stored")
        except JournalError:
            said.append(f"{name} not stored")

    threads = [threading.Thread(target=want, args=(name,)) for name in "abcd"]
    threads[0].start()
    assert store.asked.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(journal._joints["c", "outcome"].waiting) < 3:
        threads[0].join(0.001)
    store.full = full
    store.go.set()
    for thread in threads:
        thread.join(10)
    assert sorted(said) == [f"{name} {'not stored' if full else 'stored'}" for name in "abcd"]
    bodies = [entry.body for entry in journal.entries("c")]
    if full:
        assert bodies == []
    else:
        assert bodies[0] == {"outcomes": ["a"], "before": {"a": 1}}
        assert len(bodies) == 2
        assert sorted(bodies[1]["outcomes"]) == ["b", "c", "d"]
        assert set(bodies[1]["before"]) == {"b", "c", "d"}
    assert journal.verify() == []
    assert journal._joints == {}
    store.close()


def test_an_entry_and_what_it_vouches_for_are_written_together(journal: Journal) -> None:
    """The documents are named in the entry and there before it; without one of them `verify` complains."""
    entry = journal.append("a", "thing", {"side": ["due/a0"]}, [("due/new", {"n": 1}), ("due/newer", {"n": 2})])
    assert entry.body["side"] == ["due/a0", "due/new", "due/newer"]
    assert [doc for _, doc in journal.side("due/new")] == [{"n": 1}, {"n": 2}]
    assert journal.verify() == []
    sql(journal, ("DELETE FROM journal WHERE key=?", ("due/newer",)))
    assert any("due/newer" in finding for finding in journal.verify())


def test_another_writer_is_met_without_looking_first(tmp_path: Path) -> None:
    """A journal that remembers an older end of a chain appends after what others wrote since; also to one it saw empty."""
    stores = [SqliteStore(str(tmp_path / "j.db")) for _ in range(2)]
    one, other = (Journal(store, KEY) for store in stores)
    assert one.head("c") is None
    other.append("c", "thing", {"n": 0})
    assert one.append("c", "thing", {"n": 1}, [("due/x", {})]).seq == 1
    other.append("c", "thing", {"n": 2})
    other.append("c", "thing", {"n": 3})
    assert one.append("c", "thing", {"n": 4}).seq == 4
    assert [entry.body["n"] for entry in other.entries("c")] == [0, 1, 2, 3, 4]
    assert other.verify() == []
    for store in stores:
        store.close()
