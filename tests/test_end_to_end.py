"""One alert, all the way, on simulated vendors and a real OpenBao."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from responders import pipeline
from responders.containment import due, intake
from responders.containment.restore import restore
from responders.drill.attacker import Attacker
from responders.drill.world import World
from responders.errors import Refused
from responders.escalation.channels import File
from responders.model import Status, Tier
from tests.actions.vault_bench import held
from tests.catalogue import CATALOGUE
from tests.support import raw_alert


@pytest.mark.engine("openbao")
def test_every_way_in_is_cut_off_at_all_four_vendors(full_world: World) -> None:
    """An attacker who holds live access everywhere is refused everywhere, and the report says each step holds."""
    person = full_world.add_person("alice")
    attacker = Attacker(full_world, person)
    assert all(attacker.works().values())
    responder = full_world.responder(catalogue=CATALOGUE)
    evidence = [f"cyberark.account_id={person.held['cyberark account']}"]
    report = pipeline.contain(raw_alert(person, tq_evidence=evidence), responder)
    assert attacker.works() == dict.fromkeys(attacker.tries(), False)
    assert report.decision is not None
    assert report.decision.tier is Tier.REVOKE
    assert all(outcome.status.holds for outcome in report.outcomes)
    assert not report.loud
    assert responder.journal.verify() == []


@pytest.mark.engine("openbao")
def test_restore_gives_back_what_was_reversible(full_world: World) -> None:
    """After restore each vendor holds what it held, but for what none can bring back, which is named."""
    person = full_world.add_person("alice")
    assert full_world.bao is not None
    for stores in (full_world.okta.state["api_tokens"], full_world.okta.state["sessions"]):
        stores.clear()
    full_world.okta.state["tokens"].clear()
    full_world.okta.state["grants"].clear()
    full_world.cyberark.state["sessions"].clear()
    responder = full_world.responder(catalogue=CATALOGUE)
    client = responder.clients.get("vault", "default", privileged=False)
    assert client is not None
    client.warm()  # OpenBao makes an entity of whoever signs in for the first time: the responder's own is none of Alice's
    before = [full_world.okta.dump(), full_world.cyberark.dump(), held(full_world.bao)]
    graph = full_world.graph.dump()
    report = pipeline.contain(raw_alert(person), responder)
    assert held(full_world.bao)["entities"][person.entity]["disabled"]
    outcomes = restore(responder, report.containment, by="ida", reason="a false alarm")
    assert not [o for o in outcomes if o.status in (Status.FAILED, Status.UNKNOWN)]
    assert [full_world.okta.dump(), full_world.cyberark.dump(), held(full_world.bao)] == before
    after = full_world.graph.dump()
    for moved in ("signInSessionsValidFromDateTime", "revoked_at"):
        graph["users"][person.entra].pop(moved, None)
        after["users"][person.entra].pop(moved, None)
    assert after == graph
    assert Attacker(full_world, person).works()["vault sign-in"]


def test_the_same_finding_is_handled_once(world: World) -> None:
    """A SIEM that raises the same finding on each run causes no second change."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    row = raw_alert(person)
    first = pipeline.contain(row, responder)
    changes = len([r for r in world.okta.requests if r.method != "GET"])
    again = pipeline.contain(row, responder)
    assert again.containment == first.containment
    assert len([r for r in world.okta.requests if r.method != "GET"]) == changes


def test_low_confidence_observes_and_writes_nothing(world: World) -> None:
    """`observe` calls no vendor's write endpoint and puts the identity on the watch list."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    pipeline.contain(raw_alert(person, confidence=20), responder)
    for simulator in (world.okta, world.graph, world.cyberark):
        ours = [r for r in simulator.requests if r.method not in ("GET",) and "oken" not in r.path and "ogon" not in r.path]
        assert ours == []
    watched = [json.loads(line) for line in (world.folder / "signals" / "watch.jsonl").read_text().splitlines()]
    assert [row["tq_identity"] for row in watched] == ["bob"]


def test_medium_confidence_restricts(world: World) -> None:
    """Between the thresholds the identity is quarantined and its sessions end, but it is not disabled."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person, confidence=60), responder)
    assert report.decision is not None
    assert report.decision.tier is Tier.RESTRICT
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    assert not Attacker(world, person).works()["okta sign-in"]


def test_a_higher_tier_extends_the_open_containment(world: World) -> None:
    """A second, stronger alert raises the same containment, and keeps the first pre-state."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    first = pipeline.contain(raw_alert(person, confidence=60), responder)
    second = pipeline.contain(raw_alert(person, confidence=95, tq_events=["event-2"]), responder)
    assert second.containment == first.containment
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
    restore(responder, first.containment, by="ida", reason="false alarm")
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    assert world.okta.state["groups"][world.okta_group]["members"] == []


def test_an_alert_older_than_a_restore_never_contains_again(world: World) -> None:
    """An alert completed before the restore is escalated, not acted on; a newer one opens the next generation."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    first = pipeline.contain(raw_alert(person), responder)
    restore(responder, first.containment, by="ida", reason="false alarm")
    old = (datetime.now(timezone.utc) - timedelta(minutes=2)).isoformat()
    report = pipeline.contain(raw_alert(person, tq_completed_at=old, tq_events=["event-2"]), responder)
    assert report.loud
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    newer = pipeline.contain(raw_alert(person, tq_events=["event-3"]), responder)
    assert newer.containment not in ("", first.containment)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"


def test_one_vendor_down_delays_no_other_and_stays_due(world: World) -> None:
    """With Entra down, Okta and CyberArk are contained, the report is loud, and the next run finishes Entra."""
    from responders.containment.responder import Timing

    person = world.add_person("bob")
    world.graph.down = True
    timing = Timing(deadline=3.0, confirm_patience=0.5, retry_due=0.0)
    responder = world.responder(catalogue=CATALOGUE, timing=timing)
    report = pipeline.contain(raw_alert(person), responder)
    works = Attacker(world, person).works()
    assert not works["okta sign-in"]
    assert not works["cyberark sign-in"]
    assert report.loud
    assert any("entra" in item for item in report.open_items)
    world.graph.down = False
    pipeline.take_up(responder)
    assert not Attacker(world, person).works()["entra sign-in"]


def test_an_account_without_a_responder_is_loudly_open(world: World) -> None:
    """An AWS account of the identity is refused by name, and the escalation is loud."""
    from responders.model import Account

    person = world.add_person("bob")
    person.accounts.append(Account("aws", "123456789012", "user", "AIDAEXAMPLE"))
    report = pipeline.contain(raw_alert(person), world.responder(catalogue=CATALOGUE))
    assert report.loud
    assert any("aws:123456789012:AIDAEXAMPLE" in item and "no responder" in item for item in report.open_items)


def test_what_the_attacker_undoes_is_put_back_twice_then_escalated(world: World) -> None:
    """A re-enabled account is suspended again at the recheck, twice; the third time a person is called."""
    from responders.containment.recheck import recheck

    person = world.add_person("bob")
    log = world.folder / "escalations.jsonl"
    responder = world.responder(catalogue=CATALOGUE, channels=(File("file", str(log)),))
    report = pipeline.contain(raw_alert(person), responder)
    for number in (1, 2, 3):
        world.okta.state["users"][person.okta]["status"] = "ACTIVE"
        recheck(responder, report.containment, f"{number} s")
        status = world.okta.state["users"][person.okta]["status"]
        assert status == ("SUSPENDED" if number < 3 else "ACTIVE")
    last = json.loads(log.read_text().splitlines()[-1])
    assert last["loud"]
    assert any("a person must look" in item for item in last["open_items"])


def test_ambiguous_contains_nobody_and_escalates(world: World) -> None:
    """An account that two identities claim is nobody's: no vendor is called, the alert is kept and escalated."""
    person = world.add_person("bob")
    other = person.identity(id="robert")
    responder = world.responder(person.identity(), other, catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    assert report.loud
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    assert not world.okta.requests


def test_unmapped_account_is_restricted_at_most(world: World) -> None:
    """An account that no row claims is an identity of its own and is not disabled, whatever the confidence."""
    person = world.add_person("bob")
    stranger = world.add_person("eve")
    report = pipeline.contain(raw_alert(stranger, confidence=100), world.responder(person.identity(), catalogue=CATALOGUE))
    assert report.decision is not None
    assert report.decision.identity.unmapped
    assert report.decision.tier is Tier.RESTRICT
    assert world.okta.state["users"][stranger.okta]["status"] == "ACTIVE"


def test_break_glass_is_refused_and_escalated(world: World) -> None:
    """A break-glass identity is never touched; the refusal is loud."""
    person = world.add_person("root")
    responder = world.responder(person.identity(break_glass=True), catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    assert report.loud
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"


def test_halt_stops_automatic_writes_and_resume_lifts_it(world: World) -> None:
    """While halted nothing is written; after resume the next alert contains."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    responder.halt("ida", "looking into it")
    assert pipeline.contain(raw_alert(person), responder).loud
    assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
    responder.lift_halt("ida", "done")
    pipeline.contain(raw_alert(person, tq_events=["event-2"]), responder)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"


def test_an_alert_that_was_interrupted_and_then_halted_is_contained_after_resume(world: World) -> None:
    """Stored, its responder died, automation halted: due work puts it off, again and again, and contains it after resume."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    chain, _ = intake.store(raw_alert(person), responder.journal)
    responder.halt("ida", "looking into it")
    for _ in range(2):
        pipeline.take_up(responder)
        assert world.okta.state["users"][person.okta]["status"] == "ACTIVE"
        assert [item.about for item in due.pending(responder.journal, responder.now()) if item.what == "alert"] == [chain]
    responder.lift_halt("ida", "done")
    pipeline.take_up(responder)
    assert world.okta.state["users"][person.okta]["status"] == "SUSPENDED"
    assert not [item for item in due.pending(responder.journal, responder.now()) if item.what == "alert"]


@pytest.mark.parametrize(
    ("by", "approved_by", "reason", "word"),
    [
        ("mallory", None, "x", "may not restore"),
        ("ida", None, "", "reason"),
        ("ida", None, "x", "second person"),
        ("ida", "ida", "x", "second person"),
    ],
)
def test_who_may_restore(world: World, by: str, approved_by: str, reason: str, word: str) -> None:
    """Only restorers, with a reason, and two of them for a privileged identity."""
    person = world.add_person("bob")
    responder = world.responder(person.identity(criticality="privileged"), catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    with pytest.raises(Refused, match=word):
        restore(responder, report.containment, by=by, reason=reason, approved_by=approved_by)


def test_nobody_restores_themselves(world: World) -> None:
    """A contained restorer can't lift the own containment."""
    person = world.add_person("ida")
    responder = world.responder(catalogue=CATALOGUE)
    report = pipeline.contain(raw_alert(person), responder)
    with pytest.raises(Refused, match="themselves"):
        restore(responder, report.containment, by="ida", reason="I am innocent")


def test_unreadable_alert_is_kept_and_escalated(world: World) -> None:
    """A row that is no alert is journaled raw, escalated loudly, and touches no vendor."""
    responder = world.responder(catalogue=CATALOGUE)
    row = {"tq_detection": "no/such", "tq_account": "okta:default:x"}
    report = pipeline.contain(row, responder)
    assert report.loud
    raws = [doc["body"]["raw"] for _, doc in responder.journal.store.scan("e/a-") if doc["kind"] == "alert"]
    assert raws == [row]
    assert not world.okta.requests


def test_plan_writes_nothing(world: World) -> None:
    """A dry run shows the plan and leaves vendors and journal untouched."""
    person = world.add_person("bob")
    responder = world.responder(catalogue=CATALOGUE)
    report = pipeline.plan(raw_alert(person), responder)
    assert report.dry_run
    assert report.plan is not None
    assert report.plan.steps
    assert list(responder.journal.store.scan("")) == []
    assert [r for r in world.okta.requests if r.method != "GET" and "token" not in r.path] == []
