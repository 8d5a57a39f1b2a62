"""Who may restrict at most can't get more done, whatever the row they hand in says, now or later."""

from __future__ import annotations

from typing import Any

from responders import pipeline
from responders.alerts.row import with_request
from responders.drill.world import Person, World
from responders.escalation.report import Report
from responders.model import Tier
from responders.policy.guards import MOST
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

CAP = f"{MOST}restrict"


def clicked(world: World, person: Person, *wanted: str, by: str = "ida", **more: Any) -> Report:
    """A click on a row of the asker's own making: confidence 99."""
    row = with_request(raw_alert(person, confidence=99, **more), by, "looks odd", wanted)
    return pipeline.contain(row, world.responder(catalogue=CATALOGUE))


def tier_of(report: Report) -> Tier:
    assert report.decision is not None
    return report.decision.tier


def test_a_forged_confidence_restricts_at_most(world: World) -> None:
    """99 would revoke; the asker may restrict: the identity is restricted, and the report says who may what."""
    person = world.add_person("alice", vendors=("okta",))
    report = clicked(world, person, CAP)
    assert tier_of(report) is Tier.RESTRICT
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    assert report.decision is not None
    assert any(r.guard == "asker's right" and "ida may restrict at most" in r.text for r in report.decision.reasons)


def test_asking_for_more_in_so_many_words_does_not_help(world: World) -> None:
    """Tier revoke asked for beside the cap: the cap holds."""
    person = world.add_person("alice", vendors=("okta",))
    assert tier_of(clicked(world, person, "revoke", CAP)) is Tier.RESTRICT


def test_without_the_cap_the_same_click_revokes(world: World) -> None:
    """The test above can fail: whoever may revoke does."""
    person = world.add_person("alice", vendors=("okta",))
    assert tier_of(clicked(world, person)) is Tier.REVOKE


def test_the_forged_row_does_not_lend_its_weight_to_a_later_alert(world: World) -> None:
    """A faint automatic alert afterwards is judged by itself: it would be fused to a revoke otherwise."""
    person = world.add_person("alice", vendors=("okta",))
    clicked(world, person, CAP)
    faint = raw_alert(person, confidence=5, tq_events=["event-2"])
    pipeline.contain(faint, world.responder(catalogue=CATALOGUE))
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"


def test_an_asker_who_is_contained_meanwhile_is_still_capped(world: World) -> None:
    """Judged as automatic then, without the rights of a click, and not beyond what they might have asked for."""
    mallory = world.add_person("mallory", vendors=("okta",))
    victim = world.add_person("alice", vendors=("okta",))
    pipeline.contain(raw_alert(mallory), world.responder(catalogue=CATALOGUE))
    report = clicked(world, victim, CAP, by="mallory")
    assert report.decision is not None
    assert "asker's right" in {reason.guard for reason in report.decision.reasons}
    assert tier_of(report) < Tier.REVOKE
    assert world.okta.state["users"][victim.okta]["status"] == "ACTIVE"
