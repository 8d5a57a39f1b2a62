"""A row of a SIEM's results: everything in it is treated as the attacker's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, List, Optional

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from responders.alerts.fields import MAX_FIELD
from responders.alerts.row import alert_from_row, from_siem, with_request
from responders.errors import BadAlert
from responders.model import Account, Alert

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
CATALOGUE = {
    "test/strong": {"layer": "idp", "account_kind": "user", "is_correlation": False},
    "test/chain": {"layer": "pam", "account_kind": "role", "is_correlation": True},
}
GOOD: Dict[str, Any] = {
    "tq_detection": "test/strong",
    "tq_account": "okta:default:00u1",
    "tq_confidence": "85",
    "tq_reasons": ["impossible travel", "new device"],
    "tq_events": ["e1", "e2"],
    "tq_started_at": "2026-11-24T11:50:00Z",
    "tq_completed_at": "1795521000.5",
    "tq_finding": "test/strong|okta:default:00u1|e1",
    "tq_evidence": ["okta.session_id=102abc", "vault.accessor=x=y"],
    "tq_causes": "ip:203.0.113.9",
}
FIELDS = [*GOOD, "tq_account_kind", "tq_request"]
SPARED = ["tq_reasons", "tq_events", "tq_evidence", "tq_causes", "tq_started_at"]
"""Fields an attacker may have a word in: they cost only themselves."""
EXACT = [name for name in FIELDS if name not in (*SPARED, "tq_request")]
ONE = ["tq_detection", "tq_completed_at", "tq_finding", "tq_confidence"]


def read(**changed: Any) -> Alert:
    return alert_from_row({**GOOD, **changed}, CATALOGUE, NOW)


def test_a_good_row_is_read_whole() -> None:
    """Every field arrives, with lists as lists or as lines, and times as epoch seconds or ISO 8601."""
    found = read()
    assert found.accounts == (Account("okta", "default", "user", "00u1"),)
    assert found.confidence == 85
    assert found.events == {"e1", "e2"}
    assert found.reasons == ("impossible travel", "new device")
    assert found.evidence == (("okta.session_id", "102abc"), ("vault.accessor", "x=y"))
    assert found.causes == {"ip:203.0.113.9"}
    assert (found.layer, found.correlation, found.source) == ("idp", False, "automatic")
    assert found.started_at < found.completed_at <= NOW
    assert found.completed_at.tzinfo is timezone.utc


def test_an_id_may_hold_what_ids_hold() -> None:
    """ARNs, guests' names, paths of leases and domain names are ids, and are taken as they are."""
    for name in (
        "arn:aws:iam::123456789012:user/ops/alice",
        "b_x.com#EXT#@corp.onmicrosoft.com",
        "CORP\\alice",
        "a..b",
        "Zoë |x",
    ):
        assert read(tq_account=f"aws:123:{name}").accounts[0].id == name
    lease = "database/creds/app/2f6a614c.root"
    assert read(tq_evidence=f"vault.lease={lease}").evidence == (("vault.lease", lease),)


@pytest.mark.parametrize("name", ["tq_detection", "tq_account", "tq_confidence", "tq_completed_at", "tq_finding"])
@pytest.mark.parametrize("value", [None, "", [], [""]])
def test_a_missing_field_is_named(name: str, value: Any) -> None:
    """The error says which field, and what to do."""
    row = {**GOOD, name: value}
    if value is None:
        del row[name]
    with pytest.raises(BadAlert, match=f"^{name}: ") as caught:
        alert_from_row(row, CATALOGUE, NOW)
    assert caught.value.place == name and caught.value.remedy


WRONG = [{"a": 1}, [{"a": 1}], [["x"]], [None], True, [True], float("nan"), float("inf"), b"bytes", object(), 10**5000]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("value", WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_a_wrong_type_is_never_read_as_text(name: str, value: Any) -> None:
    """Objects, nested lists, nulls, booleans and numbers that are none are errors that name the field."""
    with pytest.raises(BadAlert, match=f"^{name}: "):
        read(**{name: value})


def without(found: Alert, name: str) -> Alert:
    """The good row as it is read when one field of it holds nothing that can be taken."""
    good = read(**{name: []})
    return replace(good, left_out=found.left_out)


@pytest.mark.parametrize("name", SPARED)
@pytest.mark.parametrize("value", WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_a_wrong_type_beside_what_counts_is_left_out(name: str, value: Any) -> None:
    """It costs itself alone: the alert stands, and says what of which field was left out."""
    found = read(**{name: value})
    assert found == without(found, name)
    assert [field for field, _ in found.left_out] == [name] and not found.strange_account


@pytest.mark.parametrize(
    "value", ["-1", "101", "100.01", "nan", "inf", "-inf", "abc", "", "85 %", "0x10", "1_0", ["85"] * 2, -1, 1e9]
)
def test_a_confidence_outside_0_to_100_is_refused(value: Any) -> None:
    """A confidence is a number from 0 to 100 and nothing else."""
    with pytest.raises(BadAlert, match=r"^tq_confidence: .*0 to 100"):
        read(tq_confidence=value)


@pytest.mark.parametrize(("value", "points"), [("0", 0), (100, 100), (" 85 ", 85), ("85.9", 85), (["70"], 70), ("1e1", 10)])
def test_a_confidence_is_read_downwards(value: Any, points: int) -> None:
    """Parts of a point are dropped, never rounded up over a threshold."""
    assert read(tq_confidence=value).confidence == points


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "tq_request"])
def test_ten_megabytes_are_refused(name: str) -> None:
    """A huge field is an error, or is left out, and what is said of it is short."""
    for value in ("x" * 10_000_000, ["x" * 10_000_000], "\n".join("x" * 5_000_000), ["x" * 70_000] * 5_001):
        if name in SPARED:
            found = read(**{name: value})
            assert found == replace(without(found, name), events=found.events, causes=found.causes)
            assert 0 < len(repr(found.left_out)) < 5000
            assert len(found.events) <= 2 and len(found.causes) <= 1
            continue
        if name == "tq_finding" and not (isinstance(value, list) and len(value) > 1):
            assert len(read(tq_finding=value).id) < 100
            continue
        with pytest.raises(BadAlert, match=f"^{name}: ") as caught:
            read(**{name: value})
        assert len(str(caught.value)) < 500
    assert MAX_FIELD <= 1024 * 1024


def test_a_flood_of_values_hides_no_alert() -> None:
    """Who reads 6,000 secrets fills a field beyond its limit: the first are taken, and that there were more is told."""
    names = [f"e{number}" for number in range(6000)]
    found = read(
        tq_evidence=[f"vault.lease_id={name}" for name in names], tq_events=names, tq_reasons=names, tq_causes=names
    )
    assert (len(found.evidence), len(found.events), len(found.reasons), len(found.causes)) == (5000,) * 4
    assert all("more than 5000 values" in why for _, why in found.left_out) and len(found.left_out) == 4


MARKS = ["\x00", "\x1b[2J", "\r", "\n", "\t", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\ud800", "\u202e", "\ufffd"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["tq_detection", "tq_account", "tq_account_kind", "tq_confidence", "tq_completed_at"])
@pytest.mark.parametrize("pack", [list, "".join])
def test_control_characters_are_refused(name: str, mark: str, pack: Callable[[List[str]], Any]) -> None:
    """What could rewrite a terminal, a log line or a display is an error that names the field. A line break is one."""
    with pytest.raises(BadAlert, match=f"^{name}: .*control"):
        read(**{name: pack([f"{GOOD.get(name, 'user')}{mark}x"])})


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["tq_evidence", "tq_reasons"])
def test_control_characters_beside_what_counts_are_left_out(name: str, mark: str) -> None:
    """The value that holds them is left out and shown escaped; the others of its field stay."""
    found = read(**{name: [*GOOD[name], f"a=b{mark}vault.accessor=somebody"]})
    assert found == replace(read(), left_out=found.left_out)
    [(field, why)] = found.left_out
    assert field == name and "holds control characters" in why and why.isprintable()


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["tq_events", "tq_causes"])
def test_what_is_only_compared_keeps_its_equals(name: str, mark: str) -> None:
    """An odd event id or cause stands as its digest: alerts that share it still count as sharing it."""
    found, again = (read(**{name: [f"x{mark}", "good"]}) for _ in range(2))
    other = read(**{name: [f"y{mark}", "good"]})
    field = name[3:]
    assert getattr(found, field) == getattr(again, field) != getattr(other, field)
    assert len(getattr(found, field) & getattr(other, field)) == 1
    assert "".join(getattr(found, field)).isprintable()
    assert [name for name, _ in found.left_out] == [name]


def test_a_finding_that_cannot_be_shown_stands_as_its_digest() -> None:
    """Its name carries what the search keyed it by: it is only compared, and voids no alert."""
    found, again, other = (read(tq_finding=f"test/strong|okta:default:00u1|{key}") for key in ("a\x1b", "a\x1b", "b\x1b"))
    assert found == again and found.id == found.finding != other.id
    assert found.id.isprintable() and found.left_out[0][0] == "tq_finding"


PATHS = ["../x", "a/../b", "..", ".", "a/./b", "a%2fb", "%2e%2e", "a%2Fb", "a?b=c", "..\\x", "x/.."]


@pytest.mark.parametrize("trick", PATHS)
def test_path_tricks_in_ids_are_refused(trick: str) -> None:
    """No id of a vendor walks a path or opens a query: an alert on such an account is refused."""
    with pytest.raises(BadAlert, match=r"^tq_account: .*path"):
        read(tq_account=f"okta:default:{trick}")


@pytest.mark.parametrize("trick", [*PATHS, "", None])
def test_a_hostile_name_costs_one_piece_of_evidence(trick: Optional[str]) -> None:
    """Who may name an object hides nothing by it: that piece of evidence is left out and told, all else is as usual."""
    odd = "aws.secret" if trick is None else f"aws.secret={trick}"
    found = read(tq_evidence=["okta.session_id=102abc", odd, "vault.accessor=x=y"])
    assert found == replace(read(), left_out=found.left_out)
    [(field, why)] = found.left_out
    assert field == "tq_evidence" and why.count(repr(odd)) == 1


def test_many_hostile_names_are_counted() -> None:
    """What is told of one field stays short."""
    found = read(tq_evidence=[f"a={number}?" for number in range(3000)])
    assert len(found.left_out) == 21 and found.left_out[-1] == ("tq_evidence", "2980 more like these")


@pytest.mark.parametrize("odd", ["okta:default:a?b", "okta:default:a\x1b", "nobody", "okta:default:" + "x" * 70_000, None])
def test_an_account_that_cannot_be_read_voids_no_other(odd: Any) -> None:
    """Beside others it is a stranger: left out, told, and the alert says so. Each other account keeps its own kind."""
    keys = ["okta:default:a", odd, "vault:default:b"]
    found = read(tq_account=keys, tq_account_kind=["user", "app", "entity"])
    assert [(account.id, account.kind) for account in found.accounts] == [("a", "user"), ("b", "entity")]
    assert found.strange_account
    [(field, why)] = found.left_out
    assert field == "tq_account" and len(why) < 300


@pytest.mark.parametrize(
    "value",
    ["x", "okta:default", "okta::x", ":default:x", "okta:default:", "Okta:default:x", "ok/ta:default:x", "okta: :x", 5],
)
def test_an_account_is_vendor_tenant_id(value: Any) -> None:
    """Anything else names nobody."""
    with pytest.raises(BadAlert, match=r"^tq_account: .*vendor:tenant:id"):
        read(tq_account=value)


def test_every_account_is_read() -> None:
    """Several accounts, each with its kind; the last kind, or the detection's, stands for those without."""
    keys = ["okta:default:a", "vault:default:b", "entra:t:c"]
    assert [a.kind for a in read(tq_account=keys, tq_account_kind=["user", "entity"]).accounts] == [
        "user",
        "entity",
        "entity",
    ]
    assert [a.kind for a in read(tq_account=keys, tq_detection="test/chain").accounts] == ["role"] * 3


def test_an_unknown_detection_is_named() -> None:
    """A detection that this build doesn't know is told, with the way to install it."""
    with pytest.raises(BadAlert, match=r"^tq_detection: unknown detection 'test/none'.*detections build"):
        read(tq_detection="test/none")


TIMES = [
    "soon", "2026-11-24T11:00:00", "2026-13-01T00:00:00Z", "nan", "inf", "1e400", "-1e18", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "99999999999999", "1795521000500",
]  # fmt: skip


@pytest.mark.parametrize("value", TIMES)
def test_a_time_that_is_none_is_refused(value: str) -> None:
    """Unreadable, without an offset, or impossible times are errors (milliseconds for seconds among them)."""
    with pytest.raises(BadAlert, match=r"^tq_completed_at: "):
        read(tq_completed_at=value)


@pytest.mark.parametrize("value", TIMES)
def test_a_start_that_is_none_is_the_end(value: str) -> None:
    """The time of the completing event stands for it, and the alert says so."""
    found = read(tq_started_at=value)
    assert found.started_at == found.completed_at
    assert [name for name, _ in found.left_out] == ["tq_started_at"]


def test_clock_skew_is_bounded() -> None:
    """A log source a few minutes ahead is normal; one further ahead is a clock to correct."""
    ahead = (NOW + timedelta(minutes=14)).isoformat()
    assert read(tq_completed_at=ahead).completed_at > NOW
    with pytest.raises(BadAlert, match=r"^tq_completed_at: .*future.*clock"):
        read(tq_completed_at=(NOW + timedelta(minutes=16)).isoformat())


def test_a_start_after_the_end_is_the_end() -> None:
    """Two clocks that disagree never make a span of negative length."""
    found = read(tq_started_at=NOW.isoformat(), tq_completed_at=(NOW - timedelta(hours=1)).isoformat())
    assert found.started_at == found.completed_at


def test_an_analysts_click_is_told_apart() -> None:
    """What an analyst asked for arrives as a click, with what they asked for."""
    found = alert_from_row(with_request(GOOD, "ida", "seen it", ["revoke", "okta.suspend_user"]), CATALOGUE, NOW)
    assert (found.source, found.requested) == ("click", ("by=ida", "revoke", "okta.suspend_user"))


@pytest.mark.parametrize(
    "value", ["1", 1, ["revoke"], {"by": ["a", "b"]}, {"wanted": ["revoke"]}, {"by": "a", "wanted": [{}]}]
)
def test_a_click_that_no_surface_wrote_is_refused(value: Any) -> None:
    """A search that outputs the column of clicks makes no click."""
    with pytest.raises(BadAlert, match=r"^tq_request"):
        read(tq_request=value)
    assert alert_from_row(from_siem({**GOOD, "tq_request": value}), CATALOGUE, NOW).source == "automatic"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@example(row=5)
@example(row=[])
@example(row=None)
@given(st.one_of(JSON, st.dictionaries(st.sampled_from(FIELDS), JSON)))
def test_any_json_is_read_or_refused(row: Any) -> None:
    """Nothing but a BadAlert ever comes out of a row that is no alert."""
    with pytest.raises(BadAlert):
        alert_from_row(row, CATALOGUE, NOW)


@given(st.sampled_from(FIELDS), JSON)
def test_one_field_of_any_json_is_read_or_refused(name: str, value: Any) -> None:
    """A good row with one odd field gives an alert, or a BadAlert that names this very field."""
    try:
        found = read(**{name: value})
    except BadAlert as error:
        assert error.place.partition(".")[0] == name
        return
    assert 0 <= found.confidence <= 100 and found.accounts
    assert all(field == name and why.isprintable() for field, why in found.left_out)
    assert found.started_at <= found.completed_at <= NOW + timedelta(minutes=15)


@given(st.text(min_size=1))
def test_an_id_is_taken_unchanged_or_refused(text: str) -> None:
    """No trimming, no folding: matching is exact, so reading must be."""
    assume("\n" not in text)
    try:
        found = read(tq_account=f"okta:default:{text}")
    except BadAlert:
        return
    assert found.accounts[0].id == text
