"""Whatever comes to the webhook is read or refused in words; and a vendor's rate limit as metrics show it."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from responders.settings import Secret
from responders.surfaces.service.webhook import _read
from responders.surfaces.service.webhook_auth import Door, Refusal, seconds
from responders.vendors.budget import Budget

SECRET = "s" * 40
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.binary() | st.dictionaries(st.sampled_from(["alert_id", "rule_id", "space", "at", "x"]), _JSON).map(json.dumps))
def test_a_body_is_four_texts_or_refused(body: Any) -> None:
    """An id that it lets through can be nothing but an id."""
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    try:
        found = _read(raw)
    except Refusal as refusal:
        assert refusal.status == 400
    else:
        assert all(isinstance(value, str) for value in found.values())
        assert not set('/.?*"\n ') & set(found["alert_id"] + found["rule_id"])


@given(st.text(), st.text(), st.text(), st.binary(max_size=50))
def test_no_header_that_is_not_the_secret_opens_the_door(scheme: str, signature: str, stamp: str, body: bytes) -> None:
    headers = Headers()
    for name, value in (
        ("Authorization", scheme), ("X-Tourniquet-Signature", signature), ("X-Tourniquet-Timestamp", stamp),
    ):  # fmt: skip
        if not set(value) & set("\r\n"):
            headers[name] = value
    with pytest.raises(Refusal) as caught:
        Door([Secret(SECRET)], 300.0).authenticate(headers, body)
    assert caught.value.status == 401


def test_a_signature_whose_time_is_no_time_of_this_world_is_refused() -> None:
    headers = Headers({"X-Tourniquet-Signature": "v1=00", "X-Tourniquet-Timestamp": "9" * 400})
    with pytest.raises(Refusal):
        Door([Secret(SECRET)], 300.0).authenticate(headers, b"{}")


def test_any_of_several_secrets_opens_and_a_signature_is_of_its_own_body_and_time() -> None:
    """So a secret can be replaced without a gap."""
    door = Door([Secret("o" * 40), Secret(SECRET)], 300.0)
    for secret in ("o" * 40, SECRET):
        assert door.authenticate(Headers({"Authorization": f"Bearer {secret}"}), b"") is None
    stamp = str(int(time.time()))
    mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + b"{}", hashlib.sha256).hexdigest()
    signed = {"X-Tourniquet-Signature": f"v1={mac}", "X-Tourniquet-Timestamp": stamp}
    assert door.authenticate(Headers(signed), b"{}") == int(stamp)
    wrong = [({**signed, "X-Tourniquet-Timestamp": str(int(stamp) + 1)}, b"{}"), (signed, b"{ }")]
    for headers, body in wrong:
        with pytest.raises(Refusal):
            door.authenticate(Headers(headers), body)


def test_a_replay_is_known_as_long_as_its_time_is_within_the_window_and_no_longer() -> None:
    now: List[float] = [1000.0]
    door = Door([Secret(SECRET)], 100.0, clock=lambda: now[0])
    door.fresh(1099.0)
    door.taken(b"ahead")
    now[0] = 1190.0
    with pytest.raises(Refusal) as caught:
        door.once(b"ahead")
    assert caught.value.status == 409
    now[0] = 1201.0
    door.taken(b"other")
    door.once(b"ahead")
    with pytest.raises(Refusal):
        door.fresh(1099.0)


def test_times_are_those_of_kibana_and_need_an_offset() -> None:
    assert seconds("2026-11-26T01:00:00.000Z") == 1795654800.0
    assert [seconds(text) for text in ("2026-11-26T01:00:00", "", "now", "1795654800")] == [None] * 4


def test_what_is_left_of_a_rate_limit_is_the_tightest_and_nothing_after_a_refusal() -> None:
    budget, now = Budget(), time.time()
    assert budget.left(now) is None
    for remaining, limit in ((90, 100), (30, 600)):
        told = {"x-rate-limit-remaining": remaining, "x-rate-limit-limit": limit, "x-rate-limit-reset": int(now) + 60}
        budget.learn({name: str(value) for name, value in told.items()}, str(limit))
    assert budget.left(now) == pytest.approx(0.05)
    assert budget.left(now + 120) is None
    budget.refused(now + 10)
    assert budget.left(now) == 0.0
