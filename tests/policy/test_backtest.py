"""Backtest: numbers checked by hand, the same decisions as live, and rows that are no alerts named and counted."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import html
import json
import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders import pipeline
from responders.backtest.page import render
from responders.backtest.past import BENIGN, FALSE, TRUE, Past, closed_as, past
from responders.backtest.places import Places
from responders.backtest.replay import Assumptions, Replay, replay
from responders.backtest.result import Result, as_json, compare
from responders.backtest.summary import Shift, differ, shifts, summarise
from responders.backtest.window import Window
from responders.containment.responder import Timing
from responders.drill.world import Person, World
from responders.errors import BadAlert, BadInput, BadPolicy
from responders.inventory.resolve import Inventory
from responders.model import Account, Alert, Decision, Identity, Place, Tier, Use
from responders.policy.confidence import fuse
from responders.policy.guards import count
from responders.policy.policy import Fusion, Policy
from responders.policy.proof import FRESH, check, digest, required
from responders.surfaces.assemble import read_catalogue, read_policy
from responders.surfaces.command_line.main import main
from responders.surfaces.command_line.past_alerts import from_file
from responders.surfaces.command_line.policies import DEFAULT
from responders.surfaces.command_line.policy_backtest import span
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=timezone.utc)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=timezone.utc)
POLICY = read_policy("")


def account(number: int) -> Account:
    return Account("okta", "corp", "user", f"00u{number:017d}")


def identity(number: int, **more: Any) -> Identity:
    given: Dict[str, Any] = {
        "id": f"id-{number}", "kind": "human", "owner": "a team", "criticality": "normal", "environment": "production",
        "protected": False, "accounts": (account(number),), "dependents": (), **more,
    }  # fmt: skip
    return Identity(**given)


def row(number: int, confidence: int, *, minutes: float = 0, **more: Any) -> Dict[str, Any]:
    """A row as a SIEM exports it."""
    at = (NOON + timedelta(minutes=minutes)).isoformat()
    return {
        "tq_detection": "test/strong", "tq_account": account(number).key, "tq_confidence": str(confidence),
        "tq_events": [f"event-{number}-{minutes}"], "tq_completed_at": at,
        "tq_finding": f"{number}|{minutes}|{confidence}", **more,
    }  # fmt: skip


def company(*special: Identity, size: int = 1000) -> Inventory:
    """So many people, of whom two may restore; `special` take the place of those with the same id."""
    known = {f"id-{number}": identity(number) for number in range(size)}
    known.update({one.id: one for one in special})
    return Inventory(list(known.values()), {}, frozenset({"id-998", "id-999"}))


def run(rows: List[Dict[str, Any]], inventory: Optional[Inventory] = None, policy: Policy = POLICY, **more: Any) -> Replay:
    pasts = [past(f"row {number}", item, CATALOGUE, NOW) for number, item in enumerate(rows, 1)]
    return replay(pasts, inventory or company(), policy, CATALOGUE, Assumptions(**more))


# -- numbers by hand ------------------------------------------------------------------------------------------


def test_tiers_by_confidence_are_counted_as_the_policy_says() -> None:
    """A human at 49, 50 and 80: observed, restricted, revoked; the two contained are two identities."""
    found = summarise(run([row(1, 49), row(2, 50, minutes=61), row(3, 80, minutes=122)]))
    assert (found.judged, found.identities, found.restricted, found.revoked) == (3, 2, 1, 1)
    assert [(c.identity.id, c.tier) for c in found.containments] == [("id-2", Tier.RESTRICT), ("id-3", Tier.REVOKE)]


def test_a_second_alert_raises_the_containment_that_is_open() -> None:
    """50 restricts; ten minutes later 90 revokes: one containment, at revoke, two alerts."""
    found = run([row(1, 50), row(1, 90, minutes=10)])
    assert [(c.tier, c.alerts) for c in found.containments] == [(Tier.REVOKE, 2)]
    assert found.containments[0].raised == NOON + timedelta(minutes=10)


def test_earlier_alerts_are_fused_as_live() -> None:
    """45, then 40 of another layer an hour later: 1 - 0.55·(1 - 0.5·0.4) = 56; after 25 h the first counts no more."""
    pam = {"tq_detection": "test/pam"}
    assert run([row(1, 45), row(1, 40, minutes=60, **pam)]).judged[-1].confidence == 56
    assert run([row(1, 45), row(1, 40, minutes=25 * 60, **pam)]).judged[-1].confidence == 40


def test_the_same_finding_again_is_judged_once() -> None:
    """A SIEM that raised a finding three times is one alert; a higher confidence is another."""
    found = run([row(1, 50), row(1, 50), row(1, 50), row(1, 60, tq_finding="1|0|50")])
    assert (len(found.judged), found.repeated) == (2, 2)


def test_a_storm_is_bounded_and_told() -> None:
    """1,000 people: 0.5 % are 5 places, 30 % of them kept for analysts, 40 % for one detection: two of twelve are revoked.

    The next hour has places again.
    """
    rows = [row(number, 95, minutes=number / 10) for number in range(12)]
    found = summarise(run([*rows, row(50, 95, minutes=90)]))
    first = [c for c in found.containments if c.opened < NOON + timedelta(hours=1)]
    assert [c.tier for c in first if c.tier is Tier.REVOKE] == [Tier.REVOKE] * 2
    assert len(found.storms) == 1
    storm = found.storms[0]
    assert (storm.begin, storm.end, storm.detections[0][0]) == (NOON, NOON + timedelta(hours=1), "test/strong")
    assert storm.held == 12 - 2
    assert found.hours[-1].revoked == 1
    assert [(g.guard, g.alerts) for g in found.guards] == [("blast radius", 10)]


def test_the_largest_storm_comes_first() -> None:
    """Lists are cut: the storm of a hundred must not hide behind days of single alerts."""
    rows = [row(number, 95, minutes=number / 10) for number in range(4)]
    rows += [row(100 + number, 95, minutes=600 + number / 10) for number in range(9)]
    storms = summarise(run(rows)).storms
    assert [(storm.held, storm.begin > NOON) for storm in storms] == [(7, True), (2, False)]


def test_dependents_and_protected_identities() -> None:
    """A production service with dependents at 95 waits for approval at revoke; a protected one is never touched."""
    service = identity(1, kind="service", dependents=("checkout",))
    agent = identity(3, kind="agent", dependents=("search",))
    held = company(service, identity(2, protected=True), agent)
    found = summarise(run([row(1, 94), row(2, 99, minutes=61), row(3, 90, minutes=122)], held))
    assert [(h.dependent, h.revoked, h.restricted) for h in found.dependents] == [
        ("search", ("id-3",), ()), ("checkout", (), ("id-1",)),
    ]  # fmt: skip
    assert ("protected", 1, 1) in [(g.guard, g.alerts, g.identities) for g in found.guards]


def test_wrong_is_what_the_customer_closed_as_false() -> None:
    """Closed as false or benign is wrong, unless another alert on it was true; a true one below every tier is missed."""
    rows = [
        row(1, 90, disposition="disposition:3"),
        row(2, 90, minutes=61, disposition="Benign Positive - Suspicious But Expected"),
        row(3, 90, minutes=122, tq_closed_as="false positive"),
        row(3, 91, minutes=125, tq_closed_as="true positive"),
        row(4, 30, minutes=200, tq_closed_as="tp"),
        row(5, 90, minutes=260),
    ]
    found = summarise(run(rows))
    assert [c.identity.id for c in found.wrong] == ["id-1", "id-2"]
    assert (found.disputed, found.proved, found.missed) == (1, 1, (("id-4", 30),))


def test_a_containment_is_over_when_it_is_assumed_so() -> None:
    """24 h after its last alert; a new alert opens the next, one that completed before the end contains nobody again."""
    late = row(1, 90, minutes=30 * 60)
    found = run([row(1, 90), late])
    assert [c.opened for c in found.containments] == [NOON, NOON + timedelta(hours=30)]
    stale = {**row(1, 90, minutes=5), "_time": (NOON + timedelta(hours=30)).isoformat()}
    again = run([row(1, 90), stale])
    assert len(again.containments) == 1 and "older than the end" in again.judged[-1].note
    assert len(run([row(1, 90), late], closed_after=timedelta(hours=48)).containments) == 1


def test_two_policies_differ_by_identity() -> None:
    """A human threshold of 60 instead of 50: who was restricted at 55 is observed, and nobody else differs."""
    humans = {**POLICY.thresholds, "human": dataclasses.replace(POLICY.thresholds["human"], restrict=60)}
    proposed = dataclasses.replace(POLICY, version="strict", thresholds=humans)
    rows = [row(1, 55, disposition="disposition:3"), row(2, 65, minutes=61)]
    changes = differ(summarise(run(rows)), summarise(run(rows, policy=proposed)))
    assert [(c.identity, c.before, c.after, c.wrong) for c in changes] == [("id-1", Tier.RESTRICT, Tier.OBSERVE, True)]


def test_a_change_is_for_or_against_how_the_alerts_were_closed() -> None:
    """Less far on a false positive is better, on a true one worse; further is the other way round. Counted by tiers."""
    humans = {**POLICY.thresholds, "human": dataclasses.replace(POLICY.thresholds["human"], restrict=60)}
    loose = dataclasses.replace(POLICY, version="loose", thresholds=humans)
    closed = ("disposition:3", "disposition:1", "", "disposition:1")
    rows = [row(n, 55, minutes=61 * n, disposition=word) for n, word in enumerate(closed)]
    as_is, other = summarise(run(rows)), summarise(run(rows, policy=loose))
    less, more = differ(as_is, other), differ(other, as_is)
    assert [c.identity for c in less] == ["id-1", "id-3", "id-0", "id-2"]
    assert [c.identity for c in more] == ["id-0", "id-1", "id-2", "id-3"]
    assert shifts(less) == (Shift(Tier.RESTRICT, Tier.OBSERVE, 4, better=1, worse=2),)
    assert shifts(more) == (Shift(Tier.OBSERVE, Tier.RESTRICT, 4, better=2, worse=1),)


def test_an_account_of_two_identities_contains_nobody() -> None:
    """Ambiguous alerts are counted as such."""
    found = summarise(run([row(1, 90, tq_account=[account(1).key, account(2).key])]))
    assert (found.nobody, found.identities) == (1, 0)


# -- the same decisions as live ---------------------------------------------------------------------------------


def test_decisions_equal_those_of_the_live_pipeline(world: World) -> None:
    """Alerts of the drill's detections go through the pipeline against simulated vendors, then through a backtest.

    Tier, confidence, actions and guards are the same each time: storms, dependents, protection, unmapped accounts.
    """
    people = [
        world.add_person(name, vendors=("okta",)) for name in ("alice", "bob", "carol", "dan", "erin", "frank", "gina")
    ]
    stranger = Person("x", [Account("okta", "default", "user", "00uZZZZZZZZZZZZZZZZZ")])
    special: Dict[str, Dict[str, Any]] = {
        "bob": {"criticality": "privileged"}, "carol": {"kind": "service", "dependents": ("checkout",)},
        "dan": {"protected": True}, "erin": {"shared": True},
    }  # fmt: skip
    known = [person.identity(**special.get(person.name, {})) for person in people]
    catalogue = read_catalogue()
    timing = Timing(deadline=5.0, confirm_patience=0.2, retry_due=0.0)
    responder = world.responder(*known, catalogue=catalogue, timing=timing)
    script: List[Tuple[Person, str, int]] = [
        (people[0], "okta/session_replay", 40), (people[0], "vault/wide_read", 45), (people[1], "okta/session_replay", 78),
        (people[2], "okta/session_replay", 97), (people[3], "okta/session_replay", 99), (people[4], "aws/trail_stopped", 95),
        (stranger, "okta/session_replay", 95), (people[5], "entra/password_spray_then_success", 92),
        (people[6], "okta/session_replay", 91), (people[0], "okta/session_replay", 88), (people[5], "aws/trail_stopped", 60),
    ]  # fmt: skip
    script = [(person, slug if slug in catalogue else "okta/session_replay", points) for person, slug, points in script]
    rows, live = [], []
    for number, (person, slug, points) in enumerate(script):
        raw = raw_alert(
            person, confidence=points, tq_detection=slug, tq_events=[f"event-{number}"], tq_causes=[f"ip:192.0.2.{number}"]
        )
        raw["_time"] = datetime.now(timezone.utc).isoformat()
        report = pipeline.contain(raw, responder)
        assert report.decision is not None
        rows.append(raw)
        live.append(report.decision)
    seen: List[Decision] = []
    pasts = [past(str(n), item, catalogue, datetime.now(timezone.utc)) for n, item in enumerate(rows)]
    replay(pasts, responder.inventory, responder.policy, catalogue, Assumptions(), seen=lambda _, found: seen.append(found))
    assert len(seen) == len(live)
    open_tiers: Dict[str, Tier] = {}
    for ours, theirs in zip(seen, live):
        before = open_tiers.get(ours.identity.id, Tier.OBSERVE)
        assert (theirs.identity.id, theirs.tier) == (ours.identity.id, max(before, ours.tier))
        if before <= ours.tier:  # else live shows the decision of the containment that is open
            guards = [{reason.guard for reason in d.reasons if reason.guard} for d in (ours, theirs)]
            assert (ours.confidence, ours.actions, guards[0]) == (theirs.confidence, theirs.actions, guards[1])
        open_tiers[ours.identity.id] = max(before, ours.tier)
    tripped = {reason.guard for found in seen for reason in found.reasons if reason.guard}
    assert {"blast radius", "protected", "shared account", "unmapped account"} <= tripped


# -- quick, and nothing lost ----------------------------------------------------------------------------------------

WORDS = st.frozensets(st.sampled_from("abc"), max_size=2)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 3), st.sampled_from(sorted(CATALOGUE)), WORDS),
        min_size=1, max_size=90,
    )
)  # fmt: skip
def test_the_window_leaves_out_nothing_that_counts(drawn: List[Tuple[int, int, str, Any]]) -> None:
    """What a window hands over fuses to the same score as all alerts of the time, whichever of them guards ask of."""
    window, alerts = Window(), []
    for number, (points, hours, slug, words) in enumerate(drawn):
        at = NOON - timedelta(hours=10 * hours)
        one = Alert(
            f"f{number}", slug, CATALOGUE[slug]["layer"], points, (), (), words, at, at, f"f{number}", causes=words
        )  # fmt: skip
        alerts.append(one)
        window.add(one, (CATALOGUE[slug]["forgery"], CATALOGUE[slug]["max_tier"]))
    kept = window.strongest(NOON - timedelta(hours=24), "")
    for whole in (None, lambda a: a.detection != "test/outsider"):
        ours, theirs = fuse(kept, Fusion(), NOON, whole), fuse(alerts, Fusion(), NOON, whole)
        assert (ours.points, ours.strongest) == (theirs.points, theirs.strongest)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40), st.sampled_from("abcd"), st.sampled_from((Tier.RESTRICT, Tier.REVOKE)),
            st.sampled_from(("x/y", "v/w")), st.booleans(), st.booleans(),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_places_kept_counted_are_those_that_guards_would_count(
    drawn: List[Tuple[int, str, Tier, str, bool, bool]],
) -> None:
    """Whatever order uses come in, at every moment and for everybody: the same counts as from a list of the last hour."""
    places, every = Places(), list[Use]()
    at = NOON
    for minutes, who, tier, detection, privileged, click in drawn:
        at += timedelta(minutes=minutes)
        places.forget(at - timedelta(hours=1))
        now = [use for use in every if use.at > at - timedelta(hours=1)]
        for name in "abcd":
            others = count(use for use in now if use.identity != name)
            assert {place: many for place, many in places.others(name).items() if many} == dict(others)
            assert places.reached(name) == max((use.tier for use in now if use.identity == name), default=Tier.OBSERVE)
        use = Use(who, tier, detection, at, privileged, click)
        places.add(use)
        every.append(use)


def test_a_storm_under_limits_that_hold_nothing_back_costs_no_look_at_everybody_taken() -> None:
    """Two hundred people in one hour, no limit: what guards are handed grows with detections, not with people."""
    limits = dataclasses.replace(
        POLICY.limits, revokes=10**6, restricts=10**6, population_share=1.0, detection_share=1.0, kept_for_clicks=0.0
    )
    wild = dataclasses.replace(POLICY, limits=limits)
    found = run([row(number, 95, minutes=number / 10) for number in range(200)], policy=wild)
    assert [c.tier for c in found.containments] == [Tier.REVOKE] * 200
    places = Places()
    for number in range(200):
        places.add(Use(f"id-{number}", Tier.REVOKE, "test/strong", NOON, False, False))
    assert dict(places.others("nobody")) == {Place(Tier.REVOKE, False, False, "test/strong"): 200}


def test_a_noisy_identity_costs_no_more_than_its_share() -> None:
    """Six times the alerts on one identity within a day take at most some twelve times as long: not all are looked at."""

    def seconds(count: int) -> float:
        began = time.process_time()
        run([row(1, 30, minutes=number / 100) for number in range(count)])
        return time.process_time() - began

    seconds(100)
    assert seconds(1800) < 12 * max(seconds(300), 0.05)


def test_rows_that_are_no_alerts_are_named_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad JSON, a wrong type, a path trick, an unknown detection: each is named, and the rest is judged."""
    folder = tmp_path
    slug = "okta/session_replay"
    good = [row(number, 90, minutes=number * 61, tq_detection=slug) for number in range(3)]
    bad = [{**good[1], "tq_account": "okta:corp:../x"}, {**good[1], "tq_detection": "none/such"}]
    lines = [json.dumps(good[0]), '{"broken', "[1]", *map(json.dumps, bad), json.dumps({"result": good[1]})]
    lines.append(json.dumps(good[2]))
    (folder / "alerts.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "inventory.json").write_text(company().to_json())
    page = folder / "page.html"
    code = main([
        "policy", "backtest", str(folder / "alerts.jsonl"), "--inventory", str(folder / "inventory.json"), "--json",
        "--html", str(page),
    ])  # fmt: skip
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [bad["place"].rpartition(":")[2] for bad in found["bad"]] == ["2", "3", "4", "5"]
    assert (found["rows"], found["as_is"]["judged"], found["early"]) == (7, 3, 0)
    assert found["rows"] == len(found["bad"]) + found["early"] + found["as_is"]["judged"] + found["as_is"]["repeated"]
    assert "alerts.jsonl:4" in page.read_text()


def test_a_csv_export_of_splunk_is_read(tmp_path: Path) -> None:
    """Several values of a column stand a line each, `__mv_` columns are read; a short row is named by its line."""
    path = tmp_path / "export.csv.gz"
    names = [
        "_time",
        "tq_detection",
        "tq_account",
        "tq_confidence",
        "tq_completed_at",
        "tq_finding",
        "tq_events",
        "disposition",
    ]
    one = row(1, 80, tq_events="a\nb", disposition="disposition:4", _time=str(NOON.timestamp() + 30))
    with gzip.open(path, "wt", newline="") as handle:
        writer = csv.DictWriter(handle, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerow(one)
        handle.write("too,short\n")
    (place, first), (bad_place, second) = from_file(str(path))
    assert place.endswith(":3") and bad_place.endswith(":4") and "8 fields" in second["why"]
    found = past(place, first, CATALOGUE, NOW)
    assert (found.alert.events, found.closed, found.at) == (frozenset("ab"), FALSE, NOON + timedelta(seconds=30))
    with pytest.raises(BadAlert, match="has not 8 fields"):
        past(bad_place, second, CATALOGUE, NOW)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_one_object_a_line_is_read_as_it_comes(tmp_path: Path, packed: bool) -> None:
    """However long: not before it is asked for. A byte order mark, empty lines and a torn end are as in a short one."""
    path = tmp_path / "alerts.jsonl"
    text = b"\xef\xbb\xbf" + b"\n".join(json.dumps(row(number, 80)).encode() for number in range(3)) + b'\n\n{"tq_det'
    path.write_bytes(gzip.compress(text)[:-9] if packed else text)
    read = from_file(str(path))
    first, _ = next(read)
    assert first.endswith(":1")
    rest = list(read)
    assert [place.rpartition(":")[2] for place, _ in rest][:2] == ["2", "3"]
    assert ("breaks off" if packed else "is not JSON") in rest[-1][1]["why"]


def test_more_rows_than_fit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """With the remedy, instead of eating all memory."""
    monkeypatch.setattr("responders.surfaces.command_line.policy_backtest.MOST", 2)
    alerts, held = tmp_path / "alerts.jsonl", tmp_path / "inventory.json"
    alerts.write_text("".join(json.dumps(row(number, 90)) + "\n" for number in range(3)))
    held.write_text(company().to_json())
    assert main(["policy", "backtest", str(alerts), "--inventory", str(held)]) == 2
    assert "alerts.jsonl:3: there are more than 2 rows" in capsys.readouterr().err


def test_hits_of_elasticsearch_are_read(tmp_path: Path) -> None:
    """An answer of `_search`, and `kibana` nested; the reason counts while the alert is closed only."""
    closed = {"kibana.alert.workflow_status": "closed", "kibana.alert.workflow_reason": "false_positive"}
    nested = {"kibana": {"alert": {"workflow_status": "open", "workflow_reason": "false_positive"}}}
    hits = [{"_id": "1", "_source": {**row(1, 80), **closed}}, {"_id": "2", "_source": {**row(2, 80), **nested}}]
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"hits": {"hits": hits}}, indent=1))
    assert [past(place, item, CATALOGUE, NOW).closed for place, item in from_file(str(path))] == [FALSE, ""]


@pytest.mark.parametrize(
    ("given", "closed"),
    [
        ({"disposition_label": "False Positive - Inaccurate Data"}, FALSE),
        ({"kibana.alert.workflow_reason": "benign_positive"}, BENIGN),
        ({"kibana.alert.workflow_tags": ["seen", "False Positive"], "kibana.alert.workflow_status": "closed"}, FALSE),
        ({"kibana.alert.workflow_tags": ["True Positive"], "kibana.alert.workflow_status": "open"}, ""),
        ({"disposition": "disposition:1"}, TRUE),
        ({"disposition": "not a false positive"}, ""),
        ({"disposition": {"x": 1}}, ""),
    ],
)
def test_as_what_an_alert_was_closed(given: Dict[str, Any], closed: str) -> None:
    """The words of both SIEMs are understood, and no others."""
    assert closed_as(given) == closed


def test_a_row_can_not_pass_for_an_analysts_click() -> None:
    """A column tq_request in an export is left out: the alert is judged as automatic."""
    assert past(
        "x", row(1, 10, tq_request={"by": "eve", "reason": "x", "wanted": ["revoke"]}), CATALOGUE, NOW
    ).alert.source == ("automatic")


def test_hostile_names_are_escaped_on_the_page() -> None:
    """An identity and a dependent named like markup are text; the page loads and runs nothing."""
    name = "<script>alert(1)</script>\x1b[31m\"'&"
    held = company(identity(5000, id=name, kind="agent", dependents=(name,)))
    page = render(_result([run([row(5000, 90, disposition="disposition:3")], held)], held))
    assert "<script" not in page and "\x1b" not in page and "&lt;script&gt;" in page
    assert "default-src 'none'" in html.unescape(page)


def _result(runs: List[Replay], held: Inventory) -> Result:
    sums = [summarise(one) for one in runs]
    return compare(sums, bad=(), early=0, total=1, made=NOW, seconds=1.0, inventory=held, assumed=Assumptions())


def test_json_names_what_could_not_be_judged() -> None:
    """Guards that need a vendor's state are listed with what was assumed."""
    found = as_json(_result([run([row(1, 90)])], company()))
    assert {"own credentials", "last administrator", "unauthenticated ingest"} <= {a["guard"] for a in found["assumed"]}


def test_what_is_written_is_no_file_that_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name given twice, or a folder that is not there, is found before anything is judged; alerts stay."""
    alerts, held = tmp_path / "alerts.jsonl", tmp_path / "inventory.json"
    alerts.write_text(json.dumps(row(1, 90, tq_detection="okta/session_replay")) + "\n")
    held.write_text(company().to_json())
    before = (alerts.read_text(), held.read_text())
    new = str(tmp_path / "new")
    for targets in (
        ("--record", str(alerts)), ("--html", str(held)), ("--html", new, "--record", new), ("--html", f"{new}/x.html"),
    ):  # fmt: skip
        assert main(["policy", "backtest", str(alerts), "--inventory", str(held), *targets]) == 2
        assert targets[-2] in capsys.readouterr().err
    assert (alerts.read_text(), held.read_text()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alerts.jsonl", "inventory.json"]


def test_nobody_is_called_right_when_no_alert_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong --closed-as, or alerts that nobody closed: how many were wrong is not known, and no zero."""
    alerts, held, page = tmp_path / "alerts.jsonl", tmp_path / "inventory.json", tmp_path / "page.html"
    alerts.write_text(json.dumps(row(1, 90, tq_detection="okta/session_replay", verdict="false positive")) + "\n")
    held.write_text(company().to_json())
    command = ["policy", "backtest", str(alerts), "--inventory", str(held), "--html", str(page), "--closed-as"]
    assert main([*command, "verdct"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"contained wrongly, as the alerts were closed +not known", out)
    assert "No alert says as what it was closed" in out
    assert page.read_text().count("not known") == 7
    assert main([*command, "verdict"]) == 0
    assert re.search(r"contained wrongly, as the alerts were closed +1", capsys.readouterr().out)


def test_the_settings_say_which_policy_is_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are settings, "as it is" is their policy, whatever inventory is tried; the one that ships is another."""
    alerts, held, mine = tmp_path / "alerts.jsonl", tmp_path / "inventory.json", tmp_path / "mine.json"
    alerts.write_text(json.dumps(row(1, 90, tq_detection="okta/session_replay")) + "\n")
    held.write_text(company().to_json())
    mine.write_text(json.dumps({**json.loads(DEFAULT.with_suffix(".json").read_text()), "version": "in-force-7"}))
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("k" * 64)
    there = {"journal": {"path": "j.db", "key": {"file": "key"}}, "inventory": "inventory.json", "policy": "mine.json"}
    (tmp_path / "settings.json").write_text(json.dumps(there))
    monkeypatch.setenv("TOURNIQUET_SETTINGS", str(tmp_path / "settings.json"))
    assert main(["policy", "backtest", str(alerts), "--inventory", str(held), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["as_is"]["policy"] == "in-force-7"


@pytest.mark.parametrize("text", ["", "30", "0d", "-1d", "1y", "d"])
def test_a_span_that_is_none_is_refused(text: str) -> None:
    """The remedy shows how one is written."""
    with pytest.raises(BadInput, match="90m, 12h, 30d or 8w"):
        span(text, "--since")


# -- the record that a policy may ask for ------------------------------------------------------------------------------

COMPILED = dataclasses.replace(POLICY, version="x", require_backtest=True)


def record(**more: Any) -> Dict[str, Any]:
    return {"policy": digest(COMPILED), "made": (NOW - timedelta(days=1)).isoformat(), "judged": 5, "bad": 0,
            "asked_days": 30.0, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "no record"), ([], "no record"), (record(policy="sha256:0"), "another policy"),
        (record(made=(NOW - FRESH - timedelta(days=1)).isoformat()), "not within the last 7 days"),
        (record(made=(NOW + timedelta(days=1)).isoformat()), "not within"), (record(made="soon"), "does not say when"),
        (record(made="2026-11-25T00:00:00"), "does not say when"), (record(judged=0), "judged no alert"),
        (record(judged=True), "no number judged"), (record(judged=4, bad=5), "could not read 5 alerts"),
        (record(asked_days=6.9), "asked for 6.9 days"), (record(asked_days=float("inf")), "no number asked_days"),
        (record(bad="0"), "no number bad"),
    ],
)  # fmt: skip
def test_a_record_that_proves_nothing_is_refused(given: Any, why: str) -> None:
    """None, of another policy, old, of the future, over no alert, over what could not be read, or over a day or two."""
    with pytest.raises(BadPolicy, match=why):
        check(COMPILED, given, NOW, "record.json")


def test_the_rule_can_not_be_dropped_by_the_policy_it_binds() -> None:
    """The policy in use asks for it as well as the new one."""
    check(COMPILED, record(), NOW, "record.json")
    assert required(COMPILED, POLICY) and required(POLICY, COMPILED)
    assert not required(None, POLICY)
    whole = dataclasses.replace(COMPILED, fusion=dataclasses.replace(COMPILED.fusion, window_hours=24))
    assert digest(whole) == digest(COMPILED) != digest(dataclasses.replace(COMPILED, version="y"))


def test_two_policies_run_side_by_side_as_they_would_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second run, in a process of its own, gives what a run of that policy alone gives."""
    policy, alerts, held = tmp_path / "mine.yaml", tmp_path / "alerts.jsonl", tmp_path / "inventory.json"
    main(["policy", "show"])
    policy.write_text(capsys.readouterr().out.replace("human: {restrict: 50,", "human: {restrict: 60,"))
    rows = [row(number, 45 + 5 * number, minutes=61 * number, tq_detection="okta/session_replay") for number in range(6)]
    alerts.write_text("".join(json.dumps(item) + "\n" for item in rows))
    held.write_text(company().to_json())
    command = ["policy", "backtest", str(alerts), "--inventory", str(held), "--json"]
    assert main([*command, "--policy", str(policy)]) == 0
    both = json.loads(capsys.readouterr().out)
    assert main([*command, "--as-is", str(policy)]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert both["proposed"] == alone["as_is"]
    assert [(c["identity"], c["before"], c["after"]) for c in both["changes"]] == [
        ("id-2", "restrict", "observe"), ("id-1", "restrict", "observe"),
    ]  # fmt: skip


def test_build_asks_for_the_record_and_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Refused without; accepted after a backtest of this very file; refused again after one more change."""
    policy, alerts, held = tmp_path / "mine.yaml", tmp_path / "alerts.jsonl", tmp_path / "inventory.json"
    main(["policy", "show"])
    policy.write_text(capsys.readouterr().out + "\nrequire_backtest: true\n")
    alerts.write_text(json.dumps(row(1, 90, tq_detection="okta/session_replay")) + "\n")
    held.write_text(company().to_json())
    assert main(["policy", "build", str(policy)]) == 2
    assert "needs a backtest" in capsys.readouterr().err
    kept = str(tmp_path / "mine.backtest.json")
    made = ["policy", "backtest", str(alerts), "--inventory", str(held), "--policy", str(policy), "--record", kept]
    assert main(made) == 0
    assert main(["policy", "build", str(policy)]) == 0
    policy.write_text(policy.read_text().replace("require_backtest: true", "").replace("default-1", "default-2"))
    capsys.readouterr()
    assert main(["policy", "build", str(policy)]) == 2  # the compiled file in use still asks for it
    assert "another policy" in capsys.readouterr().err


def test_past_is_ordered_by_when_it_was_raised() -> None:
    """A row without a time of its own was raised when its event completed; one raised later is judged later."""
    late = past("1", {**row(1, 50), "@timestamp": "2026-11-02T13:00:00Z"}, CATALOGUE, NOW)
    found: List[Past] = [late, past("2", row(2, 50, minutes=30), CATALOGUE, NOW)]
    assert [item.who for item in replay(found, company(), POLICY, CATALOGUE, Assumptions()).judged] == ["id-2", "id-1"]
