"""Where the logs are, and whether they come: the list for the setup page, and the searches that look after each source."""

from __future__ import annotations

import configparser
import csv
import io
import json
from functools import lru_cache
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import pytest

from responders.content.detection import Detection
from responders.content.forms import to_splunk
from responders.content.loader import load_detections, load_macros
from responders.content.spl import Context, Macro, run
from responders.content.splunk_build import splunk_files
from responders.content.splunk_health import SILENT
from responders.content.splunk_sources import NOT_SET, OWN_INDEX, SOURCES, shipped
from responders.surfaces.splunk_rest import macros

MACROS = load_macros()
NOW = 1_772_359_500.0  # 2026-03-01T10:05:00Z
Rows = List[Dict[str, Any]]


@lru_cache(maxsize=1)
def generated() -> Tuple[Sequence[Detection], Mapping[str, str]]:
    detections = load_detections()
    return detections, splunk_files(detections, MACROS)


def listed() -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = json.loads(generated()[1]["splunk_app/appserver/static/sources.json"])["sources"]
    return found


@lru_cache(maxsize=1)
def searches() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    parser.read_string(generated()[1]["splunk_app/default/savedsearches.conf"])
    return parser


def play(name: str, events: Rows, tables: Dict[str, Rows], now: float) -> Rows:
    """One run of a saved search."""
    return run(searches()[name]["search"], events, Context(MACROS, tables, now))


def sign_in(at: float, indexed: float, **more: Any) -> Dict[str, Any]:
    event = {"uuid": f"u{at}", "eventType": "user.session.start", "actor": {"id": "00u1", "type": "User"}, **more}
    return {**to_splunk("okta", event, indexed), "_time": at}


def tables() -> Dict[str, Rows]:
    text = generated()[1]["splunk_app/lookups/tourniquet_source_list.csv"]
    return {"tourniquet_sources": [], "tourniquet_source_list": list(csv.DictReader(io.StringIO(text)))}


# -- the list -------------------------------------------------------------------------------------------------


def test_the_setup_page_finds_every_macro_that_says_where_a_log_is() -> None:
    """Each macro that the list names exists, and no other macro holds an index or a sourcetype."""
    settable = {name for one in listed() for name in one["defaults"]}
    assert settable <= set(MACROS)
    holding = {
        name
        for name, macro in MACROS.items()
        if "index=" in macro.definition.replace("_index=", "") and "`" not in macro.definition
    }
    assert holding == {name for name in settable if name.endswith("_index")}
    kinds = {name for name in MACROS if name.endswith("_sourcetype")}
    assert kinds == {name for name in settable if name.endswith("_sourcetype")}


def test_no_log_of_a_customers_is_read_before_its_index_is_named() -> None:
    """What ships names an index that nobody has, in the words by which the app knows it; the app's own index is main."""
    assert NOT_SET == macros.NOT_SET
    assert OWN_INDEX == macros.OWN_INDEX
    conf = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    conf.read_string(generated()[1]["splunk_app/default/macros.conf"])
    for source in SOURCES:
        definition = conf[source.index]["definition"]
        assert definition == ("index=main" if source.index == OWN_INDEX else NOT_SET)
    assert run("`tourniquet_okta`", [sign_in(NOW, NOW)], Context(shipped(MACROS), {}, NOW)) == []


def test_every_detection_needs_some_source() -> None:
    """A detection that no source of the list feeds would have no setting and no health search."""
    fed = {slug for one in listed() for slug in one["detections"]}
    assert [one.slug for one in generated()[0] if one.slug not in fed] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: one.key)
def test_a_source_without_a_health_search_would_be_silent_unnoticed(source: Any) -> None:
    """Each has fields that every event should have, and a search of its own that looks for them."""
    (one,) = [one for one in listed() if one["source"] == source.key]
    assert one["fields"]
    assert f"`{source.macro}`" in searches()[one["health_search"]]["search"]


def test_where_a_customers_log_is_reaches_every_search() -> None:
    """With the index set, events of another index are nobody's: through every macro of the source."""
    mine = {**MACROS, "tourniquet_okta_index": Macro("tourniquet_okta_index", "index=mine")}
    events = [sign_in(NOW, NOW)]
    assert len(run("`tourniquet_okta`", events, Context(MACROS, {}, NOW))) == 1
    assert run("`tourniquet_okta`", events, Context(mine, {}, NOW)) == []


# -- health ---------------------------------------------------------------------------------------------------


def test_last_event_delay_rate_and_fields_of_a_source() -> None:
    """Ten events in five minutes, each 30 s late, one without its actor: two a minute, p50 30 s, and 90 % have an actor."""
    events = [sign_in(NOW - 200 + n, NOW - 170 + n) for n in range(9)]
    events.append(sign_in(NOW - 100, NOW - 70, actor={"type": "User"}))
    held = tables()
    play("Tourniquet - health okta", events, held, NOW)
    (row,) = held["tourniquet_sources"]
    assert (row["tq_source"], row["events"], float(row["per_minute"]), row["checked"]) == ("okta", 10, 2.0, NOW)
    assert (row["last_event"], row["last_indexed"], row["lag_p50"], row["lag_max"]) == (NOW - 100, NOW - 70, 30, 30)
    fill = dict(part.split("=") for part in row["fill"].split("|"))
    assert (fill["actor.id"], fill["eventType"], fill["client.ipAddress"]) == ("90", "100", "0")
    assert "client.ipAddress" in row["never"].split(", ")
    assert "actor.id" not in row["never"].split(", ")


def test_a_field_is_missing_when_many_events_lack_it_and_not_when_a_few_do() -> None:
    """Seen once, what the only event of five minutes lacks is not missing; one that twenty lack is, until it is back."""

    def slice_of(count: int, at: float, **more: Any) -> List[str]:
        play("Tourniquet - health okta", [sign_in(at - 200 + n, at - 190 + n, **more) for n in range(count)], held, at)
        return str(held["tourniquet_sources"][0]["never"]).split(", ")

    held, without = tables(), {"actor": {"type": "User"}}
    assert "actor.id" in slice_of(1, NOW, **without), "nothing is known of before: it was never seen"
    assert "actor.id" in slice_of(2, NOW + 300, **without)
    assert "actor.id" not in slice_of(1, NOW + 600)
    assert "actor.id" not in slice_of(1, NOW + 900, **without)
    assert "actor.id" in slice_of(20, NOW + 1200, **without)
    assert "actor.id" in slice_of(1, NOW + 1500, **without)
    full = {"actor": {"id": "a", "type": "User", "alternateId": "a"}, "client": {"ipAddress": "10.0.0.1"}}
    assert slice_of(1, NOW + 1800, **full, outcome={"result": "SUCCESS"}) == ["-"]


def test_no_event_is_a_row_too_and_forgets_nothing() -> None:
    """A run that finds nothing says so, and keeps when the last event was."""
    held = tables()
    play("Tourniquet - health okta", [], held, NOW - 600)
    assert held["tourniquet_sources"][0]["events"] == 0
    assert "last_event" not in held["tourniquet_sources"][0]
    play("Tourniquet - health okta", [sign_in(NOW - 400, NOW - 390)], held, NOW - 300)
    play("Tourniquet - health okta", [], held, NOW)
    (row,) = held["tourniquet_sources"]
    assert (row["events"], row["last_event"], row["last_indexed"], row["checked"]) == (0, NOW - 400, NOW - 390, NOW)


def silent_at(held: Dict[str, Rows], now: float) -> List[str]:
    return [f"{row['tq_source']}: {row['why'][:8]}" for row in play(SILENT, [], held, now)]


def test_a_source_that_was_alive_and_is_silent_is_told_once() -> None:
    """After 15 minutes without an event, once; when it comes back and falls silent again, once more."""
    held = tables()
    for minute in (0, 5, 10):
        play("Tourniquet - health okta", [sign_in(NOW + 60 * minute, NOW + 60 * minute)], held, NOW + 60 * minute)
    told = {}
    for minute in range(15, 100, 5):
        now = NOW + 60 * minute
        events = [sign_in(now, now)] if minute == 50 else []
        play("Tourniquet - health okta", events, held, now)
        if found := silent_at(held, now):
            told[minute] = found
    assert list(told) == [30, 85]
    assert told[30] == ["okta: no event"]


def test_a_source_that_never_sent_is_no_alarm_and_a_quiet_one_has_its_own_measure() -> None:
    """Nothing was ever found: the dashboard says that. One that sends each hour is not silent after half an hour."""
    held = tables()
    for hour in range(5):
        play("Tourniquet - health okta", [sign_in(NOW + 3600 * hour, NOW + 3600 * hour)], held, NOW + 3600 * hour)
        play("Tourniquet - health vault", [], held, NOW + 3600 * hour)
    play("Tourniquet - health okta", [], held, NOW + 4 * 3600 + 1800)
    play("Tourniquet - health vault", [], held, NOW + 4 * 3600 + 1800)
    assert silent_at(held, NOW + 4 * 3600 + 1800) == []
    play("Tourniquet - health okta", [], held, NOW + 7 * 3600)
    play("Tourniquet - health vault", [], held, NOW + 7 * 3600)
    assert silent_at(held, NOW + 7 * 3600) == ["okta: no event"]


def test_a_health_search_that_does_not_run_any_more_is_told() -> None:
    """Without it, silence would look like the last row that it wrote."""
    held = tables()
    play("Tourniquet - health okta", [sign_in(NOW, NOW)], held, NOW)
    assert silent_at(held, NOW + 600) == []
    assert silent_at(held, NOW + 1000) == ["okta: the sear"]
    assert silent_at(held, NOW + 1300) == []
