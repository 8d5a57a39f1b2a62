"""The stream that says when something changed: bounded, ended with its session, and cheap however many look."""

from __future__ import annotations

import sqlite3
import threading
from typing import Any, List

import pytest

from responders.console import live
from responders.console.board import Board
from responders.console.live import MOST_OF_ONE, events
from tests.console.house import House


def test_a_stream_tells_of_a_change(house: House) -> None:
    """First how it stands, then again once somebody is contained or automation is halted."""
    guest = house.signed_in("viewer")
    assert guest.session is not None
    stream = events(house.site, guest.session.name, threading.Event(), 30)
    assert next(stream) == "retry: 2000\n\n"
    first = next(stream)
    assert first.startswith("event: changed\ndata: ") and first.endswith("\n\n")
    house.contain("stella")
    second = next(stream)
    assert second.startswith("event: changed\ndata: ") and second != first
    house.service.responder().halt("test", "test")
    house.site.board.soon()
    third = next(stream)
    house.service.responder().lift_halt("test", "test")
    assert third.startswith("event: changed") and third != second


def test_a_stream_ends_with_its_session_and_with_the_service(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed out, no more is told; a service that stops keeps no thread."""
    monkeypatch.setattr(live, "_EVERY", 0.05)
    guest = house.signed_in("viewer")
    assert guest.session is not None
    stream = events(house.site, guest.session.name, threading.Event(), 30)
    next(stream), next(stream)
    house.site.sessions.end(guest.session)
    assert list(stream) == []
    guest = house.signed_in("viewer")
    assert guest.session is not None
    stream = events(house.site, guest.session.name, threading.Event(), 30)
    next(stream)
    house.site.stopping.set()
    try:
        assert list(stream) == []
    finally:
        house.site.stopping.clear()
    assert list(events(house.site, guest.session.name, threading.Event(), 0)) == ["retry: 2000\n\n"]


def test_streams_are_few(house: House) -> None:
    """The third of a session ends the first; beyond half of the threads nobody gets one; closed ones are free again."""
    guest = house.signed_in("viewer")
    assert guest.session is not None
    open_now: List[Any] = [guest.get("/console/live") for _ in range(MOST_OF_ONE + 1)]
    assert all(answer.status_code == 200 and answer.mimetype == "text/event-stream" for answer in open_now)
    overs = house.site.streams[guest.session.name]
    assert [over.is_set() for over in overs] == [True, False, False]
    more = [house.signed_in("viewer", user=user).get("/console/live") for user in ("omar", "pia")]
    assert [answer.status_code for answer in more] == [200, 503]
    for answer in (*open_now, *more):
        answer.close()
    assert house.site.streams == {}
    last = guest.get("/console/live")
    assert last.status_code == 200
    last.close()


def test_many_lookers_cost_no_more_than_one(house: House) -> None:
    """The journal is read once for all who look at the same time; a containment that ended is never read again."""
    board = Board(house.service.responder)
    rows, left = board.rows()
    assert left == 0 and len(rows) >= 1
    store = house.service.responder().journal.store
    scans: List[str] = []
    scan = store.scan

    def counted(prefix: str, after: str = "") -> Any:
        scans.append(prefix)
        return scan(prefix, after)

    store.scan = counted  # type: ignore[method-assign]
    try:
        for _ in range(50):
            board.rows()
    finally:
        del store.scan
    assert len(scans) <= 2 * (len(rows) + 1)


def test_a_broken_chain_is_shown_as_broken(house: House) -> None:
    """An entry that was edited in the store: the list says so loudly, and the containment's page refuses to tell a tale."""
    containment = house.contain("tampered")
    with sqlite3.connect(house.office.journal) as store:
        store.execute(
            "UPDATE journal SET doc = replace(doc, 'tampered', 'innocent') WHERE key = ?", (f"e/{containment}/00000000",)
        )
    store.close()
    board = Board(house.service.responder)
    [row] = [row for row in board.rows()[0] if row.containment == containment]
    assert row.state == "broken"
    answer = house.signed_in("viewer").get(f"/console/containment/{containment}")
    assert answer.status_code == 503 and "was edited" in answer.text
