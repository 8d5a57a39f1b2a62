"""The responder's own credentials are watched: a change by one that no journal step accounts for stops automation."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Dict, List

import pytest

from responders import pipeline
from responders.containment import own_watch
from responders.containment.approve import approve
from responders.containment.recheck import recheck
from responders.containment.responder import Responder, Timing
from responders.containment.restore import restore
from responders.drill.world import World
from responders.escalation.channels import File
from responders.model import Status
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=3.0, confirm_patience=0.2, retry_due=0.0)


def _later(world: World, responder: Responder, minutes: float) -> Responder:
    """The same responder some minutes later: a new process over the same journal."""
    at = responder.now() + timedelta(minutes=minutes)
    return world.responder(catalogue=CATALOGUE, timing=QUICK, clock=lambda: at, channels=responder.channels)


def _watched(world: World, responder: Responder, minutes: float = 4.0) -> Responder:
    """What `tourniquet due` finds some minutes later."""
    later = _later(world, responder, minutes)
    own_watch.watch(later)
    return later


def _told(folder: Path) -> List[Dict[str, Any]]:
    log = folder / "told.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture
def responder(world: World, tmp_path: Path) -> Responder:
    """One whose watch has begun, and who has contained bob."""
    world.add_person("bob", vendors=("okta", "entra"))
    found = world.responder(catalogue=CATALOGUE, timing=QUICK, channels=(File("f", str(tmp_path / "told.jsonl")),))
    own_watch.watch(found)
    return found


def _contain(world: World, responder: Responder) -> str:
    return pipeline.contain(raw_alert(world.people["bob"]), responder).containment


def _own_app(world: World) -> str:
    apps = world.graph.state["service_principals"].items()
    return next(key for key, app in apps if app["displayName"] == "Tourniquet")


# -- what is ours -----------------------------------------------------------------------------------------


def test_a_containment_is_accounted_for(world: World, responder: Responder) -> None:
    """Every change of our own containment, at Okta and Entra, is found in the journal: nothing halts."""
    _contain(world, responder)
    assert any(event["actor"]["id"] == "0oaTourniquet" for event in world.okta.state["log"])
    assert any((entry["initiatedBy"]["app"] or {}).get("servicePrincipalId") for entry in world.graph.audits)
    assert _watched(world, responder).halted() == ""


def test_a_recheck_that_puts_back_is_accounted_for(world: World, responder: Responder) -> None:
    """An account that came back and is suspended again was suspended by us."""
    containment = _contain(world, responder)
    world.okta.state["users"][world.people["bob"].okta]["status"] = "ACTIVE"
    world.okta.state["log"].clear()
    recheck(responder, containment, "10 s")
    assert next(event["eventType"] for event in world.okta.state["log"]) == "user.lifecycle.suspend"
    assert _watched(world, responder).halted() == ""


def test_a_restore_is_accounted_for(world: World, responder: Responder) -> None:
    """What a person has us give back is in the log as our change, and in the journal."""
    restore(responder, _contain(world, responder), by="ida", reason="a drill")
    assert "user.lifecycle.unsuspend" in [event["eventType"] for event in world.okta.state["log"]]
    assert _watched(world, responder).halted() == ""


def test_an_approved_action_is_accounted_for(world: World, responder: Responder) -> None:
    """What a person approves on an open containment is a journal step like any other."""
    world.okta.add_factor(world.people["bob"].okta)
    approve(responder, _contain(world, responder), ("okta.reset_factors",), by="ida", reason="a drill")
    assert "user.mfa.factor.reset_all" in [event["eventType"] for event in world.okta.state["log"]]
    assert _watched(world, responder).halted() == ""


def test_a_restricting_containment_is_accounted_for(world: World, responder: Responder) -> None:
    """Joining the quarantine groups names a group beside the account: it is the one of the settings."""
    pipeline.contain(raw_alert(world.people["bob"], confidence=60), responder)
    assert "group.user_membership.add" in [event["eventType"] for event in world.okta.state["log"]]
    assert "Add member to group" in [entry["activityDisplayName"] for entry in world.graph.audits]
    assert _watched(world, responder).halted() == ""


def test_signing_in_is_no_change(world: World, responder: Responder) -> None:
    """Tokens that Okta grants to the responder's own app are in its log, and halt nothing."""
    world.okta.record("app.oauth2.token.grant.access_token", "00T1", "0oaTourniquet", "access_token")
    assert _watched(world, responder).halted() == ""


def test_a_clock_that_is_minutes_off_halts_nothing(world: World, responder: Responder) -> None:
    """Okta's clock is four minutes behind ours: further off, it would not let us sign in."""
    world.okta.clock = lambda: time.time() - 240
    _contain(world, responder)
    assert _watched(world, responder).halted() == ""


# -- what is not ------------------------------------------------------------------------------------------


def test_a_foreign_change_by_our_credential_at_okta_halts(world: World, responder: Responder, tmp_path: Path) -> None:
    """Somebody who holds our key suspends carol: automation stops, people are told loudly at confidence 99."""
    carol = world.add_person("carol", vendors=("okta",))
    _contain(world, responder)
    world.okta.record("user.lifecycle.suspend", carol.okta, "0oaTourniquet")
    later = _watched(world, responder)
    assert "no journal step" in later.halted()
    last = _told(tmp_path)[-1]
    assert last["loud"] and last["alert"]["confidence"] == 99
    assert last["alert"]["accounts"][0]["id"] == "0oaTourniquet"
    assert any("user.lifecycle.suspend" in item and carol.okta in item for item in last["open_items"])


def test_a_foreign_change_by_our_credential_in_entra_halts(world: World, responder: Responder) -> None:
    """The same in Entra: our service principal made itself an owner of an application."""
    _contain(world, responder)
    world.graph.audit("Add owner to application", (("app-1", "Application"),), app=_own_app(world))
    assert "no journal step" in _watched(world, responder).halted()


def test_halted_means_automation_only(world: World, responder: Responder) -> None:
    """After the halt an alert contains nobody; a click and a restore still do their work."""
    contained = _contain(world, responder)
    world.okta.record("system.api_token.create", "00T9", "0oaTourniquet", "Token")
    world.add_person("carol", vendors=("okta",))
    later = _watched(world, responder)
    assert pipeline.contain(raw_alert(world.people["carol"]), later).containment == ""
    outcomes = restore(later, contained, by="ida", reason="a mistake")
    assert all(o.status is not Status.FAILED for o in outcomes)


def test_the_same_change_halts_once(world: World, responder: Responder, tmp_path: Path) -> None:
    """Once a person has looked and lifted the halt, what they know of does not halt again; a new one does."""
    world.okta.record("system.api_token.create", "00T9", "0oaTourniquet", "Token")
    later = _watched(world, responder)
    later.lift_halt("ida", "understood")
    again = _watched(world, later)
    assert again.halted() == "" and len(_told(tmp_path)) == 1
    world.okta.record("system.api_token.create", "00T10", "0oaTourniquet", "Token")
    assert _watched(world, again).halted()


def test_a_change_in_the_shadow_of_ours_halts(world: World, responder: Responder) -> None:
    """Attack: while we contain bob, our stolen key makes him an administrator, or gives him back what we took."""
    _contain(world, responder)
    world.okta.record("user.lifecycle.unsuspend", world.people["bob"].okta, "0oaTourniquet")
    assert "user.lifecycle.unsuspend" in _watched(world, responder).halted()


def test_a_group_that_no_step_names_halts(world: World, responder: Responder) -> None:
    """Attack: bob, whom we are containing, is put into a group of the attacker's choice."""
    _contain(world, responder)
    group = world.okta.add_group("administrators")
    targets = ((group, "UserGroup"), (world.people["bob"].okta, "User"))
    world.okta._write("group.user_membership.add", "0oaTourniquet", targets)
    assert "group.user_membership.add" in _watched(world, responder).halted()


def test_a_change_to_a_contained_account_hours_later_halts(world: World, responder: Responder) -> None:
    """Having contained bob once explains nothing that our key does to him when no step of ours is at work."""
    _contain(world, responder)
    _watched(world, responder)
    world.okta.clock = lambda: time.time() + 7200
    world.okta.record("user.session.clear", world.people["bob"].okta, "0oaTourniquet")
    assert _watched(world, responder, minutes=121.0).halted()


def test_the_credential_for_privileged_targets_is_watched_too(world: World, responder: Responder) -> None:
    """Each connection may have a second credential: its changes are held against the journal as well."""
    (okta,) = [c for c in world.connections if c.vendor == "okta"]
    world.okta.state["services"]["0oaPrivileged"] = world.okta.state["services"]["0oaTourniquet"]
    second = replace(okta, plain={**okta.plain, "client_id": "0oaPrivileged"})
    world.connections = (replace(okta, privileged=second), *(c for c in world.connections if c is not okta))
    own_watch.watch(_later(world, responder, 0.0))
    world.okta.record("system.api_token.create", "00T9", "0oaPrivileged", "Token")
    assert "no journal step" in _watched(world, responder).halted()


def test_others_changes_halt_nothing(world: World, responder: Responder) -> None:
    """Attack: an administrator's own change, however wild, is not ours: only the vendor writes the actor."""
    world.okta.record("system.api_token.create", "00T9", "00uSomebody", "Token")
    world.graph.audit("Add user", (("u", "User"),), user="somebody")
    assert _watched(world, responder).halted() == ""


# -- logs that are late, vendors that are down ------------------------------------------------------------


def test_a_log_that_is_late_is_read_again(world: World, responder: Responder) -> None:
    """Entra shows an entry twenty minutes after it happened, when the watch has looked past that time already."""
    world.graph.audit_lag = 1200.0
    world.graph.audit("Add owner to application", (("app-1", "Application"),), app=_own_app(world))
    assert _watched(world, responder).halted() == ""
    world.graph.audit_lag = 0.0
    assert "Add owner" in _watched(world, responder, minutes=24.0).halted()


def test_a_vendor_that_is_down_is_read_when_it_is_back(world: World, responder: Responder) -> None:
    """What happened while nobody could look is found afterwards; the line says what could not be read."""
    world.okta.record("system.api_token.create", "00T9", "0oaTourniquet", "Token")
    world.okta.down = True
    lines = own_watch.watch(_later(world, responder, 10.0))
    assert any("okta:default" in line for line in lines)
    assert responder.halted() == ""
    world.okta.down = False
    assert _watched(world, responder, minutes=300.0).halted()


def test_a_watch_that_sees_nothing_for_an_hour_is_said_loudly_once(
    world: World, responder: Responder, tmp_path: Path
) -> None:
    """Attack: keep the vendor from being asked. People are told, and not at every minute again."""
    world.okta.down = True
    _watched(world, responder, minutes=30.0)
    assert _told(tmp_path) == []
    for minutes in (70.0, 75.0):
        _watched(world, responder, minutes=minutes)
    (told,) = _told(tmp_path)
    assert told["loud"] and "okta:default" in told["title"]


def test_a_missing_permission_is_said_at_once(world: World, responder: Responder, tmp_path: Path) -> None:
    """Attack: take the log away from us. It is said loudly, naming the permission, and the other vendor is still read."""
    world.okta.state["services"]["0oaTourniquet"]["scopes"] = ["okta.users.read"]
    (okta,) = [c for c in world.connections if c.vendor == "okta"]
    fewer = replace(okta, plain={**okta.plain, "scopes": ("okta.users.read",)})
    world.connections = (fewer, *(c for c in world.connections if c is not okta))
    _watched(world, responder)
    (told,) = _told(tmp_path)
    assert told["loud"] and "okta.logs.read" in " ".join(told["open_items"])
    world.graph.audit("Add owner to application", (("app-1", "Application"),), app=_own_app(world))
    assert _watched(world, responder, minutes=8.0).halted()


# -- when it runs -----------------------------------------------------------------------------------------


def test_whoever_does_what_is_due_watches(world: World, responder: Responder) -> None:
    """`tourniquet due` watches by itself, and before anything automatic is done."""
    world.okta.record("system.api_token.create", "00T9", "0oaTourniquet", "Token")
    later = _later(world, responder, 4.0)
    lines = pipeline.take_up(later)
    assert later.halted() and any("no journal step" in line for line in lines)


def test_it_costs_one_call_a_vendor_every_few_minutes(world: World, responder: Responder) -> None:
    """Runs in quick succession ask once."""

    def asked() -> int:
        paths = [r.path for r in (*world.okta.requests, *world.graph.requests)]
        return sum("/logs?" in path or "/directoryAudits?" in path for path in paths)

    before = asked()
    for minutes in (3.5, 4.0, 4.5):
        own_watch.watch(_later(world, responder, minutes))
    assert asked() == before + 2


def test_what_happened_before_the_journal_began_is_not_ours_to_judge(world: World, tmp_path: Path) -> None:
    """A new installation does not halt because its credential was tried out by hand an hour before."""
    world.okta.record("system.api_token.create", "00T9", "0oaTourniquet", "Token")
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    own_watch.watch(responder)
    assert _watched(world, responder).halted() == ""


def test_the_journal_still_verifies(world: World, responder: Responder) -> None:
    """How far the watch has read is bound to the journal's key like everything else."""
    _contain(world, responder)
    later = _watched(world, responder)
    assert later.journal.verify() == []
