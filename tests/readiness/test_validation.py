"""What a validation keeps for the next one: little however many there were, and not what somebody else wrote."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Sequence, Tuple

import pytest

from responders.containment.responder import Responder
from responders.containment.validation import Check, known, tell_unwritten, write_validation
from responders.drill.world import World
from responders.errors import JournalError
from responders.escalation.channels import File
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.surfaces.command_line import validate
from tests.catalogue import CATALOGUE

SOUND = Check("policy", True)
BROKEN = Check("readiness", False, ("okta lacks a scope",))


class Counted(SqliteStore):
    """Documents that were read."""

    read = 0

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Mapping[str, Any]]]:
        for item in super().scan(prefix, after):
            self.read += 1
            yield item


class Site:
    """A responder that validates each hour over one file."""

    def __init__(self, world: World) -> None:
        self.told_at, self.path = world.folder / "told.jsonl", str(world.folder / "hourly.db")
        self.now = datetime(2026, 11, 26, tzinfo=timezone.utc)
        self.key, self.anchor = world.key, str(world.folder / "hourly.anchor")
        self._responder = world.responder(catalogue=CATALOGUE, channels=(File("f", str(self.told_at)),))
        self.store = Counted(self.path)

    def responder(self) -> Responder:
        """As a process of its own has it: nothing is remembered."""
        journal = Journal(self.store, self.key, anchor=self.anchor, clock=lambda: self.now)
        return replace(self._responder, journal=journal)

    def run(self, *checks: Check) -> Sequence[str]:
        """The next hour's; the names of the checks that the SIEM was told of."""
        self.now += timedelta(hours=1)
        return [str(entry.body["check"]) for entry in write_validation(self.responder(), checks)[1:]]

    def told(self) -> List[str]:
        return [json.loads(line)["title"] for line in self.told_at.read_text().splitlines()] if self.told_at.exists() else []

    def edit(self, statement: str) -> int:
        with sqlite3.connect(self.path) as store:
            changed = store.execute(statement).rowcount
        store.close()
        return changed


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


def test_a_run_reads_as_little_after_many_as_after_a_few(site: Site) -> None:
    """The journal grows, what a run reads of it does not."""
    read: List[int] = []
    for _ in range(30):
        site.store.read = 0
        site.run(SOUND, BROKEN)
        read.append(site.store.read)
    assert read[3:] == [read[3]] * 27
    assert site.responder().journal.verify() == []


def test_a_check_is_told_when_it_fails_and_when_it_ends_otherwise(site: Site) -> None:
    """Each hour while it fails; once it is sound again; not each hour that it is."""
    assert site.run(SOUND, BROKEN) == ["policy", "readiness"]
    assert site.run(SOUND, BROKEN) == ["readiness"]
    assert site.run(SOUND, Check("readiness", True)) == ["readiness"]
    assert site.run(SOUND, Check("readiness", True)) == []


def test_people_are_told_once_a_day_and_when_it_is_another_thing(site: Site) -> None:
    """The same for 24 hours: once. Something else, and the same after all was sound: again."""
    for _ in range(24):
        site.run(BROKEN)
    assert len(site.told()) == 1
    site.run(BROKEN)
    assert len(site.told()) == 2
    site.run(Check("readiness", False, ("okta is down",)))
    site.run(SOUND)
    site.run(BROKEN)
    assert len(site.told()) == 4


def test_many_problems_do_not_hide_what_to_do(site: Site) -> None:
    """A thousand steps that can't be read are fifty and a number, and then what to do."""
    site.run(Check("still contained", False, tuple(f"p{number}: can't be read" for number in range(1000)), to_do=("look",)))
    [items] = [json.loads(line)["open_items"] for line in site.told_at.read_text().splitlines()]
    assert (len(items), items[50:]) == (52, ["still contained: and 950 more", "still contained: look"])


def test_what_a_check_carries_stays_until_it_says_otherwise(site: Site) -> None:
    """Runs in which it could not be made change nothing."""
    site.run(Check("backtest", True, carry=True))
    site.run(Check("backtest", False))
    assert known(site.responder()).carried == {"backtest": True}
    site.run(Check("backtest", None, carry=False))
    assert known(site.responder()).carried == {"backtest": False}


def test_who_edits_what_is_kept_is_not_believed_and_found(site: Site) -> None:
    """An edited document counts for nothing, silences nobody, stops no run; deleted or edited, the journal says so."""
    site.run(Check("backtest", True, carry=True))
    site.run(Check("backtest", None, carry=False))
    newest = "(select min(key) from journal where key like 'validated/%')"
    text = "'\"backtest\": false', '\"backtest\": true'".replace('": ', '":')
    assert site.edit(f"update journal set doc = replace(doc, {text}) where key = {newest}") == 1  # noqa: S608
    assert known(site.responder()).carried == {"backtest": True}
    site.run(BROKEN)
    assert site.told() == ["validation FAILED: readiness"]
    assert any("validated/" in line and "edited" in line for line in site.responder().journal.verify())
    assert site.edit(f"delete from journal where key = {newest}") == 1  # noqa: S608
    assert any("validated/" in line and "deleted" in line for line in site.responder().journal.verify())


def test_a_clock_that_was_ahead_does_not_decide_for_years(site: Site) -> None:
    """What a responder wrote while its clock was a year ahead is not the newest today."""
    site.now += timedelta(days=365)
    site.run(BROKEN)
    site.now -= timedelta(days=365)
    site.run(SOUND)
    assert known(site.responder()).results == {"policy": True}


def test_people_are_told_although_the_journal_can_not_be_written(site: Site, tmp_path: Path) -> None:
    """Whoever breaks the journal must not keep a broken path from being told: it goes out by the channels themselves."""

    def full(docs: object) -> Tuple[bool, ...]:
        raise JournalError("journal: the disk is full")

    site.store.create_all = full  # type: ignore[method-assign]
    with pytest.raises(JournalError) as failed:
        site.run(BROKEN)
    found = tell_unwritten(site.responder(), (BROKEN,), failed.value)
    assert (found.ok, "disk is full" in found.problems[0]) == (False, True)
    assert site.told() == ["validation FAILED: readiness, told"]


def test_a_check_that_breaks_is_a_failure_and_no_end() -> None:
    """Whatever a vendor answers: the other checks are made and told, and this one says where it broke, not with what."""
    found = validate._guarded("readiness", lambda: Check(str(json.loads("{a secret")), True))
    assert (found.ok, found.problems) == (False, (found.problems[0],))
    assert "the check itself broke: JSONDecodeError in decoder.py:" in found.problems[0]
    assert "secret" not in found.problems[0]
