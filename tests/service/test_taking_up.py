"""Storing an alert apart from acting on it, and who takes it up."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest

from responders import pipeline
from responders.containment import due
from responders.containment.intake import handled
from responders.drill.world import World, now
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
