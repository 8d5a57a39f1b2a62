"""Restore against everything that happens at the same time: rechecks, lanes, newer alerts, a second restore."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any, List

import pytest

from responders import pipeline
from responders.containment.recheck import recheck
from responders.containment.record import all_containments, load
from responders.containment.responder import Timing
from responders.containment.restore import close, restore
from responders.drill.world import World
from responders.errors import Refused
from responders.model import Status
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=5.0, confirm_patience=0.2, retry_due=0.0)


def _status(world: World, name: str) -> str:
    return str(world.okta.state["users"][world.people[name].okta]["status"])


def test_a_recheck_that_began_before_the_restore_changes_nothing_after_it(world: World) -> None:
    """It read "undone" while the containment was open; by the time it would put back, the restore is through."""
    person = world.add_person("bob", vendors=("okta",))
    other = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), other)
    world.okta.state["users"][person.okta]["status"] = "ACTIVE"
    done: List[Any] = []

    def meanwhile(when: str, vendor: str, method: str, template: str) -> None:
        if not done and method == "GET" and template.startswith("/api/v1/users"):
            done.append(1)
            restore(other, report.containment, by="ida", reason="a false alarm")

    recheck(world.responder(catalogue=CATALOGUE, timing=QUICK, on_call=meanwhile), report.containment, "10 s")
    assert done
    assert _status(world, "bob") == "ACTIVE"
    assert not load(other.journal, report.containment).open


def test_a_restore_waits_for_the_lane_that_still_contains(world: World) -> None:
    """Restored while a lane is about to suspend: the suspension comes first and is undone, whoever was quicker."""
    person = world.add_person("bob", vendors=("okta",))
    other = world.responder(catalogue=CATALOGUE, timing=QUICK)
    threads: List[threading.Thread] = []
    found: List[Any] = []

    def meanwhile(when: str, vendor: str, method: str, template: str) -> None:
        if not threads and template.endswith("/lifecycle/suspend"):
            name = next(iter(doc["containment"] for _, doc in other.journal.side("open/")))
            work = lambda: found.append(restore(other, name, by="ida", reason="a false alarm"))  # noqa: E731
            threads.append(threading.Thread(target=work))
            threads[0].start()
            threads[0].join(0.4)

    pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE, timing=QUICK, on_call=meanwhile))
    threads[0].join()
    assert not [o for o in found[0] if o.status in (Status.FAILED, Status.UNKNOWN)]
    assert _status(world, "bob") == "ACTIVE"


def test_a_plan_made_before_the_restore_is_not_carried_out_after_it(world: World) -> None:
    """A second alert is being judged while the restore goes through: its plan does not reopen what has ended."""
    person = world.add_person("bob", vendors=("okta",))
    other = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), other)
    done: List[Any] = []

    def meanwhile(when: str, vendor: str, method: str, template: str) -> None:
        if not done and method == "GET" and template.startswith("/api/v1/users"):
            done.append(1)
            restore(other, report.containment, by="ida", reason="a false alarm")

    responder = world.responder(catalogue=CATALOGUE, timing=QUICK, on_call=meanwhile)
    again = pipeline.contain(raw_alert(person, tq_events=["event-2"]), responder)
    assert done
    assert again.loud
    assert _status(world, "bob") == "ACTIVE"


def test_a_newer_alert_during_a_restore_that_failed_half_way_contains_again(world: World) -> None:
    """Entra was down, so the restore is due; the identity is attacked anew. The retry must not set it free."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    responder = world.responder(catalogue=CATALOGUE, timing=Timing(deadline=1.0, confirm_patience=0.2, retry_due=0.0))
    report = pipeline.contain(raw_alert(person), responder)
    world.graph.down = True
    restore(responder, report.containment, by="ida", reason="a false alarm")
    assert _status(world, "bob") == "ACTIVE"
    world.graph.down = False
    newer = pipeline.contain(raw_alert(person, tq_events=["event-2"]), responder)
    assert newer.containment == report.containment
    assert _status(world, "bob") == "SUSPENDED"
    at = responder.now() + timedelta(minutes=2)
    pipeline.take_up(world.responder(catalogue=CATALOGUE, timing=QUICK, clock=lambda: at))
    assert _status(world, "bob") == "SUSPENDED"
    assert world.graph.state["users"][person.entra]["accountEnabled"] is False
    restore(responder, report.containment, by="ida", reason="now it is over")
    assert _status(world, "bob") == "ACTIVE"
    assert world.graph.state["users"][person.entra]["accountEnabled"] is True


def test_an_older_alert_during_a_restore_that_failed_half_way_does_not(world: World) -> None:
    """Its completing event lies before the restore began."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    responder = world.responder(catalogue=CATALOGUE, timing=Timing(deadline=1.0, confirm_patience=0.2, retry_due=0.0))
    report = pipeline.contain(raw_alert(person), responder)
    late = raw_alert(person, tq_events=["event-2"])
    world.graph.down = True
    restore(responder, report.containment, by="ida", reason="a false alarm")
    assert pipeline.contain(late, responder).loud
    assert _status(world, "bob") == "ACTIVE"


def test_two_people_restore_at_once(world: World) -> None:
    """Both succeed, and the account is as it was."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), responder)
    found: List[Any] = []

    def one(by: str) -> None:
        try:
            found.extend(restore(world.responder(catalogue=CATALOGUE, timing=QUICK), report.containment, by=by, reason="x"))
        except Refused:
            return

    threads = [threading.Thread(target=one, args=(by,)) for by in ("ida", "ivo")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [o for o in found if o.status in (Status.FAILED, Status.UNKNOWN)]
    assert _status(world, "bob") == "ACTIVE"
    assert responder.journal.verify() == []


@pytest.mark.parametrize("by", ["mallory", "bob", "ida "])
def test_closing_is_not_for_everybody(world: World, by: str) -> None:
    """Attack: close the containment, so that nobody puts back what is undone next."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), responder)
    with pytest.raises(Refused):
        close(responder, report.containment, by=by, reason="nothing to see here")
    assert load(responder.journal, report.containment).open


def test_the_first_pre_state_survives_every_repeat(world: World) -> None:
    """Contained, undone by the attacker, contained again, restored: what comes back is what was there at first."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person, confidence=60), responder)
    first = dict(load(responder.journal, report.containment).before)
    world.okta.state["groups"][world.okta_group]["members"].clear()
    pipeline.contain(raw_alert(person, tq_events=["event-2"]), responder)
    pipeline.contain(raw_alert(person, tq_events=["event-3"]), responder)
    later = load(responder.journal, report.containment).before
    assert {step: later[step] for step in first} == first
    restore(responder, report.containment, by="ida", reason="a false alarm")
    assert _status(world, "bob") == "ACTIVE"
    assert world.okta.state["groups"][world.okta_group]["members"] == []


def test_a_restore_that_begins_between_block_and_cut_stops_the_cut(world: World) -> None:
    """A lane looks before each wave of its changes whether the containment still goes on, not at its beginning only."""
    person = world.add_person("bob", vendors=("okta",))
    done: List[Any] = []

    def meanwhile(when: str, vendor: str, method: str, template: str) -> None:
        if when == "after" and template.endswith("/lifecycle/suspend") and not done:
            done.append(1)
            containment = next(name for name, _ in all_containments(responder.journal))
            responder.journal.append(containment, "restoring", {"by": "ida", "approved_by": "", "reason": "a mistake"})

    responder = world.responder(catalogue=CATALOGUE, timing=QUICK, on_call=meanwhile)
    pipeline.contain(raw_alert(person), responder)
    writes = [r.path.rsplit("/", 1)[-1] for r in world.okta.requests if r.method != "GET" and "/api/v1/" in r.path]
    assert writes == ["suspend"]
