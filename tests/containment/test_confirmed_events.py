"""Events that anybody may have sent to the SIEM restrict at most, until the vendor's own log confirms one of them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from responders import pipeline
from responders.containment.responder import Responder, Timing
from responders.drill.world import Person, World
from responders.escalation.report import Report
from responders.model import Tier
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=3.0, confirm_patience=0.2)


def _responder(world: World, *unauthenticated: str) -> Responder:
    made = world.responder(catalogue=CATALOGUE, timing=QUICK)
    return replace(made, unauthenticated_ingest=frozenset(unauthenticated or ("test/strong",)))


def _tier(report: Report) -> Tier:
    assert report.decision is not None
    return report.decision.tier


def _alert(world: World, person: Person, event: str, vendor: str = "okta", **more: Any) -> Report:
    now = datetime.now(timezone.utc)
    times = {"tq_started_at": (now - timedelta(minutes=5)).isoformat(), "tq_completed_at": now.isoformat()}
    row = raw_alert(person, vendor=vendor, tq_events=[event], **{**times, **more})
    return pipeline.contain(row, _responder(world))


@pytest.fixture
def bob(world: World) -> Person:
    return world.add_person("bob", vendors=("okta", "entra", "cyberark"))


def _okta_event(world: World, actor: str, target: str) -> str:
    world.okta.record("user.session.start", target, actor)
    return str(world.okta.state["log"][-1]["uuid"])


def test_an_event_that_okta_knows_allows_a_revoke(world: World, bob: Person) -> None:
    """The System Log has the event, by its id, and it is about bob."""
    assert _tier(_alert(world, bob, _okta_event(world, bob.okta, bob.okta))) is Tier.REVOKE


def test_an_event_that_okta_does_not_know_restricts(world: World, bob: Person) -> None:
    """Attack: an event made up and sent to the open ingest. The reasons say why no more is done."""
    report = _alert(world, bob, "no-such-event")
    assert _tier(report) is Tier.RESTRICT
    assert report.decision is not None
    assert "unauthenticated ingest" in {reason.guard for reason in report.decision.reasons}


def test_an_event_about_somebody_else_confirms_nothing(world: World, bob: Person) -> None:
    """Attack: a made-up alert on bob carries the id of a real event, the attacker's own sign-in."""
    mallory = world.add_person("mallory", vendors=("okta",))
    assert _tier(_alert(world, bob, _okta_event(world, mallory.okta, mallory.okta))) is Tier.RESTRICT


def test_an_event_of_another_time_confirms_nothing(world: World, bob: Person) -> None:
    """Attack: a real event of bob's, of days ago, is sent again with new times."""
    event = _okta_event(world, bob.okta, bob.okta)
    world.okta.state["log"][-1]["published"] = "2020-01-01T00:00:00.000Z"
    assert _tier(_alert(world, bob, event)) is Tier.RESTRICT


def test_a_hostile_event_id_asks_nothing(world: World, bob: Person) -> None:
    """Attack: an id that would widen the question to every event of the log is never sent."""
    _okta_event(world, bob.okta, bob.okta)
    assert _tier(_alert(world, bob, f'x" or actor.id eq "{bob.okta}')) is Tier.RESTRICT
    assert not any("uuid" in request.query.get("filter", "") for request in world.okta.requests)


@pytest.mark.parametrize("lag", [0.0, 600.0])
def test_an_audit_entry_of_entra_confirms_once_it_is_there(world: World, bob: Person, lag: float) -> None:
    """Entra's audit log is asked by the entry's id; what it does not show yet is not confirmed."""
    event = world.graph.audit("Add user", (("someone", "User"),), user=bob.entra)
    world.graph.audit_lag = lag
    assert _tier(_alert(world, bob, event, "entra")) is (Tier.RESTRICT if lag else Tier.REVOKE)


def test_a_sign_in_of_entra_confirms(world: World, bob: Person) -> None:
    """A sign-in has an id of its own in a log of its own."""
    assert _tier(_alert(world, bob, world.graph.sign_in_entry(bob.entra), "entra")) is Tier.REVOKE


def test_somebody_elses_sign_in_confirms_nothing(world: World, bob: Person) -> None:
    """Attack: the alert on bob carries the id of the attacker's own sign-in."""
    mallory = world.graph.sign_in_entry(str(uuid.uuid4()))
    assert _tier(_alert(world, bob, mallory, "entra")) is Tier.RESTRICT


def test_cyberark_can_confirm_nothing_and_the_reasons_say_so(world: World, bob: Person) -> None:
    """Its API shows no audit log: the alert stays at restrict."""
    report = _alert(world, bob, "event-1", "cyberark")
    assert _tier(report) is Tier.RESTRICT
    assert report.decision is not None
    assert any("cyberark's API shows no log" in reason.text for reason in report.decision.reasons)


def test_a_log_that_does_not_answer_confirms_nothing(world: World, bob: Person) -> None:
    """Not read is not confirmed, and nothing waits for it longer than for the other facts."""
    world.okta.state["services"]["0oaTourniquet"]["scopes"].remove("okta.logs.read")
    (okta,) = [c for c in world.connections if c.vendor == "okta"]
    scopes = tuple(scope for scope in okta.plain["scopes"] if scope != "okta.logs.read")
    world.connections = (replace(okta, plain={**okta.plain, "scopes": scopes}), *(c for c in world.connections if c != okta))
    report = _alert(world, bob, _okta_event(world, bob.okta, bob.okta))
    assert _tier(report) is Tier.RESTRICT
    assert report.decision is not None
    assert any("could not be asked" in reason.text for reason in report.decision.reasons)


def test_other_detections_are_not_asked_about(world: World, bob: Person) -> None:
    """Where the settings name no such ingest, no log is asked while people wait."""
    pipeline.contain(raw_alert(bob), _responder(world, "test/pam"))
    assert not any("uuid" in request.query.get("filter", "") for request in world.okta.requests)
