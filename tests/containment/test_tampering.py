"""One bad document in the journal's store stops nothing that is due, and people hear of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, Mapping

import pytest

from responders import pipeline
from responders.containment import due
from responders.drill.world import World
from tests.catalogue import CATALOGUE
from tests.support import raw_alert


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, vault=False) as found:
        yield found


FORGED: Mapping[str, Any] = {"what": "alert", "about": "x", "at": "2026-01-01T00:00:00+00:00", "note": "", "mac": "0"}


@pytest.mark.parametrize("key", ["due/00000101T000000.000000/alert-x", "done/00000101T000000.000000/alert-x"])
def test_a_planted_document_stops_nothing_that_is_due(key: str, world: World) -> None:
    """Attack: somebody who can write the store, and has no key, plants one document: the alert is still taken up."""
    person = world.add_person("alice", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE)
    pipeline.keep(raw_alert(person), responder)
    assert responder.journal.store.create(key, FORGED)
    for _ in range(2):
        pipeline.take_up(responder)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
    told = [e for e in responder.journal.entries("tampering") if e.kind == "escalated"]
    assert len(told) == 1
    assert key in told[0].body["report"]["open_items"]
    assert any(key in finding for finding in responder.journal.verify())


def test_a_planted_mark_does_not_make_work_done(world: World) -> None:
    """Attack: a forged `done` of the very entry that is due. It stays due, and is done."""
    person = world.add_person("alice", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE)
    pipeline.keep(raw_alert(person), responder)
    (item,) = due.pending(responder.journal, responder.now())
    assert responder.journal.store.create(item.done_key, {"how": "done", "at": item.at.isoformat(), "mac": "0"})
    pipeline.take_up(responder)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
