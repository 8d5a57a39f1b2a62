"""Every store of the journal keeps the same promises, whatever is underneath."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, Iterator, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.journal.chain import Journal
from responders.journal.newest import document, newest
from responders.journal.store import JournalStore
from tests.journal.conformance import STORES, Opener

_numbers = itertools.count()


@pytest.fixture(scope="module", params=STORES)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opener]:
    """Opens one more handle on the store."""
    with request.param(tmp_path_factory.mktemp("store"), request) as opener:
        yield opener


@pytest.fixture
def place() -> str:
    """A prefix of this test's own: the store is shared, for some start slowly."""
    return f"t{next(_numbers)}/"


def test_create_is_once_among_threads_of_two_responders(opened: Opener, place: str) -> None:
    """Of all who want a key exactly one gets it, and what he wrote stays."""
    handles = [opened(), opened()]
    wanted = [(number, who) for number in range(20) for who in range(4)]

    def create(what: tuple[int, int]) -> bool:
        number, who = what
        return handles[who % 2].create(f"{place}{number:04d}", {"who": who})

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, wanted))
    assert sum(made) == 20
    winners = {f"{place}{number:04d}": who for (number, who), won in zip(wanted, made) if won}
    for handle in handles:
        assert {key: doc["who"] for key, doc in handle.scan(place)} == winners


def test_what_is_there_is_never_changed(opened: Opener, place: str) -> None:
    """Another document under the same key is refused and leaves no trace, from whichever responder."""
    one, other = opened(), opened()
    assert one.create(f"{place}a", {"n": 1}) is True
    assert one.create(f"{place}a", {"n": 1}) is False
    assert other.create(f"{place}a", {"n": 2, "more": True}) is False
    assert list(other.scan(place)) == [(f"{place}a", {"n": 1})]


HOSTILE = [
    "$where", "a b", 'q"uote', "it's", "per%cent", "back\\slash", "{}", "[x]", "..", "../up", "?q=1&x", "#f", "<b>", "UPPER",
    "upper", "~", "!", "0", "00", "-1", "a/b/c", "a", "a.", "a0", "_id", "*", "%2F", "a+b", "a\\u0000",
]  # fmt: skip


def test_hostile_keys_are_only_keys_in_order_of_code_points(opened: Opener, place: str) -> None:
    """Whatever printable ASCII stands in a key, it is stored and found as it is."""
    store = opened()
    for key in HOSTILE:
        assert store.create(place + key, {"key": key}), key
    assert [(key, doc["key"]) for key, doc in opened().scan(place)] == [(place + key, key) for key in sorted(HOSTILE)]


def test_a_prefix_is_exact(opened: Opener, place: str) -> None:
    """Only keys that begin with it, after the one that is named."""
    store = opened()
    for key in ("a", "a.", "a/", "a/1", "a/2", "a0", "b"):
        store.create(place + key, {})

    def found(prefix: str, after: str = "") -> List[str]:
        return [key[len(place) :] for key, _ in store.scan(place + prefix, place + after if after else "")]

    assert found("a/") == ["a/", "a/1", "a/2"]
    assert found("a/", "a/") == ["a/1", "a/2"]
    assert found("a/", "a/1") == ["a/2"]
    assert found("a/", "a") == ["a/", "a/1", "a/2"]
    assert found("a/", "a/2") == []
    assert found("a/", "b") == []
    assert found("c") == []


NUMBERED = (
    [f"{number:08d}" for number in range(150)],
    [f"{number:06d}{ending}" for number in range(1, 90) for ending in (("", ".released") if number % 2 else ("",))],
    [f"{number:06d}" for number in range(30)],
)


@pytest.mark.parametrize(("kind", "names"), [("e", NUMBERED[0]), ("claim", NUMBERED[1]), ("use", NUMBERED[2])])
def test_numbered_keys_are_seen_by_all_as_soon_as_they_are_stored(
    opened: Opener, place: str, kind: str, names: List[str]
) -> None:
    """Entries of a chain, claims and places in the blast radius: whoever looks right after a create sees it."""
    one, other = opened(), opened()
    prefix = f"{kind}/{place}"
    for number, name in enumerate(names):
        assert one.create(prefix + name, {"n": number})
        if number % 10 == 9:
            assert [key for key, _ in other.scan(prefix)] == [prefix + each for each in names[: number + 1]]
            assert list(other.scan(prefix, prefix + names[number - 1])) == [(prefix + name, {"n": number})]
            assert list(other.scan(prefix, prefix + name)) == []
    assert [key for key, _ in other.scan(prefix)] == [prefix + name for name in names]


def test_any_key_is_seen_by_all_as_soon_as_it_is_stored(opened: Opener, place: str) -> None:
    """Due work, open containments, alerts to be added up: no responder looks at an older state."""
    one, other = opened(), opened()
    for number in range(20):
        assert one.create(f"{place}{number:02d}", {"n": number})
        assert [doc["n"] for _, doc in other.scan(place)] == list(range(number + 1))


def test_a_chain_that_is_read_while_it_grows_has_no_hole(opened: Opener, place: str) -> None:
    """Who reads while others append sees a beginning of the chain: a hole would be taken for a deleted entry."""
    prefix, ended = f"e/{place}", threading.Event()
    writer, readers = opened(), [opened(), opened()]

    def write() -> None:
        for number in range(120):
            writer.create(f"{prefix}{number:08d}", {})
        ended.set()

    def read(store: JournalStore) -> List[List[int]]:
        seen: List[List[int]] = []
        while not ended.is_set():
            after = f"{prefix}{max(len(seen[-1]) - 3, 0):08d}" if seen and seen[-1] else ""
            found = [int(key[len(prefix) :]) for key, _ in store.scan(prefix, after)]
            start = int(after[len(prefix) :]) + 1 if after else 0
            seen.append(list(range(start)) + found)
        return seen

    with ThreadPoolExecutor(3) as pool:
        reading = [pool.submit(read, store) for store in readers]
        pool.submit(write)
        for job in reading:
            assert all(numbers == list(range(len(numbers))) for numbers in job.result())


def test_what_is_stored_together_is_there_in_its_order(opened: Opener, place: str) -> None:
    """Who sees the last of several documents finds all before it; each says for itself whether it was new."""
    one, other = opened(), opened()
    keys = [f"{place}due", f"{place}open", f"e/{place}00000000"]
    ended = threading.Event()

    def watch() -> List[str]:
        while not ended.is_set():
            if list(other.scan(f"e/{place}")):
                return [key for key, _ in other.scan(place)]
        return []

    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(watch)
        assert one.create_all([(key, {"key": key}) for key in keys]) == (True, True, True)
        assert seen.result(10) == keys[:2]
        ended.set()
    assert other.create_all([(keys[1], {}), (f"{place}more", {"n": 1}), (keys[2], {})]) == (False, True, False)
    docs = {**{key: {"key": key} for key in keys[:2]}, f"{place}more": {"n": 1}}
    assert list(one.scan(place)) == sorted(docs.items())
    assert list(one.scan(f"e/{place}")) == [(keys[2], {"key": keys[2]})]
    assert one.create_all([]) == ()


def test_of_two_who_store_and_look_one_sees_the_other(opened: Opener, place: str) -> None:
    """Two alerts on one identity at the same moment: at least one of their responders adds them up."""
    handles = [opened(), opened()]

    def look(what: tuple[int, int]) -> tuple[int, int, List[str]]:
        number, who = what
        here = f"{place}{number}/"
        found = handles[who].create_and_scan(f"{here}{who}", {"who": who}, here)
        assert (f"{here}{who}", {"who": who}) in found
        return number, who, [key for key, _ in found]

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(look, itertools.product(range(20), range(2))))
    for number in range(20):
        assert max(len(keys) for which, _, keys in seen if which == number) == 2
    again = handles[1].create_and_scan(f"{place}0/0", {"who": "another"}, f"{place}0/", f"{place}0/")
    assert [doc["who"] for _, doc in again] == [0, 1]


def test_several_scans_at_once_are_each_what_it_would_be_alone(opened: Opener, place: str) -> None:
    """Entries after a place, claims and places in the blast radius, many of them, long and empty ones."""
    one, other = opened(), opened()
    ranges = []
    for number in range(30):
        prefix = f"e/{place.strip('/')}-{number}/"
        one.create_all([(f"{prefix}{n:08d}", {"n": n}) for n in range((number % 5) * 17)])
        ranges.append((prefix, f"{prefix}{number:08d}" if number % 2 else ""))
    for name, digits in ((f"claim/{place}", "000001"), (f"use/{place}", "000000")):
        one.create(name + digits, {"name": name})
        ranges.append((name, ""))
    found = other.scan_all(ranges)
    assert list(found) == [list(other.scan(prefix, after)) for prefix, after in ranges]
    assert sum(map(len, found)) > 300
    assert other.scan_all([]) == ()


DOCUMENTS: List[Any] = [
    {},
    {"text": "", "none": None, "yes": True, "no": False, "zero": 0, "minus": -1.5, "big": 2**53, "tiny": 1e-9},
    {"ä": "ö€😀", "line": "a\nb\r\0c", "half": "\ud800", "escaped": "\\u0041"},
    {"$set": 1, "a.b": {"$ne": ""}, "_key": "x", "_user": "y"},
    {"deep": [[[{"x": [1, "2", None]}]]]},
    {"number as text": "0012", "time": "2026-01-01T00:00:00Z", "bool": "true"},
]


def test_documents_come_back_as_they_were(opened: Opener, place: str) -> None:
    """All that JSON can say: any script, controls, half a surrogate pair, names that a database has for itself."""
    store = opened()
    for number, doc in enumerate(DOCUMENTS):
        assert store.create(f"{place}{number}", doc)
    assert [doc for _, doc in opened().scan(place)] == DOCUMENTS


def test_a_big_document_is_whole(opened: Opener, place: str) -> None:
    """A raw alert may have megabytes."""
    doc = {"raw": "€x" * 500_000, "rows": list(range(50_000))}
    assert opened().create(f"{place}big", doc)
    assert list(opened().scan(place)) == [(f"{place}big", doc)]


def test_more_than_a_page_comes_in_order(opened: Opener, place: str) -> None:
    """1,203 documents: none twice, none left out, from any place on."""
    keys = [f"{place}{number * 7919 % 1203:05d}" for number in range(1203)]
    store = opened()
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda key: store.create(key, {"k": key}), keys))
    again = opened()
    assert [key for key, _ in again.scan(place)] == sorted(keys)
    assert [key for key, _ in again.scan(place, f"{place}00600")] == sorted(keys)[601:]


def test_two_responders_at_once_keep_one_chain(opened: Opener, place: str) -> None:
    """Two journals with the same key append to one chain: it verifies, and nothing is lost."""
    journals = [Journal(opened(), b"k" * 32), Journal(opened(), b"k" * 32)]
    chain = place.strip("/")
    failed: List[BaseException] = []

    def work(who: int) -> None:
        try:
            for number in range(10):
                journals[who].append(chain, "thing", {"who": who, "n": number})
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    entries = list(Journal(opened(), b"k" * 32).entries(chain))
    assert [entry.seq for entry in entries] == list(range(20))
    for who in (0, 1):
        assert [entry.body["n"] for entry in entries if entry.body["who"] == who] == list(range(10))
    assert [line for line in journals[0].verify() if chain in line] == []


@settings(max_examples=15)
@given(keys=st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12), unique=True, max_size=12),
       prefix=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=2),
       after=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=4))  # fmt: skip
def test_any_keys_prefix_and_start(opened: Opener, keys: List[str], prefix: str, after: str) -> None:
    """A scan is what sorting and filtering all keys would give."""
    here = f"h{next(_numbers)}/"
    store = opened()
    for key in keys:
        assert store.create(here + key, {"key": key})
    expected = sorted(here + key for key in keys if key.startswith(prefix) and here + key > here + after)
    assert [key for key, _ in store.scan(here + prefix, here + after)] == expected


def test_the_newest_of_many_is_found(opened: Opener) -> None:
    """By whoever looks, over more than a page of older ones; what another key wrote counts for nothing."""
    clock = datetime(2026, 11, 26, tzinfo=timezone.utc)
    one, other = (Journal(opened(), b"k" * 32, clock=lambda: clock) for _ in range(2))
    thief = Journal(opened(), b"t" * 32)
    prefix = f"new{next(_numbers)}/"
    assert newest(other, prefix) is None
    one.put_all([document(prefix, clock - timedelta(hours=hour), {"hour": hour}) for hour in range(600)])
    thief.put(*document(prefix, clock + timedelta(minutes=1), {"hour": -1}))
    one.put(*document(prefix, clock + timedelta(days=300), {"hour": -2}))
    assert newest(other, prefix) == {"hour": 0}
