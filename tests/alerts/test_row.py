"""A row of a SIEM's results: everything in it is treated as the attacker's."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Dict

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from responders.alerts.row import MAX_FIELD, alert_from_row, from_siem, with_request
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
    "tq_evidence": "okta.session_id=102abc\nvault.accessor=x=y",
    "tq_causes": "ip:203.0.113.9",
}
FIELDS = [*GOOD, "tq_account_kind", "tq_request"]
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


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "tq_request"])
@pytest.mark.parametrize("value", WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_a_wrong_type_is_never_read_as_text(name: str, value: Any) -> None:
    """Objects, nested lists, nulls, booleans and numbers that are none are errors that name the field."""
    with pytest.raises(BadAlert, match=f"^{name}: "):
        read(**{name: value})


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
    """A huge field is an error, and the error itself is short."""
    for value in ("x" * 10_000_000, ["x" * 10_000_000], "\n".join("x" * 5_000_000), ["x"] * 100_000):
        with pytest.raises(BadAlert, match=f"^{name}: ") as caught:
            read(**{name: value})
        assert len(str(caught.value)) < 500
    assert MAX_FIELD <= 1024 * 1024


@pytest.mark.parametrize(
    "mark", ["\x00", "\x1b[2J", "\r", "\t", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\ud800", "\u202e"]
)
@pytest.mark.parametrize(
    "name", ["tq_detection", "tq_account", "tq_finding", "tq_evidence", "tq_events", "tq_reasons", "tq_causes"]
)
def test_control_characters_are_refused(name: str, mark: str) -> None:
    """What could rewrite a terminal, a log line or a display is an error that names the field."""
    good = GOOD[name] if isinstance(GOOD[name], str) else GOOD[name][0]
    with pytest.raises(BadAlert, match=f"^{name}: .*control"):
        read(**{name: [f"{good}{mark}x"]})


PATHS = ["../x", "a/../b", "..", ".", "a/./b", "a%2fb", "%2e%2e", "a%2Fb", "a?b=c", "..\\x", "x/.."]


@pytest.mark.parametrize("trick", PATHS)
def test_path_tricks_in_ids_are_refused(trick: str) -> None:
    """No id of a vendor walks a path or opens a query: such an alert is refused, before any vendor is asked."""
    with pytest.raises(BadAlert, match=r"^tq_account: .*path"):
        read(tq_account=f"okta:default:{trick}")
    with pytest.raises(BadAlert, match=r"^tq_evidence: .*path"):
        read(tq_evidence=f"okta.session_id={trick}")


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
@pytest.mark.parametrize("name", ["tq_completed_at", "tq_started_at"])
def test_a_time_that_is_none_is_refused(name: str, value: str) -> None:
    """Unreadable, without an offset, or impossible times are errors (milliseconds for seconds among them)."""
    with pytest.raises(BadAlert, match=f"^{name}: "):
        read(**{name: value})


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
