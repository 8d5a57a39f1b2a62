"""Storing an alert apart from acting on it, and who takes it up."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Iterator, Tuple

import pytest

from responders import pipeline
from responders.containment import due
from responders.containment.intake import handled
from responders.drill.world import World, now
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.journal.store import Document
from responders.surfaces.service.due_loop import Agenda
from tests.catalogue import CATALOGUE
from tests.support import raw_alert


def test_an_alert_that_is_kept_changes_nothing_and_is_contained_by_who_takes_up_what_is_due(world: World) -> None:
    person = world.add_person("alice")
    responder = world.responder(catalogue=CATALOGUE)
    row = raw_alert(person)
    chain, new = pipeline.keep(row, responder)
    assert new
    assert pipeline.keep(row, responder) == (chain, False)
    assert handled(responder.journal, chain) is None
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    assert [item.what for item in due.pending(responder.journal)] == ["alert"]
    pipeline.take_up(responder)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
    assert handled(responder.journal, chain)


def test_an_alert_that_another_is_handling_stays_due_for_he_may_die_over_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world.add_person("alice")
    responder = world.responder(catalogue=CATALOGUE)
    chain, _ = pipeline.keep(raw_alert(person), responder)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(socket, "gethostname", lambda: "another")
        assert due.claim(responder.journal, f"alert-{chain}", 60.0)
    assert pipeline.take_up(responder) == ()
    assert [item.about for item in due.pending(responder.journal)] == [chain]
    later = now() + timedelta(seconds=61)
    pipeline.take_up(world.responder(catalogue=CATALOGUE, clock=lambda: later))
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"


def test_kinds_of_due_work_that_somebody_else_sees_to_are_left(world: World) -> None:
    responder = world.responder(catalogue=CATALOGUE)
    pipeline.keep(raw_alert(world.add_person("alice")), responder)
    due.add(responder.journal, "write back", "a-1", responder.now())
    assert pipeline.take_up(responder, leave=frozenset({"alert"})) == ()
    assert sorted(item.what for item in due.pending(responder.journal)) == ["alert", "write back"]


class Counting(SqliteStore):
    """Counts the documents that it gives."""

    given = 0

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        for item in super().scan(prefix, after):
            self.given += 1
            yield item


def test_a_look_every_few_seconds_does_not_read_all_that_ever_was_due(world: World) -> None:
    """What is not done is found however old it is, and so is what is written with an old time."""
    at = [now()]
    store = Counting(str(world.folder / "counted.db"))
    responder = world.responder(catalogue=CATALOGUE, journal=Journal(store, world.key, clock=lambda: at[0]))
    journal = responder.journal
    old = due.add(journal, "recheck", "c-old", at[0] - timedelta(minutes=5))
    for number in range(50):
        key = due.add(journal, "recheck", f"c-{number}", at[0])
        due.finish(journal, due.Due(key, "recheck", f"c-{number}", at[0], ""), "ok")
    agenda = Agenda()
    assert [item.key for item in agenda.pending(responder)] == [old]
    at[0] += timedelta(hours=3)
    late = due.add(journal, "recheck", "c-late", at[0] - timedelta(minutes=50))
    assert [item.key for item in agenda.pending(responder)] == [old, late]
    due.finish(journal, due.Due(old, "recheck", "c-old", at[0], ""), "ok")
    assert [item.key for item in agenda.pending(responder)] == [late]
    before = store.given
    assert [item.key for item in agenda.pending(responder)] == [late]
    assert store.given - before < 10
    store.close()


def test_a_service_that_lives_long_forgets_the_ends_of_chains_and_reads_them_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.journal.chain._KNOWN", 3)
    journal = world.journal()
    for number in range(10):
        journal.append(f"a-{number}", "thing", {"n": number})
    assert len(journal._heads) == 3
    assert [journal.append(f"a-{number}", "more", {}).seq for number in range(10)] == [1] * 10
    assert journal.verify() == []
