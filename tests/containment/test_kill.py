"""Killed at any point, the next start finishes: enumerated over every journal write and every vendor call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from responders import pipeline
from responders.containment.record import load
from responders.containment.restore import restore
from responders.drill.attacker import Attacker
from responders.drill.world import World
from responders.model import Status
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

ROOT = Path(__file__).parent.parent.parent


def child(world: World, row: Dict[str, Any], point: int, what: str = "contain", containment: str = "") -> int:
    """Run one containment (or `what` else) in a process that dies (os._exit) at its `point`th write or call; exit code."""
    given = {
        "what": what,
        "containment": containment,
        "folder": str(world.folder),
        "key": world.key.decode(),
        "row": row,
        "point": point,
        "person": "bob",
        "connections": [
            {
                "vendor": c.vendor,
                "tenant": c.tenant,
                "url": c.url,
                "secrets": {name: secret.reveal() for name, secret in c.secrets.items()},
                "plain": dict(c.plain),
                "settings": dict(c.settings),
            }
            for c in world.connections
        ],
        "accounts": [vars(account) for account in world.people["bob"].accounts],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.containment.kill_child"],
        cwd=ROOT,
        input=json.dumps(given),
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode in (0, 99), done.stderr[-2000:]
    return done.returncode


def points(world: World, row: Dict[str, Any]) -> int:
    """How many points there are: the child counts them when it is not killed."""
    assert child(world, row, -1) == 0
    return int((world.folder / "points").read_text())


@pytest.mark.parametrize("part", range(4))
def test_killed_anywhere_the_next_start_finishes(tmp_path: Path, part: int) -> None:
    """For each point: the attacker is shut out, every pre-state is the true one, and restore gives it back."""
    (tmp_path / "count").mkdir()
    with World(tmp_path / "count", vault=False) as world:
        person = world.add_person("bob")
        total = points(world, raw_alert(person))
    assert total > 20
    step = 4 if os.environ.get("CI") == "true" else 16
    tried: List[int] = list(range(part, total, step))
    for point in tried:
        folder = tmp_path / str(point)
        folder.mkdir()
        with World(folder, vault=False) as world:
            person = world.add_person("bob")
            row = raw_alert(person)
            killed = child(world, row, point) == 99
            responder = world.responder(catalogue=CATALOGUE)
            pipeline.take_up(responder)
            report = pipeline.contain(row, responder)
            pipeline.take_up(responder)
            works = Attacker(world, person).works()
            assert not any(works[name] for name in works if "password" not in name), (point, killed, works)
            assert responder.journal.verify() == [], point
            suspends = [r for r in world.okta.requests if r.path.endswith("/lifecycle/suspend") and r.status == 200]
            assert len(suspends) == 1, point
            outcomes = restore(responder, report.containment, by="ida", reason="a drill")
            assert not [o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN)], point
            assert world.okta.state["users"][person.okta]["status"] == "ACTIVE", point
            assert world.graph.state["users"][person.entra]["accountEnabled"] is True, point
            assert world.cyberark.state["users"][person.cyberark]["enabled"] is True, point


def _contained(folder: Path, what: str) -> Tuple[World, str, Dict[str, Any]]:
    """A world with a containment that is open, undone by the attacker where a recheck is to find it so."""
    folder.mkdir()
    world = World(folder, vault=False).__enter__()
    person = world.add_person("bob", vendors=("okta", "entra"))
    world.okta.add_factor(person.okta)
    row = raw_alert(person)
    report = pipeline.contain(row, world.responder(catalogue=CATALOGUE))
    if what == "recheck":
        world.okta.state["users"][person.okta]["status"] = "ACTIVE"
        world.graph.state["users"][person.entra]["accountEnabled"] = True
    return world, report.containment, row


def _take_up_later(world: World, minutes: int) -> None:
    at = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    pipeline.take_up(world.responder(catalogue=CATALOGUE, clock=lambda: at))


@pytest.mark.parametrize("what", ["recheck", "approve", "restore"])
def test_killed_anywhere_the_rest_is_finished_too(tmp_path: Path, what: str) -> None:
    """A recheck, an approval, a restore that dies before or after any write or call: the next runs finish what it began."""
    world, containment, row = _contained(tmp_path / "count", what)
    assert child(world, row, -1, what, containment) == 0
    total = int((world.folder / "points").read_text())
    world.__exit__(None, None, None)
    assert total > 10
    step = 1 if os.environ.get("CI") == "true" else 7
    for point in range(0, total, step):
        world, containment, row = _contained(tmp_path / str(point), what)
        try:
            person = world.people["bob"]
            killed = child(world, row, point, what, containment) == 99
            for minutes in (2, 4):
                _take_up_later(world, minutes)
            record = load(world.journal(), containment)
            okta, graph = world.okta.state["users"][person.okta], world.graph.state["users"][person.entra]
            begun = any(entry.kind == "restoring" for entry in record.entries)
            free = what == "restore" and begun
            assert (okta["status"] == "ACTIVE") == free, (point, killed)
            assert graph["accountEnabled"] is free, (point, killed)
            assert record.open is not free, (point, killed)
            if what == "approve" and any(step.action == "okta.reset_factors" for step in record.steps.values()):
                assert not world.okta.state["factors"].get(person.okta), (point, killed)
            if what == "recheck":
                suspends = [r for r in world.okta.requests if r.path.endswith("/lifecycle/suspend") and r.status == 200]
                assert len(suspends) == 2, (point, killed)
            assert world.journal().verify() == [], point
            responder = world.responder(catalogue=CATALOGUE)
            if not free:
                outcomes = restore(responder, containment, by="ida", reason="a drill")
                assert not [o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN)], point
                assert (okta["status"], graph["accountEnabled"]) == ("ACTIVE", True), point
        finally:
            world.__exit__(None, None, None)


def test_a_killed_restore_is_taken_up(world: World) -> None:
    """A restore that died half-way is finished by the next run, from the journal alone."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    world.graph.down = True
    outcomes = restore(responder, report.containment, by="ida", reason="a drill")
    assert any(o.status is Status.FAILED for o in outcomes)
    world.graph.down = False
    from responders.containment.responder import Timing
    from responders.containment.resume import resume

    later = world.responder(catalogue=CATALOGUE, timing=Timing(retry_due=0.0))
    import datetime

    until = later.now() + datetime.timedelta(minutes=1)
    resume(later, pipeline.contain, pipeline.signal_again, until)
    assert world.graph.state["users"][person.entra]["accountEnabled"] is True


@pytest.mark.parametrize("vendor", ["okta", "graph", "cyberark"])
def test_two_responders_at_once_suspend_once(world: World, vendor: str) -> None:
    """Two responders that share a journal and get the same alert make each change once."""
    import threading

    from responders.errors import Refused

    person = world.add_person("bob")
    one, two = world.responder(catalogue=CATALOGUE), world.responder(catalogue=CATALOGUE)
    row = raw_alert(person)

    def run(responder: Any) -> None:
        try:
            pipeline.contain(row, responder)
        except Refused:
            return

    threads = [threading.Thread(target=run, args=(responder,)) for responder in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changes = {
        "okta": [r for r in world.okta.requests if r.path.endswith("/suspend")],
        "graph": [r for r in world.graph.requests if r.method == "PATCH"],
        "cyberark": [r for r in world.cyberark.requests if r.path.endswith("/disable/")],
    }
    assert len(changes[vendor]) == 1
    assert one.journal.verify() == []
