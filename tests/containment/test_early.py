"""People hear of a containment while a dead vendor still holds it up."""

from __future__ import annotations

from typing import List

from responders import pipeline
from responders.containment.responder import Timing
from responders.drill.world import World
from responders.escalation.report import Report
from tests.catalogue import CATALOGUE
from tests.support import raw_alert


class Heard:
    """A channel that keeps what it was told."""

    name = "heard"

    def __init__(self) -> None:
        self.reports: List[Report] = []

    def send(self, report: Report, deadline: float) -> None:
        self.reports.append(report)


def test_what_is_proved_is_told_before_a_dead_vendor_is_given_up(world: World) -> None:
    """Two reports, the first with the vendors that answered, saying which one does not; the last one is complete."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    heard = Heard()
    timing = Timing(deadline=4.0, tell_after=1.0, confirm_patience=0.2)
    responder = world.responder(catalogue=CATALOGUE, channels=(heard,), timing=timing)
    world.graph.down = True
    pipeline.contain(raw_alert(person), responder)
    first, last = heard.reports
    assert "still at work at entra" in first.title
    assert first.loud
    assert any(o.step.action == "okta.suspend_user" and o.status.holds for o in first.outcomes)
    assert not any(o.step.account.vendor == "entra" and o.status.holds for o in first.outcomes)
    assert any("entra" in item for item in last.open_items)
    assert (first.at - last.at).total_seconds() < 0


def test_who_is_contained_in_time_is_told_once(world: World) -> None:
    """A containment that ends before `tell_after` gives one report."""
    person = world.add_person("bob", vendors=("okta",))
    heard = Heard()
    responder = world.responder(catalogue=CATALOGUE, channels=(heard,), timing=Timing(tell_after=60.0))
    pipeline.contain(raw_alert(person), responder)
    assert len(heard.reports) == 1
    assert not heard.reports[0].loud
