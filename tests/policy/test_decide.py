"""Decisions: bounded by caps and guards, monotone in confidence, order-independent, always with reasons."""

from __future__ import annotations

import dataclasses
import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import responders.policy
from responders.model import Account, Alert, Facts, Identity, Tier, Use
from responders.policy.confidence import fuse, strongest
from responders.policy.decide import decide
from responders.policy.policy import Fusion, from_compiled

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
POLICY = from_compiled(json.loads(Path(responders.policy.__file__).with_name("default_policy.json").read_text()))
CALM = Facts(restorers=frozenset({"ida", "ivo"}), population=5000)
CATALOGUE: Dict[str, Any] = {
    f"test/{tier}-{forgery}": {"layer": "idp", "max_tier": tier, "forgery": forgery}
    for tier in ("observe", "restrict", "revoke")
    for forgery in ("nobody", "account_holder", "outsider")
}
STRONG = "test/revoke-nobody"


def alert(confidence: int, detection: str = STRONG, **more: Any) -> Alert:
    given: Dict[str, Any] = {"id": "f", "layer": "idp", "reasons": (), "events": frozenset(), "causes": frozenset(), **more}
    hours = given.pop("hours", 0.0)
    at = NOW - timedelta(hours=hours)
    return Alert(
        detection=detection, confidence=confidence, accounts=(), completed_at=at, started_at=at, finding="f", **given
    )


def identity(**more: Any) -> Identity:
    account = Account("okta", "default", "user", "00u1")
    given: Dict[str, Any] = {
        "id": "someone", "kind": "human", "owner": None, "criticality": "normal", "environment": "production",
        "protected": False, "accounts": (account,), "dependents": (), **more,
    }  # fmt: skip
    return Identity(**given)


def cap_of(one: Alert) -> Tier:
    """What a detection's evidence may reach by itself, from the catalogue's words."""
    entry = CATALOGUE.get(one.detection)
    if entry is None or entry["forgery"] == "outsider":
        return Tier.OBSERVE
    return Tier[entry["max_tier"].upper()]


WORDS = st.frozensets(st.sampled_from("abc"), max_size=2)
ALERTS = st.builds(
    alert,
    st.integers(0, 100),
    st.sampled_from([*CATALOGUE, "test/unknown"]),
    id=st.sampled_from("pqrs"),
    layer=st.sampled_from(["idp", "pam", "cloud"]),
    events=WORDS,
    causes=WORDS,
    correlation=st.booleans(),
    hours=st.floats(0, 30),
)
IDENTITIES = st.builds(
    identity,
    kind=st.sampled_from(["human", "service", "agent"]),
    criticality=st.sampled_from(["low", "normal", "high", "privileged"]),
    environment=st.sampled_from(["production", "non-production"]),
    protected=st.booleans(),
    break_glass=st.booleans(),
    shared=st.booleans(),
    unmapped=st.booleans(),
    dependents=st.sampled_from([(), ("checkout",)]),
)
FACTS = st.builds(
    lambda **given: dataclasses.replace(CALM, **given),
    halted=st.sampled_from(["", "halted by ida"]),
    own=st.sampled_from([frozenset(), frozenset({"okta:default:00u1"})]),
    restorers=st.sampled_from([frozenset({"ida"}), frozenset({"someone"})]),
    administrators=st.sampled_from([{}, {"okta:default": frozenset({"00u1"})}, {"okta:default": frozenset({"00u1", "2"})}]),
    unauthenticated=st.sampled_from([frozenset(), frozenset(CATALOGUE)]),
    population=st.sampled_from([0, 10, 5000]),
    uses=st.lists(
        st.builds(Use, st.just("x"), st.sampled_from(Tier), st.sampled_from([STRONG, "test/x"]), st.just(NOW), st.booleans(),
                  st.booleans()), max_size=12,
    ).map(tuple),
)  # fmt: skip


def take(alerts: Sequence[Alert], who: Optional[Identity] = None, facts: Facts = CALM) -> Any:
    return decide(alerts, who or identity(), facts, POLICY, CATALOGUE, NOW)


@settings(max_examples=300)
@given(st.lists(ALERTS, min_size=1, max_size=5), IDENTITIES, FACTS)
def test_no_decision_exceeds_its_caps(alerts: List[Alert], who: Identity, facts: Facts) -> None:
    """Whatever the confidence: caps of detections, kinds of identity and guards bound the tier, with the reasons said."""
    found = take(alerts, who, facts)
    recent = [one for one in alerts if NOW - one.completed_at <= timedelta(hours=24)]
    cap = max((cap_of(one) for one in recent), default=Tier.OBSERVE)
    if who.shared or who.unmapped or facts.unauthenticated:
        cap = min(cap, Tier.RESTRICT)
    if "someone" in facts.restorers or who.protected or who.break_glass or facts.halted or facts.own:
        cap = Tier.OBSERVE
    assert found.tier <= cap
    assert found.reasons and all(reason.text for reason in found.reasons)
    assert sum(reason.points for reason in found.reasons) == found.confidence
    if found.tier is Tier.OBSERVE:
        assert found.actions == ()
    assert set(found.actions) <= set(POLICY.names(who, found.tier))
    assert not set(found.actions) & {*POLICY.hands_over, *found.approval}


@given(st.lists(ALERTS, min_size=1, max_size=5), IDENTITIES)
def test_automatic_revoke_needs_one_strong_alert_of_its_own(alerts: List[Alert], who: Identity) -> None:
    """Many weak alerts never revoke; and what an outsider can cause is not the strong one."""
    found = take(alerts, who)
    if found.tier is Tier.REVOKE:
        assert any(one.confidence >= 70 and cap_of(one) is Tier.REVOKE for one in alerts)


def test_an_outsiders_alert_does_not_borrow_another_ones_right() -> None:
    """A loud alert that anybody can cause, beside a faint one that may revoke, takes nobody out, and alone nothing."""
    assert take([alert(99, "test/revoke-outsider")]).tier is Tier.OBSERVE
    loud, faint = alert(99, "test/revoke-outsider", layer="x"), alert(15, layer="y", id="g")
    for alerts in ([loud, faint], [faint, loud]):
        found = take(alerts)
        assert found.tier is Tier.RESTRICT
        assert "forged evidence" in {reason.guard for reason in found.reasons}


def test_what_an_outsider_causes_still_corroborates() -> None:
    """Beside an alert that may revoke, it counts as a further alert: 75 alone restricts, with it 80 is reached."""
    own, outside = alert(75), alert(90, "test/revoke-outsider", layer="pam", id="g")
    assert take([own]).tier is Tier.RESTRICT
    assert take([own, outside]).tier is Tier.REVOKE


def test_a_restrict_only_detection_does_not_lend_its_confidence_to_revoke() -> None:
    """A 95 of a detection capped at restrict, and a 20 of one that may revoke: restrict."""
    assert take([alert(95, "test/restrict-nobody"), alert(20, layer="pam", id="g")]).tier is Tier.RESTRICT


@given(st.integers(0, 100), st.integers(0, 100), IDENTITIES, FACTS)
def test_the_tier_is_monotone_in_confidence(one: int, other: int, who: Identity, facts: Facts) -> None:
    """More confidence never means a lower tier."""
    low, high = sorted((one, other))
    assert take([alert(low)], who, facts).tier <= take([alert(high)], who, facts).tier


@settings(max_examples=300)
@given(st.lists(ALERTS, max_size=6), st.randoms(use_true_random=False))
def test_fusion_is_bounded_and_knows_no_order(alerts: List[Alert], rng: random.Random) -> None:
    """0 to 100, the points add up, and the same alerts in another order give the same score and reasons."""
    score = fuse(alerts, Fusion(), NOW)
    assert 0 <= score.points <= 100
    assert sum(reason.points for reason in score.reasons) == score.points
    assert all(reason.points >= 0 for reason in score.reasons)
    mixed = list(alerts)
    rng.shuffle(mixed)
    assert fuse(mixed, Fusion(), NOW).points == score.points
    recent = [one.confidence for one in alerts if NOW - one.completed_at <= timedelta(hours=24)]
    assert score.points >= max(recent, default=0) == score.strongest
    some = fuse(alerts, Fusion(), NOW, lambda one: one.confidence % 2 == 0)
    assert some.points >= strongest(alerts, Fusion(), NOW, lambda one: one.confidence % 2 == 0) == some.strongest


RELATED = [
    alert(60, id="a", causes=frozenset("a"), hours=1.0),
    alert(50, id="b", layer="pam", causes=frozenset("b"), hours=1.0),
]
PARTS = [
    alert(60, id="a", events=frozenset("a"), hours=1.0),
    alert(59, id="b", layer="pam", events=frozenset("b"), hours=1.0),
]


@example(RELATED, alert(51, id="c", layer="cloud", causes=frozenset("ab"), hours=0.0))
@example(PARTS, alert(65, id="c", layer="pam", events=frozenset("ab"), correlation=True))
@settings(max_examples=300)
@given(st.lists(ALERTS, max_size=5), ALERTS)
def test_a_further_alert_never_lowers_the_score(alerts: List[Alert], more: Alert) -> None:
    """An attacker can't make us less sure by causing another alert."""
    more = dataclasses.replace(more, completed_at=NOW + timedelta(seconds=1))
    assert fuse([*alerts, more], Fusion(), NOW).points >= fuse(alerts, Fusion(), NOW).points


@given(st.integers(0, 100), st.lists(st.integers(0, 100), max_size=5))
def test_alerts_on_one_event_count_once(strongest: int, others: List[int]) -> None:
    """The same event seen by several detections is one piece of evidence."""
    points = [strongest, *others]
    alerts = [alert(c, events=frozenset({"e"}), id=str(n), layer=str(n)) for n, c in enumerate(points)]
    assert fuse(alerts, Fusion(), NOW).points == max(points)


def test_the_weights_are_those_of_the_policy() -> None:
    """Another layer and cause 0.5, a shared cause or layer 0.2, halved after 6 h, nothing after 24 h."""
    first = alert(60, causes=frozenset({"ip:1"}))
    cases: List[Tuple[Dict[str, Any], int]] = [
        ({"layer": "pam"}, 72),
        ({"layer": "pam", "causes": frozenset({"ip:1"})}, 65),
        ({"layer": "idp"}, 65),
        ({"layer": "pam", "hours": 7.0}, 66),
        ({"layer": "pam", "hours": 25.0}, 60),
        ({"layer": "pam", "correlation": True}, 65),
    ]
    for more, points in cases:
        assert fuse([first, alert(59, id="g", **more)], Fusion(), NOW).points == points, more


def test_an_alert_older_than_the_window_says_so() -> None:
    """Nothing within the window is no score, and the decision says why."""
    found = take([alert(99, hours=25.0)])
    assert (found.tier, found.confidence) == (Tier.OBSERVE, 0)
    assert any("24 h" in reason.text for reason in found.reasons)


@pytest.mark.parametrize("tier", [Tier.RESTRICT, Tier.REVOKE])
def test_decoys_do_not_use_up_the_hour(tier: Tier) -> None:
    """However many decoys one detection raises, an analyst's click still goes through."""
    uses = tuple(Use(f"decoy{n}", tier, STRONG, NOW, False, False) for n in range(7 if tier is Tier.REVOKE else 21))
    facts = dataclasses.replace(CALM, uses=uses)
    assert take([alert(100)], facts=facts).tier < tier or tier is Tier.RESTRICT
    assert take([alert(100, source="click")], facts=facts).tier is Tier.REVOKE


def test_a_flood_of_outsiders_alerts_hides_no_real_one() -> None:
    """Attack: a hundred loud alerts that anybody can cause, around the one that may revoke. It revokes all the same."""
    flood = [alert(99, "test/revoke-outsider", layer="x", id=f"f{n}", events=frozenset({f"e{n}"})) for n in range(100)]
    assert take([*flood, alert(90, id="real")]).tier is Tier.REVOKE


def test_analysts_take_guarded_places_of_their_own() -> None:
    """Attack: two privileged decoys an hour. An analyst's click on a third still goes through; a third click does not."""
    who = identity(criticality="privileged")

    def used(clicks: int, automatic: int) -> Facts:
        kinds = [True] * clicks + [False] * automatic
        uses = tuple(Use(f"d{n}", Tier.REVOKE, f"test/{n}", NOW, True, click) for n, click in enumerate(kinds))
        return dataclasses.replace(CALM, uses=uses)

    assert take([alert(100)], who, used(0, 2)).tier is Tier.OBSERVE
    assert take([alert(100, source="click")], who, used(0, 2)).tier is Tier.REVOKE
    assert take([alert(100, source="click")], who, used(2, 0)).tier is Tier.OBSERVE


def test_a_forged_event_does_not_shield_who_forges_it() -> None:
    """Attack: the suspect sends a syslog line about themselves to an open input, to be restricted at most for a day."""
    facts = dataclasses.replace(CALM, unauthenticated=frozenset({"test/restrict-nobody"}))
    forged, real = alert(60, "test/restrict-nobody", layer="syslog", id="g"), alert(95)
    assert take([forged, real], facts=facts).tier is Tier.REVOKE
    assert take([real, forged], facts=facts).tier is Tier.REVOKE


def test_events_of_an_unauthenticated_ingest_restrict_until_the_vendor_confirms_one() -> None:
    """The same alert revokes once the vendor's own log knows one of its events."""
    facts = dataclasses.replace(CALM, unauthenticated=frozenset({STRONG}))
    found = take([alert(95, events=frozenset({"e1"}))], facts=facts)
    assert found.tier is Tier.RESTRICT
    assert "unauthenticated ingest" in {reason.guard for reason in found.reasons}
    sure = dataclasses.replace(facts, confirmed_events=frozenset({"e1"}))
    assert take([alert(95, events=frozenset({"e1"}))], facts=sure).tier is Tier.REVOKE


def test_the_blast_radius_counts_an_identity_once() -> None:
    """An identity that was restricted and then revoked took one place, not two."""
    uses = tuple(Use(f"d{n}", tier, f"t/{n}", NOW, False, False) for n in range(15) for tier in (Tier.RESTRICT, Tier.REVOKE))
    tier = take([alert(60)], facts=dataclasses.replace(CALM, uses=uses)).tier
    assert tier is Tier.RESTRICT


@pytest.mark.parametrize(("population", "places"), [(100, 3), (1000, 5), (5000, 10), (50000, 10)])
def test_the_blast_radius_is_the_smaller_of_ten_and_half_a_percent_never_under_three(population: int, places: int) -> None:
    """Automation and clicks together use all places of the hour, and not one more."""
    for used in (places - 1, places):
        uses = tuple(Use(f"d{n}", Tier.REVOKE, f"t/{n}", NOW, False, n % 2 == 1) for n in range(used))
        facts = dataclasses.replace(CALM, uses=uses, population=population)
        assert (take([alert(100, source="click")], facts=facts).tier is Tier.REVOKE) == (used < places)


@pytest.mark.parametrize(("population", "clicks"), [(100, 2), (1000, 3), (5000, 7)])
def test_a_stolen_analyst_session_leaves_automation_its_places(population: int, clicks: int) -> None:
    """Attack: decoys clicked with a stolen session. 30 % stay automation's, which then still revokes the real one."""
    for used in (clicks - 1, clicks):
        uses = tuple(Use(f"d{n}", Tier.REVOKE, "person/asked", NOW, False, True) for n in range(used))
        facts = dataclasses.replace(CALM, uses=uses, population=population)
        assert (take([alert(100, source="click")], facts=facts).tier is Tier.REVOKE) == (used < clicks)
        assert take([alert(100)], facts=facts).tier is Tier.REVOKE


def test_one_detection_takes_four_of_ten_and_automation_seven() -> None:
    """40 % of the hour for each detection, 30 % kept for clicks."""

    def after(*detections: str) -> Tier:
        uses = tuple(Use(f"d{n}", Tier.REVOKE, name, NOW, False, False) for n, name in enumerate(detections))
        return take([alert(100)], facts=dataclasses.replace(CALM, uses=uses)).tier

    assert after(*[STRONG] * 3) is Tier.REVOKE
    assert after(*[STRONG] * 4) is Tier.RESTRICT
    assert after(*(f"t/{n}" for n in range(6))) is Tier.REVOKE
    assert after(*(f"t/{n}" for n in range(7))) is Tier.RESTRICT
