"""The canary drill, attacked: a killed process, two at once, somebody else's account under the canary's name."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, List, Mapping, Tuple

import pytest

from responders import pipeline
from responders.alerts.canary import row_of_drill
from responders.alerts.row import alert_from_row
from responders.containment.canary import drill
from responders.containment.record import latest
from responders.containment.responder import Responder
from responders.drill.world import World
from responders.errors import Refused
from responders.escalation.report import Report
from responders.model import Account, Facts, Identity, Tier
from responders.policy.decide import decide
from responders.settings import Connection
from responders.surfaces.assemble import read_policy
from tests.readiness.test_canary import FREE, KNOWN, OUT, QUICK, Stage


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


def _contain_and_wait(
    folder: Path, key: bytes, connections: Tuple[Connection, ...], canary: Identity, contained: Event
) -> None:
    """A process that drills, and waits for its death when the canary is contained."""
    world = World(folder, vault=False)
    world.key, world.connections = key, connections

    def contain(raw: Mapping[str, Any], responder: Responder) -> Report:
        found = pipeline.contain(raw, responder)
        contained.set()
        time.sleep(600)
        return found

    drill(canary.id, Tier.REVOKE, world.responder(canary, catalogue=KNOWN, timing=QUICK), contain)


def test_a_process_killed_between_containing_and_restoring(stage: Stage) -> None:
    """SIGKILL: nothing of the process is left. Whoever takes up what is due puts the canary back and tells people, once."""
    world = stage.world
    canary = replace(world.people["canary"].identity(), canary=True)
    context = multiprocessing.get_context("spawn")
    contained = context.Event()
    child = context.Process(
        target=_contain_and_wait, args=(world.folder, world.key, world.connections, canary, contained), daemon=True
    )
    child.start()
    try:
        assert contained.wait(120.0)
        assert stage.state("canary") == OUT
    finally:
        child.kill()
        child.join()
    stage.clock.ahead = timedelta(minutes=2)
    for _ in range(2):
        pipeline.take_up(stage.open())
    assert stage.state("canary") == FREE
    assert stage.open().journal.verify() == []
    told = [report for report in stage.told() if "a path is BROKEN" in report["title"]]
    assert [report["loud"] for report in told] == [True]
    assert "the drill died before it was over" in str(told[0]["open_items"])


def test_two_schedules_at_one_moment_drill_once(stage: Stage) -> None:
    """A timer on each of two machines: one drills, the other is refused, and the canary is free in the end."""
    two = [stage.open(), stage.open()]

    def one(responder: Responder) -> str:
        try:
            return "works" if pipeline.drill_canary("canary", Tier.REVOKE, responder).works else "broken"
        except Refused:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, two)) == ["refused", "works"]
    assert stage.state("canary") == FREE
    found = latest(stage.open().journal, "canary")
    assert found is not None and found[0] == 1 and not found[1].open


def test_another_persons_account_under_the_canary_is_not_drilled(stage: Stage) -> None:
    """The inventory puts alice's Okta account into the canary, by a mistake or on purpose: nothing is done to anybody."""
    people = stage.world.people
    canary = people["canary"].identity()
    stolen = tuple(account for account in people["alice"].identity().accounts if account.vendor == "okta")
    both = replace(canary, canary=True, accounts=(*canary.accounts, *stolen))
    with pytest.raises(Refused, match="two accounts of one kind at one place"):
        pipeline.drill_canary("canary", Tier.REVOKE, stage.world.responder(both, catalogue=KNOWN, timing=QUICK))
    assert stage.changes() == []


def test_what_changes_while_the_drill_runs_is_not_drilled(stage: Stage) -> None:
    """A sync that ends between the look and the alert makes the canary shared, or takes its mark: it is left alone."""
    canary = stage.world.people["canary"].identity()
    for marks in ({"canary": False}, {"canary": True, "shared": True}, {"canary": True, "dependents": ("shop",)}):
        after = stage.world.responder(replace(canary, **marks), catalogue=KNOWN, timing=QUICK, clock=stage.clock)

        def contain(raw: Mapping[str, Any], _: Responder, after: Responder = after) -> Report:
            return pipeline.contain(raw, after)

        found = drill("canary", Tier.REVOKE, stage.open(), contain)
        assert not found.works and not found.containment
        assert stage.changes() == []
        stage.clock.ahead += timedelta(hours=2)


def test_a_tenant_where_nothing_was_done_is_no_path_that_works(stage: Stage) -> None:
    """The canary's account at a second Okta org that nobody connected: the drill does not call Okta sound."""
    canary = stage.world.people["canary"].identity()
    accounts = (*canary.accounts, Account("okta", "other", "user", "00u00000000000000001"))
    responder = stage.world.responder(replace(canary, canary=True, accounts=accounts), catalogue=KNOWN, timing=QUICK)
    found = pipeline.drill_canary("canary", Tier.REVOKE, responder)
    lanes = {lane.vendor: lane.problem for lane in found.lanes}
    assert not found.works and "okta:other" in lanes["okta"] and lanes["entra"] == ""
    assert stage.state("canary") == FREE


def test_an_administrator_of_a_vendor_is_no_canary() -> None:
    """Whatever the inventory says: whoever the vendor itself counts among its administrators is not drilled."""
    account = Account("okta", "default", "user", "00u1")
    canary = Identity("cat", "human", None, "normal", "production", False, (account,), (), canary=True)
    now = datetime.now(timezone.utc)
    alert = alert_from_row(row_of_drill(canary, now, "drill/canary|cat|d-1", "revoke"), KNOWN, now)
    reached: List[Tier] = []
    for who in ("00u1", "00u2"):
        facts = Facts(
            population=1000, restorers=frozenset({"ida", "ivo"}), administrators={"okta:default": frozenset({who, "00u3"})}
        )
        reached.append(decide([alert], canary, facts, read_policy(""), KNOWN, now).tier)
    assert reached == [Tier.OBSERVE, Tier.REVOKE]
