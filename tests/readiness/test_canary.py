"""The canary drill: the whole way at every vendor, there and back; and nobody can be locked out by it."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, List, Mapping, Tuple

import pytest

from responders import pipeline
from responders.alerts.canary import DETECTION, ENTRY, row_of_drill
from responders.alerts.row import alert_from_row, with_request
from responders.containment.canary import drill
from responders.containment.record import load
from responders.containment.responder import Responder, Timing
from responders.containment.restore import restore
from responders.drill.world import World
from responders.errors import BadInputs, Refused
from responders.escalation.channels import File
from responders.escalation.report import Report
from responders.inventory.files import read_inventory
from responders.journal.store import JournalStore, OneByOne
from responders.model import Account, Facts, Identity, Tier, Use
from responders.policy.decide import decide
from responders.surfaces.assemble import read_policy
from responders.vendors.open import ClientPool
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

QUICK = Timing(deadline=4.0, confirm_patience=0.2, retry_due=0.0)
KNOWN = {**CATALOGUE, DETECTION: ENTRY}


class Clock:
    """Wall-clock time, moved on by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead


class Stage:
    """A world with alice and a canary, and responders over one journal."""

    def __init__(self, world: World) -> None:
        self.world, self.clock, self.told_at = world, Clock(), world.folder / "told.jsonl"
        world.add_person("alice")
        world.add_person("canary")
        self.responder = self.open()

    def open(self, **marks: Any) -> Responder:
        people = self.world.people
        alice = people["alice"].identity(**marks)
        canary = replace(people["canary"].identity(), canary=True)
        channel = File("f", str(self.told_at))
        return self.world.responder(
            alice, canary, catalogue=KNOWN, timing=QUICK, clock=self.clock, channels=(channel,),
        )  # fmt: skip

    def told(self) -> List[Mapping[str, Any]]:
        return [json.loads(line) for line in self.told_at.read_text().splitlines()] if self.told_at.exists() else []

    def state(self, name: str) -> Dict[str, Any]:
        """Whether each vendor lets this person sign in."""
        person, world = self.world.people[name], self.world
        return {
            "okta": world.okta.state["users"][person.okta]["status"],
            "entra": world.graph.state["users"][person.entra]["accountEnabled"],
            "cyberark": world.cyberark.state["users"][person.cyberark]["enabled"],
        }

    def changes(self) -> List[str]:
        logs = (*self.world.okta.requests, *self.world.graph.requests, *self.world.cyberark.requests)
        ends = ("/token", "/logon", "/logoff")
        return [r.path for r in logs if r.method != "GET" and not r.path.lower().endswith(ends)]


FREE = {"okta": "ACTIVE", "entra": True, "cyberark": True}
OUT = {"okta": "SUSPENDED", "entra": False, "cyberark": False}


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


def test_every_path_is_walked_there_and_back(stage: Stage) -> None:
    """Contained at each vendor, read back, restored, with the seconds of both; no place of the blast radius is used."""
    seen: List[Dict[str, Any]] = []

    def contain(raw: Mapping[str, Any], responder: Responder) -> Report:
        found = pipeline.contain(raw, responder)
        seen.append(stage.state("canary"))
        return found

    found = drill("canary", Tier.REVOKE, stage.responder, contain)
    assert found.works, found
    assert seen == [OUT]
    assert stage.state("canary") == FREE
    assert [lane.vendor for lane in found.lanes] == ["cyberark", "entra", "okta"]
    assert all(lane.contain is not None and 0 < lane.contain < 4 for lane in found.lanes)
    assert all(lane.restore is not None and 0 <= lane.restore < 4 for lane in found.lanes)
    journal = stage.responder.journal
    assert list(journal.side("use/")) == []
    assert not load(journal, found.containment).open
    assert journal.verify() == []
    assert all(report["title"].startswith("canary drill: ") for report in stage.told())
    assert stage.state("alice") == FREE


@pytest.mark.engine("openbao")
def test_a_real_vault_is_drilled_too(full_world: World) -> None:
    """The entity's token is refused while it is contained, and the entity is enabled again afterwards."""
    person = full_world.add_person("canary", vendors=("vault",))
    responder = full_world.responder(replace(person.identity(), canary=True), catalogue=KNOWN, timing=QUICK)
    found = pipeline.drill_canary("canary", Tier.REVOKE, responder)
    [lane] = found.lanes
    assert (found.works, lane.vendor, lane.problem) == (True, "vault", ""), found
    assert found.untested == ("okta:default", f"entra:{found.untested[1][6:]}", "cyberark:default")
    assert full_world.bao is not None
    assert full_world.bao.request("GET", f"identity/entity/id/{person.entity}")["data"]["disabled"] is False


def test_one_an_hour_whoever_it_is(stage: Stage) -> None:
    """A second drill within the hour is refused, of another canary too; later it may go. Who edits the inventory can't
    keep somebody locked out."""
    pipeline.drill_canary("canary", Tier.REVOKE, stage.responder)
    edited = stage.open(canary=True)
    stage.clock.ahead = timedelta(minutes=59)
    for name in ("canary", "alice"):
        with pytest.raises(Refused, match="one an hour"):
            pipeline.drill_canary(name, Tier.REVOKE, edited)
    assert stage.state("alice") == FREE
    stage.clock.ahead = timedelta(minutes=61)
    assert pipeline.drill_canary("canary", Tier.RESTRICT, edited).works


HURT: List[Dict[str, Any]] = [
    {}, {"canary": True, "criticality": "privileged"}, {"canary": True, "protected": True}, {"canary": True, "shared": True},
    {"canary": True, "dependents": ("checkout",)}, {"canary": True, "break_glass": True}, {"canary": True, "id": "ida"},
]  # fmt: skip


@pytest.mark.parametrize("marks", HURT)
def test_nobody_else_is_drilled(stage: Stage, marks: Dict[str, Any]) -> None:
    """Not marked, or marked and yet somebody whom it would hurt: refused before anything is done."""
    responder = stage.open(**marks)
    with pytest.raises(Refused, match="can't be drilled"):
        pipeline.drill_canary(str(marks.get("id", "alice")), Tier.REVOKE, responder)
    assert stage.changes() == []
    assert list(responder.journal.side("canary/")) == []


def test_a_row_can_not_pass_for_a_drill(stage: Stage) -> None:
    """Neither a log line nor an analyst's click that names the drill's detection touches anybody, the canary included."""
    responder = stage.open(canary=True)
    for name in ("canary", "alice"):
        row = raw_alert(stage.world.people[name], tq_detection=DETECTION)
        asked = with_request({**row, "tq_finding": f"asked|{name}"}, "ida", "to lock them out", ["revoke"])
        for raw in (row, asked):
            assert pipeline.contain(raw, responder).containment == ""
    assert stage.changes() == []


def test_a_drill_that_was_used_can_not_be_played_again(stage: Stage) -> None:
    """The row of a drill, handed in once more after it is over, does nothing; nor does it for another identity."""
    rows: List[Mapping[str, Any]] = []

    def contain(raw: Mapping[str, Any], responder: Responder) -> Report:
        rows.append(raw)
        return pipeline.contain(raw, responder)

    drill("canary", Tier.REVOKE, stage.responder, contain)
    before = len(stage.changes())
    other = raw_alert(stage.world.people["alice"])["tq_account"]
    edited = stage.open(canary=True)
    pipeline.contain(rows[0], edited)
    pipeline.contain({**rows[0], "tq_account": other, "tq_account_kind": "user"}, edited)
    assert len(stage.changes()) == before
    assert (stage.state("alice"), stage.state("canary")) == (FREE, FREE)


@pytest.mark.parametrize("marks", HURT[:-1])
def test_a_guard_stands_behind_the_command(marks: Dict[str, Any]) -> None:
    """Should a drill ever reach the policy for anybody else, it is lowered to observe; for a canary it is not, though the
    hour's places are used up."""
    account = Account("okta", "default", "user", "00u1")
    canary = Identity("cat", "human", None, "normal", "production", False, (account,), (), canary=True)
    now = datetime.now(timezone.utc)
    alert = alert_from_row(row_of_drill(canary, now, "drill/canary|cat|d-1", "revoke"), KNOWN, now)
    uses = tuple(Use(f"u{n}", Tier.REVOKE, "x/y", now, False, False) for n in range(20))
    facts = Facts(population=1000, restorers=frozenset({"ida", "ivo"}), uses=uses)
    policy = read_policy("")
    assert decide([alert], canary, facts, policy, KNOWN, now).tier is Tier.REVOKE
    other = replace(canary, **{"canary": False, **marks})
    assert decide([alert], other, facts, policy, KNOWN, now).tier is Tier.OBSERVE
    assert decide([alert], canary, replace(facts, restorers=frozenset({"cat"})), policy, KNOWN, now).tier is Tier.OBSERVE
    assert decide([alert], canary, replace(facts, halted="halted"), policy, KNOWN, now).tier is Tier.OBSERVE


def test_guards_and_halt_hold(stage: Stage) -> None:
    """While halted nothing is drilled; a canary that is contained already is left to whoever restores it."""
    stage.responder.halt("ida", "an incident")
    with pytest.raises(Refused, match="halted by ida"):
        pipeline.drill_canary("canary", Tier.REVOKE, stage.responder)
    stage.responder.lift_halt("ida", "over")
    pipeline.contain(raw_alert(stage.world.people["canary"]), stage.responder)
    with pytest.raises(Refused, match="is contained at the moment"):
        pipeline.drill_canary("canary", Tier.REVOKE, stage.responder)
    assert stage.state("canary") == OUT


def test_what_a_dead_drill_left_is_put_back(stage: Stage) -> None:
    """It dies between containing and restoring: whoever takes up what is due restores the canary, once."""

    def dies(raw: Mapping[str, Any], responder: Responder) -> Report:
        pipeline.contain(raw, responder)
        raise SystemExit("killed")

    with pytest.raises(SystemExit):
        drill("canary", Tier.REVOKE, stage.responder, dies)
    assert stage.state("canary") == OUT
    stage.clock.ahead = timedelta(minutes=2)
    lines = pipeline.take_up(stage.open())
    assert any(line.startswith("canary canary: the canary is restored") for line in lines), lines
    assert stage.state("canary") == FREE
    assert all(line.endswith("nothing open") for line in pipeline.take_up(stage.open()))


def test_a_drill_that_died_early_contains_nobody_for_long(stage: Stage) -> None:
    """It dies right after its alert was journaled. Taken up at once it is finished and put back; taken up much later it
    contains nobody any more."""

    def dies(raw: Mapping[str, Any], responder: Responder) -> Report:
        pipeline.keep(raw, responder)
        raise SystemExit("killed")

    with pytest.raises(SystemExit):
        drill("canary", Tier.REVOKE, stage.responder, dies)
    stage.clock.ahead = timedelta(minutes=2)
    pipeline.take_up(stage.open())
    pipeline.take_up(stage.open())
    assert stage.changes() != []
    assert stage.state("canary") == FREE
    stage.clock.ahead = timedelta(hours=2)
    with pytest.raises(SystemExit):
        drill("canary", Tier.REVOKE, stage.open(), dies)
    before = len(stage.changes())
    stage.clock.ahead = timedelta(hours=3)
    pipeline.take_up(stage.open())
    assert len(stage.changes()) == before
    assert stage.state("canary") == FREE


class Killed(BaseException):
    """Stands for SIGKILL: nothing that is written or called afterwards gets through."""


class Mortal(OneByOne):
    """A journal store, and an observer of vendor calls, that die at their `last` write or call and stay dead."""

    def __init__(self, store: JournalStore, last: int) -> None:
        self._store, self._last, self.count = store, last, 0

    def point(self, *_: Any) -> None:
        if self._last >= 0 and self.count >= self._last:
            raise Killed
        self.count += 1

    def create(self, key: str, doc: Mapping[str, Any]) -> bool:
        self.point()
        return self._store.create(key, doc)

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Mapping[str, Any]]]:
        return self._store.scan(prefix, after)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_killed_anywhere_the_canary_is_free_again(stage: Stage) -> None:
    """At points over the whole drill, writes and vendor calls alike: whoever takes up what is due puts it back."""

    def drilled(last: int) -> int:
        responder = stage.open()
        mortal = Mortal(responder.journal.store, last)
        responder.journal.store = mortal
        pool = ClientPool(stage.world.connections, clock=stage.clock, on_call=mortal.point)
        try:
            pipeline.drill_canary("canary", Tier.REVOKE, replace(responder, clients=pool))
        except Killed:
            return -1
        finally:
            with contextlib.suppress(Killed):
                pool.close()
        return mortal.count

    total = drilled(-1)
    assert total > 60
    step = 16 if os.environ.get("CI") == "true" else 40
    for number, last in enumerate(range(7, total, step), 1):
        stage.clock.ahead = timedelta(hours=2 * number)
        drilled(last)
        stage.clock.ahead += timedelta(minutes=2)
        for _ in range(2):
            pipeline.take_up(stage.open())
        assert stage.state("canary") == FREE, last
        assert stage.open().journal.verify() == [], last
        assert stage.open().halted() == "", last


def test_a_broken_path_is_told_loudly(stage: Stage) -> None:
    """One vendor is down: the others are measured and restored, people are told which path broke."""
    stage.world.graph.down = True
    found = pipeline.drill_canary("canary", Tier.REVOKE, stage.responder)
    lanes = {lane.vendor: lane for lane in found.lanes}
    assert not found.works
    assert lanes["entra"].problem
    assert lanes["entra"].contain is None
    assert (lanes["okta"].problem, lanes["cyberark"].problem) == ("", "")
    assert [r["loud"] for r in stage.told() if "a path is BROKEN" in r["title"]] == [True]
    assert stage.state("canary") == FREE


def test_a_real_alert_during_a_drill_keeps_the_canary_contained(stage: Stage) -> None:
    """Somebody really uses the canary: the drill must not set them free. A person restores."""

    def joined(raw: Mapping[str, Any], responder: Responder) -> Report:
        found = pipeline.contain(raw, responder)
        pipeline.contain(raw_alert(stage.world.people["canary"]), responder)
        return found

    found = drill("canary", Tier.REVOKE, stage.responder, joined)
    assert any("a person must decide" in problem for problem in found.problems)
    assert stage.state("canary") == OUT
    stage.clock.ahead = timedelta(minutes=2)
    pipeline.take_up(stage.open())
    assert stage.state("canary") == OUT
    with pytest.raises(Refused, match="may not restore"):
        restore(stage.open(), found.containment, by="canary drill", reason="set free")
    restore(stage.open(), found.containment, by="ida", reason="it was nothing")
    assert stage.state("canary") == FREE


def test_who_counts_on_a_canary_is_told_by_the_file() -> None:
    """The inventory refuses a canary that is privileged, protected, shared, depended upon or able to restore."""
    head = "id,kind,criticality,protected,shared,can_restore,dependents,accounts,canary\n"
    good = read_inventory(head + "cat,human,,,,,,okta:corp:00u1,true\nbob,human,,,,,,okta:corp:00u2,\n", "people.csv")
    assert [identity.canary for identity in good.identities] == [True, False]
    bad = "cat,human,privileged,true,true,true,shop,okta:corp:00u1,true\n"
    with pytest.raises(BadInputs, match=r"people\.csv:2: canary: 'cat' is privileged and protected and shared"):
        read_inventory(head + bad, "people.csv")
