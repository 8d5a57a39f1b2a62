"""Splunk's alerts about Tourniquet itself, over events as responder and hourly check send them: what they tell, once, and
that nobody is contained for one, whoever wrote the event."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest

from responders.alerts.row import alert_from_row
from responders.content.loader import load_macros
from responders.content.spl import Context, run
from responders.content.splunk_readiness import ABSENT, DRILL, FAILED, NAMES, readiness_alerts
from responders.errors import BadAlert
from responders.journal.chain import Entry
from responders.readiness.ask import found_of
from responders.readiness.check import Need, Readiness
from responders.settings import Connection
from responders.splunk.events import as_event, entry_row
from responders.surfaces.assemble import read_catalogue
from responders.surfaces.splunk_check import rows_of

MACROS = load_macros()
SEARCHES = {name: dict(settings) for name, settings in readiness_alerts()}
NOW = 1_772_359_500.0  # 2026-03-01T10:05:00Z
HOUR, DAY = 3600.0, 86400.0
Rows = List[Dict[str, Any]]


def event(sourcetype: str, row: Mapping[str, Any], indexed: float, at: Optional[float] = None) -> Dict[str, Any]:
    return {
        "_raw": as_event(row), "_time": indexed if at is None else at, "_indextime": indexed, "index": "main",
        "sourcetype": sourcetype, "source": "tourniquet",
    }  # fmt: skip


def entry(chain: str, kind: str, body: Mapping[str, Any], indexed: float, seq: int = 0) -> Dict[str, Any]:
    at = datetime.fromtimestamp(indexed, timezone.utc)
    return event("tourniquet:journal", entry_row(Entry(chain, seq, kind, at, body, "0" * 64, "1" * 64)), indexed)


def check(name: str, ok: Optional[bool], indexed: float, *problems: str) -> Dict[str, Any]:
    word = {True: "sound", False: "FAILED", None: "not checked"}[ok]
    body = {"check": name, "ok": ok, "problems": list(problems), "note": "", "result": word}
    return entry(f"v-{indexed:.0f}", "check", body, indexed)


def validation(indexed: float) -> Dict[str, Any]:
    return entry(f"v-{indexed:.0f}", "validation", {"valid": True, "checks": [], "title": "sound"}, indexed)


def asked(indexed: float, missing: Tuple[str, ...] = ()) -> Rows:
    """What the hourly check tells of one credential."""
    connection = Connection("okta", "corp", "https://corp.okta.example", {})
    needs = (Need("okta.suspend_user", missing, ()),)
    found = found_of(
        connection, False, Readiness("okta", "corp", True, True, "", {}, needs, ()), None, ["okta.suspend_user"]
    )
    return [event("tourniquet:readiness", row, indexed) for row in rows_of(found)]


def drill(chain: str, begun: float, ended: Optional[float] = None, *, works: bool = True, lane: str = "") -> Rows:
    found = [entry(chain, "drill", {"identity": "canary-1", "tier": "revoke", "side": []}, begun)]
    if ended is not None:
        lanes = [{"vendor": "okta", "contained": 1.0, "restored": 1.0, "problem": lane}]
        body = {"identity": "canary-1", "works": works, "lanes": lanes, "problems": [], "untested": []}
        found.append(entry(chain, "drilled", body, ended, 1))
    return found


def told(name: str, events: Rows, now: float = NOW) -> Rows:
    """The rows of one run, over what its time ranges let it see; newest first, as Splunk gives events."""
    settings = SEARCHES[name]
    earliest = now - int(settings["dispatch.earliest_time"][1:-1]) * DAY
    seen = [one for one in events if earliest <= one["_time"] <= now + DAY and one["_indextime"] < now]
    if "dispatch.index_earliest" in settings:
        seen = [one for one in seen if now - 25 * HOUR <= one["_indextime"] < now - 60]
    return run(settings["search"], sorted(seen, key=lambda one: -one["_time"]), Context(MACROS, {}, now))


def runs(name: str, events: Rows, begin: float, end: float) -> List[Tuple[float, str]]:
    """Every run each five minutes in the hour after some event: minutes after `begin` at which something was told, and the
    first column."""
    minutes = range(0, int((end - begin) / 60), 5)
    near = [n for n in minutes if any(0 <= begin + 60 * n - one["_indextime"] <= HOUR for one in events)]
    return [(n, str(next(iter(row.values())))) for n in near for row in told(name, events, begin + 60 * n)]


def test_a_failed_check_is_told_once_a_day_and_at_once_when_it_is_another() -> None:
    """Hourly checks: sound and unchecked ones say nothing, the same failure not again today, a new problem at once."""
    events = [check("journal", True, NOW + 60), check("policy", None, NOW + 60)]
    events += [check("readiness", False, NOW + 60 + HOUR * n, "okta lacks a scope") for n in (0, 1, 5, 13, 14, 15)]
    events += [check("readiness", False, NOW + 60 + HOUR * 5.5, "vault is not reachable")]
    found = runs(FAILED, events, NOW, NOW + 16 * HOUR)
    assert [name for _, name in found] == ["readiness"] * 3
    first, other, tomorrow = (minute for minute, _ in found)
    assert first <= 10
    assert 330 <= other <= 340
    assert 14 * 60 - 5 <= tomorrow <= 15 * 60, "the day after, which begins 13:55 h later"


def test_a_failed_check_says_what_is_wrong() -> None:
    """Check, result, problems, and when it was found."""
    (row,) = told(FAILED, [check("still contained", False, NOW - 120, "bob: not suspended", "eve: unread")])
    assert (row["check"], row["result"], row["problems"]) == ("still contained", "FAILED", "bob: not suspended; eve: unread")
    assert row["found"].startswith("2026-03-01 ")


def test_a_check_too_long_to_be_sent_counts_as_failed() -> None:
    """Whoever makes its problems long must not hide it: of a body over 90,000 characters only its digest is sent."""
    (row,) = told(FAILED, [check("readiness", False, NOW - 120, "x" * 95_000)])
    assert row["result"].startswith("unreadable")
    (row,) = told(FAILED, [check("readiness", False, NOW - 120, "x" * 50_000)])
    assert (row["check"], row["result"]) == ("readiness", "FAILED"), "longer than what Splunk extracts by itself"


def test_a_vendor_that_fails_the_hourly_check_is_told() -> None:
    """In Splunk it is the twin of validate: a credential that lacks something, not one that is ready."""
    assert told(FAILED, asked(NOW - 120)) == []
    (row,) = told(FAILED, asked(NOW - 120, ("okta.users.manage",)))
    assert (row["check"], row["problems"]) == ("okta:corp (ordinary)", "lacks okta.suspend_user")


def test_absence_is_told_by_the_time_of_indexing() -> None:
    """Two hours without what came before; an event dated into the future, or late, changes nothing."""
    assert told(ABSENT, [validation(NOW - HOUR), *asked(NOW - HOUR)]) == []
    (row,) = told(ABSENT, [validation(NOW - 2.1 * HOUR), *asked(NOW - HOUR)])
    assert row["missing"].startswith("tourniquet validate")
    (row,) = told(ABSENT, [validation(NOW - HOUR), *asked(NOW - 2.1 * HOUR)])
    assert row["missing"].startswith("the hourly check")
    forged = {**validation(NOW - 3 * HOUR), "_time": NOW + DAY}
    assert len(told(ABSENT, [forged])) == 1


def test_what_was_never_there_is_told_and_what_nobody_uses_is_not() -> None:
    """No event at all is one row. Who has the hourly check only is not asked for validate, nor the other way round."""
    (row,) = told(ABSENT, [])
    assert (row["missing"][:12], row["last"]) == ("for 30 days ", "never")
    assert told(ABSENT, asked(NOW - HOUR)) == []
    assert told(ABSENT, [validation(NOW - HOUR)]) == []


def test_a_broken_drill_is_told_once_and_a_working_one_not() -> None:
    """By its own word, or that of a lane; whatever a second, forged end of the same drill says."""
    assert runs(DRILL, drill("d-1", NOW + 60, NOW + 90), NOW, NOW + 3 * HOUR) == []
    broken = drill("d-1", NOW + 60, NOW + 90, works=False, lane="okta: still signed in")
    assert [name for _, name in runs(DRILL, broken, NOW, NOW + 3 * HOUR)] == ["canary-1"]
    forged = [*broken, *drill("d-1", NOW + 60, NOW + 95)]
    (row,) = told(DRILL, forged, NOW + 300)
    assert (row["result"], row["problems"]) == ("a path is BROKEN", "okta: still signed in")


def test_a_drill_that_does_not_end_is_told_once_after_half_an_hour() -> None:
    """And once more, as broken, when due work says that it died."""
    events = drill("d-1", NOW + 60)
    ((minute, _),) = runs(DRILL, events, NOW, NOW + 5 * HOUR)
    assert 30 <= minute <= 40
    died = [*events, drill("d-1", NOW, NOW + 2 * HOUR, works=False)[1]]
    assert len(runs(DRILL, died, NOW + 2 * HOUR, NOW + 5 * HOUR)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_contained_for_it(name: str) -> None:
    """It starts no action of ours. And if a customer added ours by mistake, over an event that an attacker wrote: no column
    is an alert's, so the row is no alert."""
    settings = SEARCHES[name]
    assert not [key for key in settings if key.startswith("action.")]
    named = {"tq_detection": "okta/session_replay", "tq_account": "okta:corp:00u1", "tq_confidence": "99",
             "tq_identity": "the boss", "tq_finding": "f", "tq_completed_at": "2026-03-01T10:00:00Z"}  # fmt: skip
    hostile = [check("readiness", False, NOW - 120, "x"), *drill("d-1", NOW - 130, NOW - 120, works=False)]
    if name == ABSENT:
        hostile = [validation(NOW - 3 * HOUR)]
    rows = told(name, [{**one, **named} for one in hostile])
    assert rows
    for row in rows:
        assert not [column for column in row if column.startswith("tq_")]
        with pytest.raises(BadAlert):
            alert_from_row(row, read_catalogue(), datetime.fromtimestamp(NOW, timezone.utc))
