"""Killed at any point, the next start finishes: enumerated over every journal write and every vendor call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Mapping, Optional, Tuple

import pytest

from responders import pipeline
from responders.containment.record import load
from responders.containment.responder import Timing
from responders.containment.restore import restore
from responders.drill.attacker import Attacker
from responders.drill.world import World
from responders.model import Status
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 0.2
QUICK = Timing(deadline=10.0, confirm_patience=PATIENCE)
Vendors = Tuple[str, ...]
APPROVED = {
    ("okta", "entra"): ("okta.reset_factors",),
    ("cyberark", "vault"): ("cyberark.reconcile_password",),
    ("okta", "entra", "cyberark"): (),
}


class Children:
    """Processes that die at a point, each forked from one that has imported all already."""

    def __init__(self, errors: IO[str]) -> None:
        self._errors = errors
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.containment.kill_child"],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip

    def run(self, world: World, row: Mapping[str, Any], point: int, what: str = "contain", containment: str = "") -> bool:
        """One containment (or `what` else) in a process that dies (os._exit) at its `point`th write or call; did it?"""
        given = {
            "what": what,
            "containment": containment,
            "approve": APPROVED[tuple(account.vendor for account in world.people["bob"].accounts)],
            "folder": str(world.folder),
            "key": world.key.decode(),
            "row": row,
            "point": point,
            "patience": PATIENCE,
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
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        code = self._process.stdout.readline().strip()
        self._errors.seek(0)
        assert code in ("0", "99"), (code, self._errors.read()[-2000:])
        return code == "99"

    def points(self, world: World, row: Mapping[str, Any], what: str = "contain", containment: str = "") -> int:
        """How many points there are: the process counts them when it is not killed."""
        assert not self.run(world, row, -1, what, containment)
        return int((world.folder / "points").read_text())

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    with open(tmp_path_factory.mktemp("children") / "errors", "w+", encoding="utf-8") as errors:
        found = Children(errors)
        yield found
        found.close()


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The one real OpenBao of this module."""
    with World(tmp_path_factory.mktemp("bank")) as found:
        yield found


@pytest.mark.parametrize("part", range(4))
def test_killed_anywhere_the_next_start_finishes(children: Children, tmp_path: Path, part: int) -> None:
    """For each point: the attacker is shut out, every pre-state is the true one, and restore gives it back."""
    (tmp_path / "count").mkdir()
    with World(tmp_path / "count", vault=False) as world:
        person = world.add_person("bob")
        total = children.points(world, raw_alert(person))
    assert total > 20
    step = 4 if os.environ.get("CI") == "true" else 16
    tried: List[int] = list(range(part, total, step))
    for point in tried:
        folder = tmp_path / str(point)
        folder.mkdir()
        with World(folder, vault=False) as world:
            person = world.add_person("bob")
            row = raw_alert(person)
            killed = children.run(world, row, point)
            responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
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


class Company:
    """A world with a containment that is open, and what is true of its identity at each vendor."""

    def __init__(self, world: World, vendors: Vendors) -> None:
        self.world, self.vendors = world, vendors
        self.person = world.add_person("bob", vendors=vendors)
        if "okta" in vendors:
            world.okta.add_factor(self.person.okta)
        evidence = [f"cyberark.account_id={self.person.held['cyberark account']}"] if "cyberark" in vendors else []
        self.row = raw_alert(self.person, vendor=vendors[0], tq_evidence=evidence)
        responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
        self.containment = pipeline.contain(self.row, responder).containment
        assert set(self.enabled().values()) == {False}

    def enabled(self) -> Dict[str, bool]:
        """Whether the account may sign in, by vendor."""
        world, person = self.world, self.person
        reads = {
            "okta": lambda: world.okta.state["users"][person.okta]["status"] == "ACTIVE",
            "entra": lambda: world.graph.state["users"][person.entra]["accountEnabled"],
            "cyberark": lambda: world.cyberark.state["users"][person.cyberark]["enabled"],
            "vault": lambda: not self._entity()["disabled"],
        }
        return {vendor: bool(reads[vendor]()) for vendor in self.vendors}

    def _entity(self) -> Mapping[str, Any]:
        assert self.world.bao is not None
        found: Mapping[str, Any] = self.world.bao.request("GET", f"identity/entity/id/{self.person.entity}")["data"]
        return found

    def enable(self) -> None:
        """The attacker undoes the containment at every vendor."""
        world, person = self.world, self.person
        if "okta" in self.vendors:
            world.okta.state["users"][person.okta]["status"] = "ACTIVE"
            world.graph.state["users"][person.entra]["accountEnabled"] = True
        else:
            assert world.bao is not None
            world.cyberark.state["users"][person.cyberark]["enabled"] = True
            world.bao.request("POST", f"identity/entity/id/{person.entity}", {"disabled": False})

    def put_back(self) -> int:
        """How often the containment's block was made at the first vendor."""
        end = {"okta": "/lifecycle/suspend", "cyberark": "/disable/"}[self.vendors[0]]
        requests = self.world.okta.requests if self.vendors[0] == "okta" else self.world.cyberark.requests
        return len([r for r in requests if r.path.endswith(end) and r.status < 300])

    def approved_holds(self) -> bool:
        """What the approved action does has been done."""
        world, person = self.world, self.person
        if "okta" in self.vendors:
            return not world.okta.state["factors"].get(person.okta)
        path = f"/Accounts/{person.held['cyberark account']}/Reconcile"
        return any(r.path.endswith(path) and r.status < 300 for r in world.cyberark.requests)

    def take_up_later(self, minutes: int) -> None:
        at = datetime.now(timezone.utc) + timedelta(minutes=minutes)
        pipeline.take_up(self.world.responder(catalogue=CATALOGUE, timing=QUICK, clock=lambda: at))


@contextmanager
def company(folder: Path, vendors: Vendors, bank: Optional[World]) -> Iterator[Company]:
    """A company of its own; Vault's people have an entity of their own each time, in the one OpenBao."""
    folder.mkdir()
    with World(folder, vault=False) as world:
        if bank is None:
            yield Company(world, vendors)
            return
        world.bao, world.vault_url = bank.bao, bank.vault_url
        world.connections += tuple(c for c in bank.connections if c.vendor == "vault")
        found = Company(world, vendors)
        try:
            yield found
        finally:
            assert bank.bao is not None
            bank.bao.request("DELETE", f"identity/entity/id/{found.person.entity}")
            # The responders' own tokens: each of them would be looked at by every containment to come.
            bank.bao.request("POST", "sys/leases/revoke-prefix/auth/approle/login", {})


BOTH = [
    pytest.param(("okta", "entra"), id="okta-entra"),
    pytest.param(("cyberark", "vault"), id="cyberark-vault", marks=pytest.mark.engine("openbao")),
]


@pytest.mark.parametrize("vendors", BOTH)
@pytest.mark.parametrize("what", ["recheck", "approve", "restore"])
def test_killed_anywhere_the_rest_is_finished_too(
    children: Children, request: pytest.FixtureRequest, tmp_path: Path, what: str, vendors: Vendors
) -> None:
    """A recheck, an approval, a restore that dies before or after any write or call: the next runs finish what it began."""
    bank: Optional[World] = request.getfixturevalue("bank") if "vault" in vendors else None
    with company(tmp_path / "count", vendors, bank) as found:
        if what == "recheck":
            found.enable()
        total = children.points(found.world, found.row, what, found.containment)
    assert total > 10
    # A write has a point before and one after it: every other one.
    step = 2 if os.environ.get("CI") == "true" else 7
    for point in range(0, total, step):
        with company(tmp_path / str(point), vendors, bank) as found:
            if what == "recheck":
                found.enable()
            world, containment = found.world, found.containment
            killed = children.run(world, found.row, point, what, containment)
            for minutes in (2, 4):
                found.take_up_later(minutes)
            record = load(world.journal(), containment)
            begun = any(entry.kind == "restoring" for entry in record.entries)
            free = what == "restore" and begun
            assert set(found.enabled().values()) == {free}, (point, killed, found.enabled())
            assert record.open is not free, (point, killed)
            if what == "approve" and any(step.action in APPROVED[vendors] for step in record.steps.values()):
                assert found.approved_holds(), (point, killed)
            if what == "recheck":
                assert found.put_back() == 2, (point, killed)
            assert world.journal().verify() == [], point
            if not free:
                responder = world.responder(catalogue=CATALOGUE, timing=QUICK)
                outcomes = restore(responder, containment, by="ida", reason="a drill")
                assert not [o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN)], point
                assert set(found.enabled().values()) == {True}, point


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
