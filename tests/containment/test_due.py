"""Due entries: none is lost, and those of a year ago cost nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import pytest

from responders.containment import due
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore

START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
RAW = {"tq_finding": "x"}


class Counting(SqliteStore):
    """A store that counts the documents it gives."""

    given = 0

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Any]]:
        for found in super().scan(prefix, after):
            self.given += 1
            yield found


class Days:
    """A journal with a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.store = Counting(str(folder / "journal.db"))
        self.journal = Journal(self.store, b"k" * 16, clock=lambda: self.now)

    def on(self, days: float) -> None:
        """A day's due run, so many days after the start."""
        self.now = START + timedelta(days=days)
        due.close_days(self.journal)

    def waiting(self) -> List[Tuple[str, str]]:
        return [(item.what, item.about) for item in due.pending(self.journal, self.now)]

    def read(self) -> int:
        """How many documents a look for what is due reads."""
        self.store.given = 0
        self.waiting()
        return self.store.given


@pytest.fixture
def days(tmp_path: Path) -> Iterator[Days]:
    found = Days(tmp_path)
    yield found
    found.store.close()


def busy(days: Days, first: int, last: int) -> None:
    """Three entries a day, each done."""
    for day in range(first, last):
        days.now = START + timedelta(days=day)
        for number in range(3):
            due.add(days.journal, "recheck", f"c-{day}", days.now, str(number))
        for item in list(due.pending(days.journal, days.now)):
            due.finish(days.journal, item, "done")
        due.close_days(days.journal)


def test_a_year_old_journal_is_read_as_quickly_as_a_young_one(days: Days) -> None:
    """What a look for due work reads grows for a few days, then no more."""
    busy(days, 0, 20)
    young = days.read()
    busy(days, 20, 120)
    assert days.read() == young < 60
    assert days.waiting() == []
    assert days.journal.verify() == []


def test_what_nobody_did_is_not_lost_with_its_day(days: Days) -> None:
    """It is due again, with all that it holds, once, however many days pass; done, it stays done."""
    due.add(days.journal, "alert", "a-1", days.now, "note", RAW)
    due.add(days.journal, "recheck", "c-1", START + timedelta(days=400), "a year")
    for day in range(1, 12):
        days.on(day)
        [item] = due.pending(days.journal, days.now)
        assert (item.what, item.about, item.note, item.raw) == ("alert", "a-1", "note", RAW)
    assert days.read() < 20
    due.finish(days.journal, item, "done")
    days.on(13)
    assert days.waiting() == []
    days.on(401)
    assert days.waiting() == [("recheck", "c-1")]


def test_after_a_long_pause_all_is_still_there(days: Days) -> None:
    """Nobody ran for months: the last day that was closed is found all the same."""
    busy(days, 0, 10)
    due.add(days.journal, "restore", "c-1", days.now + timedelta(days=1))
    days.now = START + timedelta(days=200)
    assert days.waiting() == [("restore", "c-1")]
    days.on(200)
    assert days.waiting() == [("restore", "c-1")]


def test_a_clock_that_was_ahead_hides_nothing(days: Days) -> None:
    """Somebody whose clock is ten days ahead closes days to come: what is added to them meanwhile stays due."""
    busy(days, 0, 5)
    days.on(15)
    days.on(5)
    due.add(days.journal, "restore", "c-1", days.now + timedelta(days=1))
    assert days.waiting() == []
    for day in (7, 13, 14, 20):
        days.on(day)
        assert days.waiting() == [("restore", "c-1")], day


def test_nothing_is_added_to_a_day_that_may_be_closed(days: Days) -> None:
    """Work that was due long ago is written as due a day ago at most."""
    busy(days, 0, 30)
    key = due.add(days.journal, "recheck", "c-old", START)
    assert key > f"due/{days.now - timedelta(days=1, minutes=1):%Y%m%dT%H%M%S}"
    assert days.waiting() == [("recheck", "c-old")]


def test_two_who_close_at_once_double_nothing(days: Days, tmp_path: Path) -> None:
    """The day is closed by one of them."""
    due.add(days.journal, "alert", "a-1", days.now, raw=RAW)
    days.now = START + timedelta(days=5)
    held = due.claim(days.journal, "days", 60.0)
    due.close_days(days.journal)
    assert [key for key, _ in days.journal.side("days/")] == []
    assert held is not None
    due.release(days.journal, held)
    due.close_days(days.journal)
    due.close_days(days.journal)
    assert days.waiting() == [("alert", "a-1")]
