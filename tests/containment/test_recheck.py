"""Rechecks: what was undone is put back, at most twice; what could not be read or delivered is tried again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, List

from responders import pipeline
from responders.containment import due
from responders.containment.recheck import recheck
from responders.containment.responder import Responder, Timing
from responders.drill.world import World
from responders.errors import Unavailable
from responders.escalation.channels import File
from responders.escalation.report import Report
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=1.0, confirm_patience=0.2, retry_due=0.0)


def _suspends(world: World) -> int:
    return sum(r.path.endswith("/lifecycle/suspend") and r.status == 200 for r in world.okta.requests)


def _hours_on(world: World, responder: Responder, hours: float, timing: Timing = QUICK) -> Responder:
    at = responder.now() + timedelta(hours=hours)
    return world.responder(catalogue=CATALOGUE, timing=timing, clock=lambda: at, channels=responder.channels)


def test_the_third_time_is_left_to_a_person_for_good(world: World) -> None:
    """However many rechecks and due runs follow, an account that keeps coming back is suspended three times in all."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), responder)
    for number in range(6):
        world.okta.state["users"][person.okta]["status"] = "ACTIVE"
        recheck(responder, report.containment, f"{number} s")
    pipeline.take_up(_hours_on(world, responder, 25))
    assert _suspends(world) == 3
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"


def test_a_new_alert_takes_up_again_what_was_left_to_a_person(world: World) -> None:
    """The limit binds what nobody asked for anew; a new finding goes through policy and guards, and applies."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), responder)
    for number in range(4):
        world.okta.state["users"][person.okta]["status"] = "ACTIVE"
        recheck(responder, report.containment, f"{number} s")
    pipeline.contain(raw_alert(person, tq_events=["event-2"]), responder)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"


def test_a_repeated_alert_puts_back_what_no_longer_holds(world: World) -> None:
    """A further finding of the same strength checks every step again."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    first = pipeline.contain(raw_alert(person), responder)
    world.okta.state["users"][person.okta]["status"] = "ACTIVE"
    again = pipeline.contain(raw_alert(person, tq_events=["event-2"]), responder)
    assert again.containment == first.containment
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"


def test_a_vendor_that_is_down_at_the_recheck_is_read_later(world: World) -> None:
    """Attack: the account comes back while the vendor can't be read at any recheck. It is found as soon as it can."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    pipeline.contain(raw_alert(person), responder)
    world.okta.state["users"][person.okta]["status"] = "ACTIVE"
    world.okta.down = True
    pipeline.take_up(_hours_on(world, responder, 25))
    world.okta.down = False
    pipeline.take_up(_hours_on(world, responder, 26))
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"


def test_who_became_protected_is_not_put_back_but_escalated(world: World) -> None:
    """The inventory protects the identity since: a guard holds at the recheck and for a repeated alert as well."""
    person = world.add_person("bob", vendors=("okta",))
    log = world.folder / "escalations.jsonl"
    report = pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE, timing=QUICK))
    world.okta.state["users"][person.okta]["status"] = "ACTIVE"
    later = world.responder(
        person.identity(protected=True), catalogue=CATALOGUE, timing=QUICK, channels=(File("file", str(log)),)
    )
    recheck(later, report.containment, "10 s")
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    assert "protected" in json.loads(log.read_text().splitlines()[-1])["open_items"][-1]
    assert pipeline.contain(raw_alert(person, tq_events=["event-2"]), later).loud
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"


class Dead:
    """A channel that fails until told otherwise, with a name as people give them."""

    name = "ops channel no 1"

    def __init__(self) -> None:
        self.dead, self.got = True, 0

    def send(self, report: Report, deadline: float) -> None:
        if self.dead:
            raise Unavailable(self.name, "connection refused")
        self.got += 1


def test_a_dead_channel_is_tried_again_whatever_its_name(world: World) -> None:
    """The report that could not be delivered comes with the next due run."""
    person = world.add_person("bob", vendors=("okta",))
    channel = Dead()
    responder = world.responder(catalogue=CATALOGUE, channels=(channel,), timing=QUICK)
    assert pipeline.contain(raw_alert(person), responder).containment
    channel.dead = False
    lines = pipeline.take_up(_hours_on(world, responder, 0.1))
    assert channel.got == 1, lines


def test_a_channel_that_is_gone_from_the_settings_is_said(world: World) -> None:
    """A report for a channel that no longer exists is not delivered in silence."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, channels=(Dead(),), timing=QUICK)
    report = pipeline.contain(raw_alert(person), responder)
    pipeline.take_up(_hours_on(world, world.responder(catalogue=CATALOGUE), 0.1))
    said = [entry for entry in responder.journal.entries(report.containment) if entry.kind == "undelivered"]
    assert "settings" in said[0].body["why"]


def test_one_due_entry_that_breaks_stops_no_other(world: World) -> None:
    """Attack: something due that makes the code fail, in front of everything else. The rest is done all the same."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    pipeline.contain(raw_alert(person), responder)
    due.add(responder.journal, "escalate", "c-none", responder.now() - timedelta(days=1), "no such note")
    world.okta.state["users"][person.okta]["status"] = "ACTIVE"
    lines: List[Any] = list(pipeline.take_up(_hours_on(world, responder, 0.1)))
    assert any("c-none" in line for line in lines)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
