"""Rate limits: what a vendor says is obeyed within the deadline, and the last part of a limit is kept for revoke."""

from __future__ import annotations

import email.utils
import time
from typing import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.drill.simulators.server import Fault
from responders.errors import RateLimited
from responders.model import Tier
from responders.vendors.budget import Budget, calling_for
from responders.vendors.transport import Limits, retry_at
from tests.vendors.servers import Echo, Server, always, answer, transport

PATIENT = Limits(connect=1, attempt=2, total=6, retries=3)
WAYS: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "seconds": lambda: {"Retry-After": "1"},
    "date": lambda: {"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)},
    "reset": lambda: {"X-Rate-Limit-Reset": str(int(time.time()) + 2)},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_429_is_waited_out(method: str, way: str) -> None:
    """The next try comes when the vendor said, not before; a 429 did nothing, so a change is repeated too."""
    with Echo() as vendor:
        vendor.faults.append(Fault(method, "/thing", "status", status=429, headers=WAYS[way]()))
        sender = transport(vendor.url, PATIENT)
        assert sender.send(method, "/thing", headers={}).status == 200
        sender.close()
        first, second = (entry.at for entry in vendor.requests)
        assert 0.9 <= second - first < 3


def test_a_429_beyond_the_deadline_is_not_waited_for() -> None:
    """When the vendor asks for longer than there is, the caller hears at once when to come back."""
    with Echo() as vendor:
        vendor.faults.append(Fault("GET", "/thing", "status", status=429, headers={"Retry-After": "60"}))
        sender = transport(vendor.url, PATIENT)
        start = time.monotonic()
        for _ in range(2):
            with pytest.raises(RateLimited) as caught:
                sender.send("GET", "/thing", headers={})
            assert caught.value.retry_at is not None
            assert 55 < caught.value.retry_at - time.time() < 61
        assert time.monotonic() - start < 1
        sender.close()
        assert len(vendor.requests) == 1, "the second call must not have been sent at all"


def test_a_429_without_any_header_is_retried() -> None:
    """Vault's 429 says nothing of when: a short pause, then again."""
    with Echo() as vendor:
        vendor.faults.append(Fault("POST", "/thing", "status", status=429, times=2))
        sender = transport(vendor.url, PATIENT)
        assert sender.send("POST", "/thing", headers={}).status == 200
        sender.close()


ODD = [
    "",
    "x",
    "nan",
    "inf",
    "-inf",
    "-5",
    "1e999",
    "9" * 400,
    "0x10",
    "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
    "\u0661",
]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("status", ["200 OK", "429 Too Many"])
def test_odd_rate_limit_headers_break_nothing(status: str, text: str) -> None:
    """A header that can't be read says nothing: the change that took effect stays one, a refusal stays a refusal."""
    text = text.encode("utf-8").decode("latin-1")
    names = ("Retry-After", "X-Rate-Limit-Reset", "X-Rate-Limit-Limit", "X-Rate-Limit-Remaining")
    said = answer(b"{}", status, *(f"{name}: {text}" for name in names))
    with Server(lambda connection, _: connection.sendall(said.decode("utf-8").encode("latin-1"))) as vendor:
        sender = transport(vendor.url, Limits(retries=0))
        if status.startswith("2"):
            assert sender.send("POST", "/thing", headers={}).status == 200
        else:
            with pytest.raises(RateLimited) as caught:
                sender.send("POST", "/thing", headers={})
            assert caught.value.retry_at is None or caught.value.retry_at <= time.time() + 86400
        sender.close()


@given(st.dictionaries(st.sampled_from(["retry-after", "x-rate-limit-reset"]), st.text()))
def test_retry_at_is_a_time_or_nothing(headers: Mapping[str, str]) -> None:
    """Whatever stands in the headers, the answer is a finite time, never an error."""
    found = retry_at(headers)
    assert found is None or -1e12 < found < 1e12


@given(st.lists(st.text(), min_size=3, max_size=3))
def test_a_budget_learns_from_any_headers(values: list[str]) -> None:
    """Unreadable limits are no limits."""
    budget = Budget()
    budget.learn(dict(zip(("x-rate-limit-remaining", "x-rate-limit-limit", "x-rate-limit-reset"), values)))
    assert budget.wait_seconds() >= 0


def _budget(remaining: int, limit: int = 10) -> Budget:
    budget = Budget()
    headers = {"x-rate-limit-remaining": remaining, "x-rate-limit-limit": limit, "x-rate-limit-reset": time.time() + 30}
    budget.learn({key: str(value) for key, value in headers.items()})
    return budget


@pytest.mark.parametrize("tier", [Tier.OBSERVE, Tier.RESTRICT])
def test_the_last_part_of_a_limit_is_kept_for_revoke(tier: Tier) -> None:
    """With 30 % left, lower tiers wait for the reset; a revoke goes on until nothing is left."""
    budget = _budget(remaining=5)
    with calling_for(tier):
        assert [budget.wait_seconds() > 0 for _ in range(4)] == [False, False, True, True]
    with calling_for(Tier.REVOKE):
        assert [budget.wait_seconds() > 0 for _ in range(4)] == [False, False, False, True]


def test_nobody_calls_while_the_vendor_refuses() -> None:
    """After a 429, even a revoke waits."""
    budget = Budget()
    budget.refused(time.time() + 5)
    with calling_for(Tier.REVOKE):
        assert 4 < budget.wait_seconds() <= 5


def test_lower_tiers_leave_the_last_calls_over_http() -> None:
    """The reserve holds with the headers that a vendor really sends: restrict is told when to come back, revoke goes."""
    headers = [f"X-Rate-Limit-{n}: {v}" for n, v in (("Limit", 10), ("Remaining", 3), ("Reset", int(time.time()) + 60))]
    with Server(always(answer(b"{}", "200 OK", *headers))) as vendor:
        sender = transport(vendor.url, PATIENT)
        sender.send("GET", "/thing", headers={})
        with calling_for(Tier.RESTRICT), pytest.raises(RateLimited):
            sender.send("GET", "/thing", headers={})
        with calling_for(Tier.REVOKE):
            sender.send("GET", "/thing", headers={})
        sender.close()
        assert len(vendor.heads) == 2


def _told(remaining: int, limit: int, reset: float) -> Mapping[str, str]:
    return {f"x-rate-limit-{n}": str(v) for n, v in (("remaining", remaining), ("limit", limit), ("reset", reset))}


def test_the_kept_part_shrinks_as_the_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no revoke has used is not lost: half-way half of it is free, in the last tenth all."""
    clock = [1_000_000.0]
    monkeypatch.setattr("responders.vendors.budget.time.time", lambda: clock[0])
    budget = Budget()
    budget.learn(_told(30, 100, clock[0] + 100))
    with calling_for(Tier.RESTRICT):
        for later, free in ((0, 0), (45, 15), (95, 15)):
            clock[0] = 1_000_000.0 + later
            assert sum(budget.wait_seconds() == 0 for _ in range(40)) == free
        assert 0 < budget.wait_seconds() <= 5


def test_a_lower_tier_is_told_when_its_next_call_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """After that wait it goes, not before."""
    now = 1_000_000.0
    monkeypatch.setattr("responders.vendors.budget.time.time", lambda: now)
    budget = Budget()
    budget.learn(_told(20, 100, now + 100))
    with calling_for(Tier.RESTRICT):
        pause = budget.wait_seconds()
        assert 0 < pause < 100
        now += pause - 0.5
        assert budget.wait_seconds() > 0
        now += 0.6
        assert budget.wait_seconds() == 0


def test_an_answer_that_was_on_its_way_gives_nothing_back() -> None:
    """An older answer of the same window knows less than we do: calls that were sent since are not forgotten."""
    budget, reset = Budget(), int(time.time()) + 30
    budget.learn(_told(2, 10, reset))
    assert [budget.wait_seconds() > 0 for _ in range(2)] == [False, False]
    budget.learn(_told(2, 10, reset))
    assert budget.wait_seconds() > 0
    budget.learn(_told(9, 10, reset + 30))
    assert budget.wait_seconds() == 0


def test_endpoints_that_are_counted_apart_wait_apart() -> None:
    """Okta counts groups of endpoints: the log's limit being used up keeps no user from being suspended."""
    budget, reset = Budget(), int(time.time()) + 30
    budget.learn(_told(500, 600, reset), "/api/v1/users/{}")
    budget.learn(_told(0, 120, reset + 7), "/api/v1/logs")
    assert budget.wait_seconds("/api/v1/logs") > 0
    assert budget.wait_seconds("/api/v1/users/{}") == 0


def test_a_lower_tier_lets_waiting_revokes_go_first() -> None:
    """As long as a revoke waits for its turn no restrict goes, though the limit would let it."""
    budget = Budget()
    with calling_for(Tier.REVOKE), budget.waiting(), calling_for(Tier.RESTRICT):
        assert budget.wait_seconds() > 0
    with calling_for(Tier.RESTRICT):
        assert budget.wait_seconds() == 0
