"""What the build generates for Splunk: every name defined, every key known, every search readable, each run one slice."""

from __future__ import annotations

import configparser
import hashlib
import json
import re
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping

import pytest

from responders.alerts.row import alert_from_row
from responders.content.detection import Detection
from responders.content.forms import parse_time, to_splunk
from responders.content.loader import load_macros
from responders.content.replay import index, run_at, seconds_to_alert, tables
from responders.content.run import LOOKUPS, run_detections
from responders.content.schedule import minutes_between_runs
from responders.content.spl import Context, parse, run
from responders.content.splunk_conf import INDEXED
from responders.content.splunk_readiness import ABSENT
from responders.content.splunk_sources import NOT_SET
from responders.surfaces.assemble import read_catalogue
from tests import shipped

CATALOGUE = read_catalogue()
APP = Path(__file__).resolve().parents[2] / "splunk_app"
DETECTIONS = shipped.detections()
MACROS = load_macros()

# Splunk, Admin Manual, "savedsearches.conf" (savedsearches.conf.spec of 8.0 to 10.0): the keys outside action.*.
SPEC = {
    "disabled", "search", "dispatchAs", "enableSched", "cron_schedule", "allow_skew", "max_concurrent", "realtime_schedule",
    "schedule_priority", "schedule_window", "workload_pool", "counttype", "relation", "quantity", "alert_condition",
    "run_on_startup", "run_n_times", "dispatch.ttl", "dispatch.buckets", "dispatch.max_count", "dispatch.max_time",
    "dispatch.lookups", "dispatch.earliest_time", "dispatch.latest_time", "dispatch.index_earliest", "dispatch.index_latest",
    "dispatch.time_format", "dispatch.spawn_process", "dispatch.auto_cancel", "dispatch.auto_pause", "dispatch.reduce_freq",
    "dispatch.sample_ratio", "auto_summarize", "alert.suppress", "alert.suppress.period", "alert.suppress.fields",
    "alert.severity", "alert.expires", "alert.digest_mode", "alert.track", "alert.display_view", "alert.managedBy",
    "displayview", "vsid", "is_visible", "description", "request.ui_dispatch_app", "request.ui_dispatch_view",
}  # fmt: skip
# Enterprise Security, as Splunk's contentctl writes them (templates/savedsearches_detections.j2).
SECURITY = {
    "action.correlationsearch.enabled", "action.correlationsearch.label", "action.correlationsearch.annotations",
    "action.notable", "action.notable.param.rule_title", "action.notable.param.rule_description",
    "action.notable.param.security_domain", "action.notable.param.severity", "action.notable.param.nes_fields",
    "action.notable.param.drilldown_searches", "action.risk", "action.risk.param._risk", "action.risk.param._risk_message",
    "action.risk.param._risk_score",
}  # fmt: skip


def conf(name: str) -> Dict[str, Mapping[str, str]]:
    """A generated conf file of the app, as its stanzas; another test says whether it is what the detections give."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((APP / name).read_text(encoding="utf-8"))
    return {section: dict(parser[section]) for section in parser.sections()}


SEARCHES = conf("default/savedsearches.conf")
BY_DETECTION = [pytest.param(d, id=d.slug) for d in DETECTIONS]


def minutely(detection: Detection) -> Mapping[str, str]:
    return SEARCHES[f"Tourniquet - {detection.name}"]


def late(detection: Detection) -> Mapping[str, str]:
    return SEARCHES[f"Tourniquet - {detection.name} - late"]


@lru_cache(maxsize=1)
def macros_of_the_app() -> Dict[str, Any]:
    """The macros as Splunk would read them from macros.conf, once an index was named for each log."""
    found = {}
    for name, stanza in conf("default/macros.conf").items():
        arguments = tuple(part.strip() for part in stanza.get("args", "").split(",") if part.strip())
        definition = "index=*" if stanza["definition"] == NOT_SET else stanza["definition"]
        found[name] = type(next(iter(MACROS.values())))(name, definition, arguments)
    return found


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_readable_with_the_macros_that_ship(name: str) -> None:
    """Search and drill-down parse once the macros of macros.conf are put in: an undefined one is an error."""
    macros = macros_of_the_app()
    parse(SEARCHES[name]["search"], macros)
    drills = json.loads(SEARCHES[name].get("action.notable.param.drilldown_searches", "[]"))
    for drill in drills:
        parse(drill["search"], macros)
        # A hash, and never a name: names may be an attacker's.
        assert re.findall(r"\$(\w+)\$", drill["search"]) in (["tq_hash"], ["tq_who"])
    assert [(d["earliest_offset"], d["latest_offset"]) for d in drills[:1]] in (
        [], [("$info_min_time$", "$info_max_time$")],
    )  # fmt: skip


def test_every_lookup_has_its_stanza_and_what_is_behind_it() -> None:
    """A lookup that a search or macro names is in transforms.conf, over a collection or a file of the app."""
    texts = [stanza["search"] for stanza in SEARCHES.values()]
    texts += [stanza["definition"] for stanza in conf("default/macros.conf").values()]
    named = {name for text in texts for name in re.findall(r"\blookup (?:\w+=\w+ )*(tourniquet_\w+)", text)}
    transforms = conf("default/transforms.conf")
    assert named <= set(transforms)
    behind = {stanza["collection"] for stanza in transforms.values() if "collection" in stanza}
    assert behind <= set(conf("default/collections.conf"))
    files = {stanza["filename"] for stanza in transforms.values() if "filename" in stanza}
    assert {f"splunk_app/lookups/{name}" for name in files} == {name for name in shipped.built() if "/lookups/" in name}


def test_no_search_reads_what_is_the_responders_alone() -> None:
    """Journal, policy and identities have no lookup: what a search can read, whoever may search can copy or overwrite."""
    alone = {"tourniquet_journal", "tourniquet_policy", "tourniquet_identities"}
    assert alone <= set(conf("default/collections.conf"))
    assert not alone & set(conf("default/transforms.conf"))


@pytest.mark.parametrize("name", SEARCHES)
def test_no_key_is_unknown(name: str) -> None:
    """Splunk takes a misspelt key silently: each is in its specification, in the app's own, or is Enterprise Security's."""
    own = {
        line.split(" = ")[0]
        for line in (APP / "README" / "savedsearches.conf.spec").read_text().splitlines()
        if " = " in line
    }
    assert set(SEARCHES[name]) <= SPEC | SECURITY | own
    assert all(value == value.strip() and value and not value.endswith("\\") for value in SEARCHES[name].values())


@pytest.mark.parametrize("name", SEARCHES)
def test_nothing_runs_until_it_is_switched_on(name: str) -> None:
    """Disabled, scheduled, never skipped by the scheduler, and never suppressed: that would silence a second layer. One that
    says but one thing may be. A search that seeds a baseline, or shows what is in use, has no schedule and is not
    disabled: a person could not run it else."""
    stanza = SEARCHES[name]
    if name.startswith(("Tourniquet - seed ", "Tourniquet - usage ")):
        assert "disabled" not in stanza
        assert stanza["enableSched"] == "0"
    else:
        assert (stanza["disabled"], stanza["enableSched"], stanza["realtime_schedule"]) == ("1", "1", "0")
    assert name == ABSENT or not [key for key in stanza if key.startswith("alert.suppress")]


@pytest.mark.parametrize("detection", BY_DETECTION)
def test_the_alert_action_is_started_once_a_run(detection: Detection) -> None:
    """All rows of a run go to one process, in the minute's search and in the late one; findings only in the first."""
    for stanza in (minutely(detection), late(detection)):
        assert (stanza["action.tourniquet_contain"], stanza["alert.digest_mode"]) == ("1", "1")
        assert (stanza["counttype"], stanza["relation"], stanza["quantity"]) == ("number of events", "greater than", "0")
    acting = detection.max_tier != "observe"
    assert (minutely(detection)["cron_schedule"] == "* * * * *") == acting
    assert not set(late(detection)) & SECURITY


@pytest.mark.parametrize("detection", BY_DETECTION)
def test_risk_is_of_what_the_search_outputs(detection: Detection) -> None:
    """The risk object is a field that every row of the examples has, of a type that Enterprise Security knows."""
    risk, threat = json.loads(minutely(detection)["action.risk.param._risk"])
    assert risk["risk_object_type"] in ("user", "system", "other")
    assert risk["risk_score"] == detection.confidence
    assert threat == {"threat_object_field": "src", "threat_object_type": "ip_address"}
    stanza = minutely(detection)
    named = {risk["risk_object_field"], *stanza["action.notable.param.nes_fields"].split(",")}
    for key in (
        "action.notable.param.rule_title",
        "action.notable.param.rule_description",
        "action.risk.param._risk_message",
    ):
        named |= set(re.findall(r"\$(\w+)\$", stanza[key]))
    hits = [h for e in detection.examples for h in run_detections([detection], e.events, lookups=e.lookups)]
    assert hits
    assert [(name, hit.row) for hit in hits for name in named if not hit.row.get(name)] == []


# What Enterprise Security's notable action leaves out of a row, and what it calls orig_… (Splunk_SA_CIM, cim_actions.py,
# ModularAction.DEFAULT_DROPEXP and DEFAULT_MAPEXP).
DROPPED = re.compile(r"_(?!raw$|time$)|date_|(punct|sid|rid|orig_sid|orig_rid)$")
MAPPED = re.compile(
    r"tag::|(_time|_raw|splunk_server|index|source|sourcetype|host|linecount|timestartpos|timeendpos|eventtype|tag|"
    r"search_name|event_hash|event_id)$"
)


@pytest.mark.parametrize("detection", BY_DETECTION)
def test_a_finding_carries_what_a_click_on_it_needs(detection: Detection) -> None:
    """The row that comes back from Enterprise Security's notable index reads as the alert that the search raised."""
    example = next(e for e in detection.examples if e.fires)
    events = [to_splunk(source, event, 0.0) for source, event in example.events]
    text = minutely(detection)["search"].partition(f" | where {INDEXED}>=")[0]
    held = {name: [dict(row) for row in tables(example).get(name, ())] for name in LOOKUPS}
    now = max(float(event["_time"]) for event in events) + 60
    events.sort(key=lambda event: -float(event["_time"]))
    rows = run(parse(text, macros_of_the_app()), events, Context(macros_of_the_app(), held, now))
    assert rows
    for row in rows:
        kept = {name: value for name, value in row.items() if not DROPPED.match(name)}
        back = {f"orig_{name.lstrip('_')}" if MAPPED.match(name) else name: value for name, value in kept.items()}
        at = parse_time(row["tq_completed_at"]) or 0.0
        seen = [alert_from_row(one, CATALOGUE, datetime.fromtimestamp(at + 60, timezone.utc)) for one in (row, back)]
        assert seen[0] == seen[1]
        assert row["user"] == row["tq_identity"]
        assert (row["tq_hash"], row["tq_who"]) == tuple(
            hashlib.md5(str(row[name]).encode(), usedforsecurity=False).hexdigest() for name in ("tq_finding", "tq_identity")
        )


# -- the clock --------------------------------------------------------------------------------------------


def dispatch(detection: Detection, stanza: Mapping[str, str], example: Any, events: Any, now: float) -> List[str]:
    """The findings of one scheduled run at `now`."""
    return [str(row["tq_finding"]) for row in run_at(stanza, events, now, tables(example), detection)]


@pytest.mark.parametrize("detection", BY_DETECTION)
def test_a_finding_is_raised_once_and_by_the_late_search_once_more(detection: Detection) -> None:
    """Events indexed 20 s after they happened: one run of two hours raises it; the late search has it too."""
    example = next(e for e in detection.examples if e.fires)
    events = index(example, lag=20)
    every = 60 * minutes_between_runs(detection)
    news = {float(event["_indextime"]) // every * every for event in events}
    last = max(news)
    # Each run that has something new, and then some that have not: a finding must not come again.
    runs = sorted({at + every for at in news} | {last + every * n for n in range(6)} | {last + 600 * n for n in range(13)})
    raised = [f for now in runs for f in dispatch(detection, minutely(detection), example, events, now)]
    assert len(set(raised)) == len(raised)
    assert {finding.split("|")[0] for finding in raised} == {detection.slug}
    first = min(news)
    quarters = sorted({at // 900 * 900 + 900 * n for at in news for n in range(3)})
    again = [f for now in quarters if now >= first for f in dispatch(detection, late(detection), example, events, now)]
    # A login that no sign-in explains is sure only later, and its key says so.
    assert {finding.replace(":sure", "") for finding in raised} <= {finding.replace(":sure", "") for finding in again}


@pytest.mark.parametrize("detection", [d for d in BY_DETECTION if d.values[0].window_seconds])  # type: ignore[union-attr]
def test_a_late_event_completes_a_window(detection: Detection) -> None:
    """The last events without which nothing fires, indexed minutes after all others: raised by the run after that."""
    example = next(e for e in detection.examples if e.fires)
    events = index(example)
    order = sorted(range(len(events)), key=lambda number: float(events[number]["_time"]))
    kept = list(order)
    while kept and run_detections([detection], [example.events[n] for n in kept], lookups=tables(example)):
        kept.pop()
    every = 60 * minutes_between_runs(detection)
    end = max(float(event["_time"]) for event in events)
    end -= end % every
    for event in events:
        event["_indextime"] = end + 30
    for number in order[len(kept) :]:
        events[number]["_indextime"] = end + 270
    raised = [n for n in range(20) if dispatch(detection, minutely(detection), example, events, end + every * n)]
    assert raised == [270 // every + 1]


@pytest.mark.parametrize("detection", BY_DETECTION)
def test_who_may_be_contained_is_found_within_a_minute(detection: Detection) -> None:
    """From the completing event's indexing to the run that raises it: 60 s at most, five minutes where it only observes."""
    found = seconds_to_alert(detection)
    assert found is not None
    assert found <= 60 * minutes_between_runs(detection)
    page = (APP.parent / "docs" / "latency.md").read_text(encoding="utf-8")
    every = minutes_between_runs(detection)
    assert f"| {detection.slug} | {detection.max_tier} | {every} min | {found:.0f} s |" in page, "run `make build`"


# -- upkeep -----------------------------------------------------------------------------------------------


def test_whoever_a_signal_names_is_watched_for_a_day() -> None:
    """The upkeep search fills the lookup that correlations read, a row an identity, and which detection is why."""
    signal = {"tq_identity": "alice", "tq_detection": "okta/session_replay", "tq_completed_at": "2026-03-01T10:00:00Z"}
    events = [to_splunk("signal", {**signal, "tq_finding": str(n)}, 0.0) for n in range(3)]
    tables: Dict[str, List[Dict[str, Any]]] = {"tourniquet_watch": []}
    run(SEARCHES["Tourniquet - watch list"]["search"], events, Context(macros_of_the_app(), tables, 0.0))
    (row,) = tables["tourniquet_watch"]
    assert (row["tq_identity"], row["until"], row["why"]) == ("alice", "2026-03-02T10:00:00", "okta/session_replay")


def test_a_baseline_learns_first_times_and_nothing_of_the_watched() -> None:
    """First seen only ever gets earlier; an identity on the watch list teaches nothing."""
    name = next(name for name in SEARCHES if name == "Tourniquet - baseline cyberark_provider_host")

    def fetch(issuer: str, at: str) -> Dict[str, Any]:
        record = {"MessageID": "295", "IsoTimestamp": at, "Issuer": issuer, "Station": "10.0.0.5", "Safe": "S", "File": "f"}
        return to_splunk("cyberark", {"syslog": {"audit_record": record}}, 0.0)

    tables: Dict[str, List[Dict[str, Any]]] = {
        "tourniquet_accounts": [{"tq_account": "cyberark:default:Prov_b", "tq_identity": "bad"}],
        "tourniquet_watch": [{"tq_identity": "bad", "until": "2026-03-02T00:00:00Z"}],
        "tourniquet_seen": [],
    }
    for at in ("2026-03-01T10:00:00Z", "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z"):
        events = [fetch("Prov_a", at), fetch("Prov_b", at)]
        run(SEARCHES[name]["search"], events, Context(macros_of_the_app(), tables, parse_time("2026-03-01T12:00:00Z") or 0))
    first = parse_time("2026-03-01T09:00:00Z")
    learned = {row["tq_seen"]: float(row["tq_first_seen"]) for row in tables["tourniquet_seen"]}
    head = "cyberark_provider_host|cyberark:default:Prov_a|"
    assert learned == {head + "10.0.0.5": first, head + "*": first}


def test_nobody_runs_a_search_as_its_owner() -> None:
    """Who may only read a search can dispatch it, over any time and with its actions: then it has his rights, not ours."""
    searches = conf("default/savedsearches.conf")
    assert [name for name, keys in searches.items() if keys.get("dispatchAs") != "user"] == []
