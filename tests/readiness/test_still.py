"""Is it still contained? Reads alone, of every step, and within what the vendors allow."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from typing import Any, Dict, List, Set

import pytest

from responders import pipeline
from responders.containment.record import load
from responders.containment.responder import Responder, Timing
from responders.containment.still import Looked, look
from responders.drill.world import World
from responders.surfaces.command_line import validate_still
from responders.surfaces.command_line.validate_still import still_contained
from responders.vendors.open import ClientPool
from responders.vendors.transport import Transport
from tests.bench.fixture import unlimited
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

READS_BY_POST = ("/auth/token/lookup-accessor", "/identity/lookup/entity", "/sys/leases/lookup")
"""Vault takes what is looked for in a body, so that it stands in no log."""


def contained(world: World, *names: str) -> Responder:
    """A responder with these people contained at revoke."""
    people = [world.add_person(name) for name in names]
    timing = Timing(deadline=10.0, confirm_patience=0.5, retry_due=0.0)
    responder = world.responder(
        *(person.identity() for person in people), catalogue=CATALOGUE, timing=timing, policy=unlimited()
    )
    for person in people:
        pipeline.contain(raw_alert(person, confidence=95), responder)
    return responder


@pytest.mark.engine("openbao")
def test_every_step_of_all_four_vendors_is_read_and_nothing_is_written(
    full_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many steps as hold, each vendor among them; what goes out meanwhile are reads."""
    responder = contained(full_world, "alice")
    [(_, doc)] = list(responder.journal.side("open/"))
    record = load(responder.journal, str(doc["containment"]))
    holding = [step for step in record.steps.values() if record.outcomes[step.id].status.holds]
    assert {step.account.vendor for step in holding} == {"okta", "entra", "cyberark", "vault"}
    sent: List[str] = []
    send = Transport.send

    def seen(self: Transport, method: str, path: str, *rest: object, **more: object) -> object:
        sent.append(f"{method} {path}")
        return send(self, method, path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Transport, "send", seen)
    found = look(responder, record)
    assert (len(found.held), found.fell, found.unread) == (len(holding), {}, ())
    assert sent
    assert [call for call in sent if not call.startswith("GET ") and not call.endswith(READS_BY_POST)] == []


def test_it_waits_for_a_rate_limit_that_is_nearly_used_up(world: World) -> None:
    """What is left of Okta's window is a containment's: nothing is read before the next one, and nothing stays unread."""
    responder = contained(world, "alice")
    client = responder.clients.get("okta", "default")
    assert client is not None
    reset = int(time.time()) + 3
    told = {"x-rate-limit-limit": "40", "x-rate-limit-remaining": "9", "x-rate-limit-reset": str(reset)}
    client.transport.budget.learn(told)  # type: ignore[attr-defined]
    before = len(world.okta.requests)
    found = still_contained(responder, 60.0, repair=False)
    assert (found.ok, found.problems) == (True, ())
    assert len(world.okta.requests) > before
    assert time.time() >= reset


def test_what_was_not_read_in_time_is_said(world: World) -> None:
    """No time at all: nobody knows, which is a failure and not a proof."""
    found = still_contained(contained(world, "alice"), 0.0, repair=False)
    assert found.ok is False
    assert "1 of 1 were not read" in found.problems[0]


def test_a_vendor_that_is_down_keeps_no_other_from_being_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried for two containments, for two more at the end, and said, though it fails at the sign-in already; the
    others are read of all, and what fell there is said."""
    names = [f"p{number}" for number in range(6)]
    responder = contained(world, *names)
    asked: Dict[str, Set[str]] = {"okta": set(), "cyberark": set()}
    ids = {vendor: {world.people[name].account(vendor).id: name for name in names} for vendor in asked}
    send = Transport.send

    def seen(self: Transport, method: str, path: str, *rest: object, **more: object) -> object:
        for vendor, people in ids.items():
            asked[vendor] |= {name for account, name in people.items() if account in path.split("/")}
        return send(self, method, path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Transport, "send", seen)
    world.cyberark.down = True
    responder = replace(responder, clients=ClientPool(world.connections))  # which must sign in first
    world.okta.state["users"][world.people["p5"].okta]["status"] = "ACTIVE"
    found = still_contained(responder, 60.0, repair=False)
    assert (len(asked["okta"]), len(asked["cyberark"])) == (6, 0)
    assert found.ok is False
    silent, fell, *_ = found.problems
    assert silent.startswith("cyberark:default answers nothing: of 2 of 6 containments")
    assert fell.startswith("p5 (c-") and "NO LONGER CONTAINED: okta.suspend_user" in fell
    assert ["--repair" in line for line in found.to_do] == [False, True, False]


def test_a_vendor_that_comes_back_is_asked_what_it_was_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down for a moment at the beginning: in the end every step was read."""
    responder = contained(world, *(f"p{number}" for number in range(4)))
    world.cyberark.down = True
    looks: List[str] = []

    def looking(*given: Any) -> Looked:
        looks.append("")
        world.cyberark.down = len(looks) <= 2
        return look(*given)

    monkeypatch.setattr(validate_still, "look", looking)
    found = still_contained(responder, 60.0, repair=False)
    assert len(looks) == 6  # two without CyberArk, two without asking it, and these again
    assert not [problem for problem in found.problems if "answers nothing" in problem]
    assert len({line.split()[0] for line in found.problems}) == 2, found.problems


def test_an_edited_containment_keeps_no_other_from_being_looked_at(world: World) -> None:
    """Who writes the store edits one chain, and the marker of another: each is said, and what fell elsewhere is found."""
    responder = contained(world, "p0", "p1", "p2")
    names = {str(doc["identity"]): str(doc["containment"]) for _, doc in responder.journal.side("open/")}
    with sqlite3.connect(world.folder / "journal.db") as store:
        store.execute(
            "update journal set doc = replace(doc, 'confirmed', 'confirmeD') where key like ?", (f"e/{names['p0']}/%",)
        )
        store.execute("update journal set doc = replace(doc, 'p1', 'px') where key = ?", (f"open/{names['p1']}",))
    store.close()
    world.okta.state["users"][world.people["p2"].okta]["status"] = "ACTIVE"
    found = still_contained(responder, 60.0, repair=False)
    assert found.note.startswith("1 open, ")
    assert [line.split()[0].rstrip(":") for line in found.problems] == ["p2", f"open/{names['p1']}", names["p0"]]
    assert "NO LONGER CONTAINED" in found.problems[0]
