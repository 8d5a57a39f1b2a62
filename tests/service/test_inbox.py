"""The order of work: strongest first, one identity at a time, and nothing that fails spins."""

from __future__ import annotations

import io
import threading
from typing import Any, Dict, List

import pytest

from responders import pipeline
from responders.containment import due
from responders.drill.world import World
from responders.surfaces.service import inbox
from responders.surfaces.service.inbox import Inbox
from responders.surfaces.service.log import Log
from responders.surfaces.service.metrics import Metrics
from tests.catalogue import CATALOGUE
from tests.service.desk import until
from tests.support import raw_alert


@pytest.fixture
def worked(world: World, monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """An inbox whose `contain` only notes what it is given, and waits for `go`."""
    responder = world.responder(catalogue=CATALOGUE)
    found: Dict[str, Any] = {"order": [], "at once": [], "go": threading.Event(), "responder": responder, "fail": set()}
    now: List[str] = []

    def noted(row: Any, _: Any) -> Any:
        now.append(row["tq_identity"])
        found["at once"].append(sorted(now))
        found["order"].append(row["tq_finding"])
        try:
            assert found["go"].wait(10)
            raise RuntimeError("never dealt with")
        finally:
            now.remove(row["tq_identity"])

    monkeypatch.setattr(pipeline, "contain", noted)
    found["inbox"] = Inbox(lambda: responder, 2, Log(io.StringIO()), Metrics(), lambda chain: None)
    return found


def test_strongest_first_one_identity_at_a_time_and_what_fails_rests(world: World, worked: Dict[str, Any]) -> None:
    """Also of what waits in the journal, so that a flood of weak alerts keeps no strong one waiting."""
    person, responder, box = world.add_person("alice"), worked["responder"], worked["inbox"]
    for number, (identity, confidence) in enumerate([("a", 10), ("a", 90), ("a", 50), ("b", 20), ("c", 80)]):
        row = raw_alert(person, confidence=confidence, tq_identity=identity, tq_finding=f"{identity}{confidence}")
        pipeline.keep({**row, "tq_events": [f"e{number}"]}, responder)
    items = list(due.pending(responder.journal))
    box.take_up(items)
    box.start()
    until(lambda: len(worked["order"]) == 2)
    assert worked["order"] == ["a90", "c80"]
    worked["go"].set()
    until(lambda: box.held == 0)
    assert sorted(worked["order"][2:]) == ["a10", "a50", "b20"]
    assert worked["order"].index("a50") < worked["order"].index("a10")
    assert all(len(set(names)) == len(names) for names in worked["at once"])
    box.take_up(items)
    assert box.held == 0
    assert len(worked["order"]) == 5
    assert box.stop(5.0)


def test_more_than_memory_holds_is_left_in_the_journal(
    world: World, worked: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strong ones are held before weak ones."""
    monkeypatch.setattr(inbox, "MOST", 2)
    person, responder, box = world.add_person("alice"), worked["responder"], worked["inbox"]
    for confidence in (10, 60, 95):
        row = raw_alert(person, confidence=confidence, tq_identity=str(confidence), tq_finding=str(confidence))
        pipeline.keep(row, responder)
    box.take_up(due.pending(responder.journal))
    assert box.held == 2
    worked["go"].set()
    box.start()
    until(lambda: box.held == 0)
    assert sorted(worked["order"]) == ["60", "95"]
    assert box.stop(5.0)


def test_a_flood_of_alerts_on_one_identity_keeps_no_other_waiting(
    world: World, worked: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go one after another: all of memory full of them would leave the other workers without work."""
    monkeypatch.setattr(inbox, "MOST", 20)
    person, responder, box = world.add_person("alice"), worked["responder"], worked["inbox"]
    for number in range(25):
        pipeline.keep(raw_alert(person, confidence=90, tq_identity="flood", tq_finding=f"f{number}"), responder)
    pipeline.keep(raw_alert(person, confidence=80, tq_identity="other", tq_finding="other"), responder)
    box.take_up(due.pending(responder.journal))
    box.start()
    until(lambda: "other" in worked["order"])
    worked["go"].set()
    until(lambda: box.held == 0)
    assert box.stop(5.0)


def test_when_memory_is_full_nothing_is_read_of_what_waits(
    world: World, worked: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a storm of ten thousand, a look at each would take longer than the work."""
    monkeypatch.setattr(inbox, "MOST", 2)
    looked: List[str] = []
    real = inbox.handled
    monkeypatch.setattr(inbox, "handled", lambda journal, chain: looked.append(chain) or real(journal, chain))
    person, responder, box = world.add_person("alice"), worked["responder"], worked["inbox"]
    for number in range(9):
        pipeline.keep(raw_alert(person, tq_identity=str(number), tq_finding=str(number)), responder)
    box.take_up(due.pending(responder.journal))
    assert (box.held, len(looked)) == (2, 2)
