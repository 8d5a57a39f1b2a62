"""Reads that several steps make at the same moment, and calls side by side."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Iterator, Tuple

import pytest

from responders.drill.simulators.server import Fault
from responders.drill.world import World
from responders.errors import Forbidden
from responders.parallel import Late, Running, finish_all, run_all, start_all
from responders.vendors.client import VendorClient
from responders.vendors.open import ClientPool
from responders.vendors.shared import SharedReads


@pytest.fixture
def okta(world: World) -> Iterator[Tuple[World, VendorClient, str]]:
    pool = ClientPool(world.connections)
    client = pool.get("okta", "default")
    assert client is not None
    client.warm()
    yield world, client, world.add_person("alice").account("okta").id
    pool.close()


def _asked(world: World, end: str) -> int:
    return sum(entry.method == "GET" and entry.path.split("?")[0].endswith(end) for entry in world.okta.requests)


def test_what_several_ask_at_once_is_asked_once(okta: Tuple[World, VendorClient, str]) -> None:
    """Six steps that read one user make one request, and each gets the answer; another query is another request."""
    world, client, user = okta
    wave = SharedReads(client)
    found = run_all({n: partial(wave.call, "GET", "/api/v1/users/{}", ids=(user,)) for n in range(6)}, time.monotonic() + 5)
    assert [getattr(answer, "body", answer)["id"] for answer in found.values()] == [user] * 6
    assert _asked(world, f"/users/{user}") == 1
    wave.call("GET", "/api/v1/users/{}", ids=(user,), query={"expand": "blocks"})
    assert _asked(world, f"/users/{user}") == 2


def test_the_next_wave_asks_again(okta: Tuple[World, VendorClient, str]) -> None:
    """What was read before a change is never taken for what is true after it."""
    world, client, user = okta
    before = SharedReads(client).call("GET", "/api/v1/users/{}", ids=(user,)).body
    client.call("POST", "/api/v1/users/{}/lifecycle/suspend", ids=(user,))
    after = SharedReads(client).call("GET", "/api/v1/users/{}", ids=(user,)).body
    assert (before["status"], after["status"]) == ("ACTIVE", "SUSPENDED")


def test_changes_are_never_shared(okta: Tuple[World, VendorClient, str]) -> None:
    """Two steps that change the same thing each send their change."""
    world, client, user = okta
    wave = SharedReads(client)
    for _ in range(2):
        wave.call("DELETE", "/api/v1/users/{}/sessions", ids=(user,))
    assert sum(entry.method == "DELETE" for entry in world.okta.requests) == 2


def test_an_error_is_shared_too(okta: Tuple[World, VendorClient, str]) -> None:
    """A refused read is refused to all who asked, with the reason."""
    world, client, user = okta
    world.okta.faults.append(Fault("GET", "/api/v1/users/", "status", status=403, times=1))
    wave = SharedReads(client)
    for _ in range(2):
        with pytest.raises(Forbidden):
            wave.call("GET", "/api/v1/users/{}", ids=(user,))
    assert _asked(world, f"/users/{user}") == 1


def test_a_hung_call_holds_up_nobody() -> None:
    """Its result is Late, the others have theirs, and further calls find a thread."""
    hang = threading.Event()
    running = start_all({"hung": hang.wait, "quick": lambda: True})
    found = finish_all(running, time.monotonic() + 0.2)
    assert found["quick"] is True
    assert isinstance(found["hung"], Late)
    assert run_all({n: partial(int, n) for n in range(40)}, time.monotonic() + 5) == {n: n for n in range(40)}
    hang.set()
    assert running["hung"].wait(5)


def test_a_call_started_earlier_may_be_waited_for_later() -> None:
    """Started is running: the result is there when somebody asks, an error as the error it was."""
    order: list[str] = []
    first = Running(partial(order.append, "ran"))
    assert first.wait(5)
    assert order == ["ran"]
    failed = Running(partial(int, "no number")).result(time.monotonic() + 5)
    assert isinstance(failed, ValueError)
