"""The responder's own events in Splunk: their time, what is found in them, and their names in the Common Information Model.

props.conf is read here, and run by this project's SPL subset over what a responder wrote; no Splunk indexed it.
"""

from __future__ import annotations

import configparser
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest

from responders.containment.signals import signal_row, standing_row
from responders.content.forms import parse_time
from responders.content.spl import Context, run
from responders.content.spl.extraction import AUTOMATIC_LIMIT
from responders.journal.chain import Entry
from responders.model import Account, Alert, Identity, Standing
from responders.readiness.ask import found_of
from responders.readiness.check import Need, Readiness
from responders.settings import Connection
from responders.splunk.events import as_event, entry_row
from responders.surfaces.splunk_check import rows_of

DEFAULT = Path(__file__).resolve().parents[2] / "splunk_app" / "default"
AT = datetime(2026, 3, 1, 10, 0, 0, 250000, timezone.utc)
LATER = datetime(2026, 3, 1, 10, 5, tzinfo=timezone.utc)
HOSTILE = 'x", "time": "1999-01-01T00:00:00+00:00'
OKTA = Account("okta", "corp", "user", "00u1")
BOB = Identity("bob", "human", None, "normal", "production", False, (OKTA,), ())
CORP = Connection("okta", "corp", "https://corp.okta.example", {})


def conf(name: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((DEFAULT / name).read_text(encoding="utf-8"))
    return parser


PROPS = conf("props.conf")


def alert(confidence: int = 75) -> Alert:
    return Alert(
        HOSTILE, "okta/session_replay", "idp", confidence, ("+75 x",), (OKTA,), frozenset(("e1", HOSTILE)), AT,
        finding=HOSTILE, started_at=AT, causes=frozenset(("ip:203.0.113.9", "session:s1")),
    )  # fmt: skip


def outcome(status: str) -> Dict[str, Any]:
    account = {"vendor": "okta", "tenant": "corp", "kind": "user", "id": "00u1", "mastered": "cloud"}
    step = {"id": "s-1", "action": "okta.suspend_user", "account": account, "phase": 1, "parameters": []}
    return {"step": step, "status": status, "proof": HOSTILE, "at": AT.isoformat(), "residual_until": None}


def entry(kind: str, body: Mapping[str, Any]) -> str:
    return as_event(entry_row(Entry("c-1", 3, kind, AT, body, "0" * 64, "1" * 64)))


JOURNAL = {
    "an entry": entry("outcome", {"outcomes": [outcome("confirmed")]}),
    "an entry with a time in its body": entry("alert", {"time": "1999-01-01T00:00:00+00:00", "raw": {HOSTILE: HOSTILE}}),
    "a standing": as_event(standing_row(Standing("contained", "c-1", "bob", OKTA.key, AT, LATER))),
    "a standing of whom an attacker named": as_event(standing_row(Standing("restored", "c-1", HOSTILE, OKTA.key, AT))),
}
SIGNAL = as_event(signal_row(alert(), BOB, LATER))


def time_of(sourcetype: str, raw: str) -> float:
    """Where TIME_PREFIX ends, within MAX_TIMESTAMP_LOOKAHEAD."""
    about = PROPS[sourcetype]
    found = re.search(about["TIME_PREFIX"], raw)
    assert found is not None
    return parse_time(raw[found.end() :][: int(about["MAX_TIMESTAMP_LOOKAHEAD"])]) or 0.0


def fields(sourcetype: str, raw: str) -> Dict[str, Any]:
    """The event with its calculated fields: Splunk computes all of them from the extracted ones, none from another."""
    evals = {key[len("EVAL-") :]: text for key, text in PROPS[sourcetype].items() if key.startswith("EVAL-")}
    event = {"_raw": raw, "_time": AT.timestamp(), "sourcetype": sourcetype}
    (row,) = run("search *", [event], Context({}, {}, 0.0))
    found = dict(row)
    for name, text in evals.items():
        (made,) = run(f"search * | eval tq_made={text}", [event], Context({}, {}, 0.0))
        if "tq_made" in made:
            found[name] = made["tq_made"]
    return found


@pytest.mark.parametrize("raw", JOURNAL.values(), ids=list(JOURNAL))
def test_the_time_of_a_journal_event_is_its_own(raw: str) -> None:
    """Whatever stands in a body or a name: an attacker must not date the entry that tells of him."""
    assert time_of("tourniquet:journal", raw) == AT.timestamp()


def test_the_time_of_a_check_is_its_own() -> None:
    """Whatever a vendor's answer says."""
    found = Readiness("okta", "corp", True, False, HOSTILE, {}, (Need("okta.suspend_user", (HOSTILE,), ()),), (HOSTILE,))
    for row in rows_of(found_of(CORP, False, found, None, ["okta.suspend_user"])):
        raw = as_event({**row, "time": AT.isoformat(), "search_head": HOSTILE})
        assert time_of("tourniquet:readiness", raw) == AT.timestamp()


def test_the_time_of_a_signal_is_that_of_the_completing_event() -> None:
    """Not of its writing, and not of what an event's id says."""
    assert time_of("tourniquet:signal", SIGNAL) == AT.timestamp()


def test_what_searches_filter_by_is_found_in_the_longest_entry() -> None:
    """Splunk extracts the first 10,240 characters: kind, entry, chain, seq and id stand before a long body."""
    raw = entry("plan", {"a": "x" * 50_000})
    assert len(raw) > AUTOMATIC_LIMIT
    (row,) = run("search kind=entry entry=plan chain=c-1 seq=3", [{"_raw": raw, "_time": 0.0}], Context({}, {}, 0.0))
    assert (row["id"], row["mac"]) == ("c-1/3", "1" * 64)


def test_an_event_is_never_cut_off() -> None:
    """The longest that the responder sends is shorter than TRUNCATE of every sourcetype of its own."""
    raw = entry("plan", {"a": "x" * 89_000})
    for sourcetype in PROPS.sections():
        assert len(raw.encode()) < int(PROPS[sourcetype]["TRUNCATE"])


# CIM 5, "Change": action and status are prescribed; "Alerts": severity and type. Values of the reference tables.
ACTIONS = {"created", "deleted", "acl_modified", "cleared", "modified", "read", "stopped", "started", "restarted"}
SEVERITIES = {"critical", "high", "medium", "low", "informational", "unknown"}


@pytest.mark.parametrize(
    ("raw", "status", "result"),
    [
        (entry("outcome", {"outcomes": [outcome("confirmed")]}), "success", "confirmed"),
        (entry("outcome", {"outcomes": [outcome("failed")]}), "failure", "failed"),
        (entry("undone", {"outcomes": [outcome("confirmed")]}), "success", "confirmed"),
        (JOURNAL["a standing"], "success", "contained"),
    ],
)
def test_a_change_has_its_names_in_the_data_model(raw: str, status: str, result: str) -> None:
    """What was changed, of whom, at which vendor, by whom, and whether it worked."""
    found = fields("tourniquet:journal", raw)
    assert found["action"] in ACTIONS
    assert (found["status"], found["result"], found["change_type"]) == (status, result, "AAA")
    assert (found["src_user"], found["object_id"], found["vendor_product"]) == ("tourniquet", "c-1", "Tourniquet")
    assert found["object"] in ("00u1", OKTA.key)
    assert found["object_category"] == "user"


@pytest.mark.parametrize(("confidence", "severity"), [(95, "critical"), (75, "high"), (50, "medium"), (10, "low")])
def test_a_signal_has_its_names_in_the_data_model(confidence: int, severity: str) -> None:
    """Which detection, of whom, from where, how severe."""
    found = fields("tourniquet:signal", as_event(signal_row(alert(confidence), BOB, LATER)))
    assert severity in SEVERITIES
    assert (found["severity"], found["type"], found["app"]) == (severity, "alert", "tourniquet")
    assert (found["signature"], found["user"], found["src"]) == ("okta/session_replay", "bob", "203.0.113.9")
    assert found["id"] == alert().finding


def test_event_types_find_what_they_say_and_tags_name_them() -> None:
    """Each tag is on an event type that exists; changes are outcomes, what was undone, and standings, and no other entry."""
    types = {name: conf("eventtypes.conf")[name]["search"] for name in conf("eventtypes.conf").sections()}
    assert all("|" not in text for text in types.values())
    tags = conf("tags.conf")
    assert {name.removeprefix("eventtype=") for name in tags.sections()} <= set(types)
    assert set(tags["eventtype=tourniquet_change"]) == {"change", "account"}
    assert set(tags["eventtype=tourniquet_signal"]) == {"alert"}
    assert set(tags["eventtype=tourniquet_modaction_result"]) == {"modaction_result"}
    raws = [*JOURNAL.values(), entry("undone", {"outcomes": []}), entry("plan", {}), entry("restored", {"by": "ida"})]
    events: List[Dict[str, Any]] = [{"_raw": raw, "_time": 0.0, "sourcetype": "tourniquet:journal"} for raw in raws]
    found = run(types["tourniquet_change"], events, Context({}, {}, 0.0))
    assert [row.get("entry", row["kind"]) for row in found] == ["outcome", "contained", "restored", "undone"]
