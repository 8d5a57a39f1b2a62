"""The blast radius holds however many responders judge at once: places are create-if-absent."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, List

from responders import pipeline
from responders.alerts.row import with_request
from responders.containment.facts import places_taken, take_place
from responders.drill.world import Person, World
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.journal.store import OneByOne
from responders.model import Account, Tier, Use
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

KEY = b"k" * 32

_TAKER = """
import sys
from responders.containment.facts import places_taken, take_place
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.model import Tier, Use
journal = Journal(SqliteStore(sys.argv[1]), b"k" * 32)
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    now = journal.clock()
    counted = places_taken(journal, now)
    if len(counted) < 40:
        take_place(journal, Use(f"{sys.argv[2]}-{number}", Tier.REVOKE, "d", now, False, False), counted)
"""


def test_two_processes_never_take_more_places_than_they_counted(tmp_path: Path) -> None:
    """Both count, and take a place only while fewer than forty are taken: forty are taken, not one more."""
    command = [sys.executable, "-c", _TAKER, str(tmp_path / "j.db")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running: List[Any] = [subprocess.Popen([*command, name], **pipes) for name in "ab"]  # type: ignore[call-overload]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
    store = SqliteStore(str(tmp_path / "j.db"))
    journal = Journal(store, KEY)
    assert len(places_taken(journal, journal.clock())) == 40
    store.close()


def test_a_place_taken_in_between_is_seen(tmp_path: Path) -> None:
    """Two have counted the same; one takes the place right before the other's call at the store: one of them gets it."""
    store = SqliteStore(str(tmp_path / "j.db"))
    other = Journal(SqliteStore(str(tmp_path / "j.db")), KEY)
    taken: List[Any] = []

    def use(name: str) -> Use:
        return Use(name, Tier.REVOKE, "d", other.clock(), False, False)

    class Racing(OneByOne):
        """The store, with somebody else at work right before."""

        def create(self, key: str, doc: Any) -> bool:
            taken.append(take_place(other, use("other"), ()))
            return store.create(key, doc)

    assert take_place(Journal(Racing(), KEY), use("one"), ()) is None
    assert taken == [key for key, _ in places_taken(other, other.clock())]
    store.close()
    other.store.close()  # type: ignore[attr-defined]


def _suspended(world: World, people: List[Person]) -> int:
    return sum(world.okta.state["users"][person.okta]["status"] == "SUSPENDED" for person in people)


def _at_once(*work: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=item) for item in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_six_responders_at_once_take_two_places(world: World) -> None:
    """A company of few identities may lose three an hour, one kept for automation: of six clicks at once, two go through."""
    people = [world.add_person(f"p{number}", vendors=("okta",)) for number in range(6)]
    responders = [world.responder(catalogue=CATALOGUE) for _ in people]

    def click(number: int) -> Callable[[], Any]:
        row = with_request(raw_alert(people[number], tq_events=[str(number)]), "ida", "a drill", ["revoke"])
        return lambda: pipeline.contain(row, responders[number])

    _at_once(*(click(number) for number in range(6)))
    assert _suspended(world, people) == 2
    assert responders[0].journal.verify() == []


def test_the_turn_of_the_hour_gives_no_place_twice(world: World) -> None:
    """Attack: one responder's clock says 10:59, another's 11:00, and both see one place left. One of them gets it."""
    turn = (datetime.now(timezone.utc) + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    people = [world.add_person(f"p{number}", vendors=("okta",)) for number in range(4)]
    before, after = (
        world.responder(catalogue=CATALOGUE, clock=lambda at=turn + timedelta(seconds=seconds): at) for seconds in (-1, 1)
    )
    rows = [with_request(raw_alert(person, tq_events=[person.name]), "ida", "a drill", ["revoke"]) for person in people]
    for row in (raw_alert(people[0], tq_events=["automatic"]), rows[1]):
        pipeline.contain(row, before)
    raced: List[str] = []
    create = before.journal.store.create

    def racing(key: str, doc: Any) -> bool:
        if key.startswith("use/") and not raced:
            raced.append(key)
            pipeline.contain(rows[3], after)
        return create(key, doc)

    before.journal.store.create = racing  # type: ignore[method-assign]
    pipeline.contain(rows[2], before)
    assert raced
    assert _suspended(world, people) == 3


def test_what_nobody_can_do_takes_no_place(world: World) -> None:
    """Attack: decoys on accounts that no responder reaches. They are loudly open, and use up nothing."""
    responder = world.responder(catalogue=CATALOGUE)
    decoy = Person("decoy", [Account("aws", "123456789012", "user", "AIDADECOY")])
    assert pipeline.contain(raw_alert(decoy, vendor="aws"), responder).loud
    assert places_taken(responder.journal, responder.now()) == ()


def test_a_place_or_an_alert_taken_out_of_the_store_is_missed(world: World) -> None:
    """Attack: whoever can write the store deletes places of the hour, or alerts that would have added up."""
    import sqlite3

    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE)
    pipeline.contain(raw_alert(person), responder)
    assert responder.journal.verify() == []
    for prefix in ("use/", "alert/"):
        connection = sqlite3.connect(world.folder / "journal.db")
        assert connection.execute("DELETE FROM journal WHERE key LIKE ?", (f"{prefix}%",)).rowcount
        connection.commit()
        connection.close()
        assert any(prefix in finding and "deleted" in finding for finding in responder.journal.verify()), prefix
