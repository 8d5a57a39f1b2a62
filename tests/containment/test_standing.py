"""What the SIEM hears of a containment: since when each account is contained, and that it ended."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, List

from responders import pipeline
from responders.containment.responder import Responder, Timing
from responders.containment.restore import close, restore
from responders.containment.signals import FileSignals
from responders.drill.world import World
from responders.errors import JournalError
from responders.model import Standing
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=1.5, confirm_patience=0.2, retry_due=0.0)


def told(world: World) -> List[Dict[str, Any]]:
    path = world.folder / "signals" / "journal.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_each_revoked_account_is_told_and_that_it_was_restored(world: World) -> None:
    """A line an account with the time from which on activity is a failure; `restored` ends it."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    world.add_person("ida")
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person), responder)
    accounts = {person.account("okta").key, person.account("entra").key}
    assert {(row["kind"], row["tq_account"]) for row in told(world)} == {("contained", key) for key in accounts}
    assert all(row["tq_identity"] == "bob" and row["containment"] == report.containment for row in told(world))
    entra = next(row for row in told(world) if row["tq_account"].startswith("entra:"))
    assert entra["residual_until"] > entra["time"], "access tokens outlive the revocation"
    restore(responder, report.containment, by="ida", reason="over")
    assert {row["tq_account"] for row in told(world) if row["kind"] == "restored"} == accounts


def test_a_restricted_identity_may_go_on_working(world: World) -> None:
    """Restricting tells nothing: activity afterwards is no failure."""
    person = world.add_person("bob", vendors=("okta",))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    report = pipeline.contain(raw_alert(person, confidence=60), responder)
    assert report.decision is not None and report.decision.tier.label == "restrict"
    assert told(world) == []


def test_an_open_account_is_told_when_it_is_contained_at_last(world: World) -> None:
    """While a vendor is down its account is not called contained; the due run tells it."""
    person = world.add_person("bob", vendors=("okta", "entra"))
    responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
    world.graph.down = True
    pipeline.contain(raw_alert(person), responder)
    assert {row["tq_account"] for row in told(world)} == {person.account("okta").key}
    world.graph.down = False
    pipeline.take_up(responder)
    assert {row["tq_account"] for row in told(world)} == {person.account("okta").key, person.account("entra").key}


class Broken(FileSignals):
    """A store that takes no standing."""

    def standing(self, standing: Standing) -> None:
        raise JournalError("the disk is full")


def test_a_store_out_of_reach_is_told_later(world: World) -> None:
    """The identity is contained all the same, and closing it is told once the store is back."""
    person = world.add_person("bob", vendors=("okta",))
    world.add_person("ida")
    sound = world.responder(catalogue=CATALOGUE, timing=QUICK)
    broken: Responder = replace(sound, signals=Broken(str(world.folder / "signals"), sound.now))
    report = pipeline.contain(raw_alert(person), broken)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
    close(broken, report.containment, by="ida", reason="over")
    assert told(world) == []
    pipeline.take_up(sound)
    assert {row["kind"] for row in told(world)} == {"closed"}
