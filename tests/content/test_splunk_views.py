"""The app's dashboards: sound Simple XML, tokens that exist, no script, and panels that give the right numbers.

No Splunk rendered them. Their searches run in this project's SPL subset over the journal and the signals that a responder
wrote while it contained people at simulated vendors.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional
from xml.etree import ElementTree

import pytest

from responders import pipeline
from responders.containment.clicks import AGREED, CLICK, WAITS, agree, clicked, name_on, wait
from responders.containment.record import load
from responders.containment.responder import Timing
from responders.containment.restore import restore
from responders.content.forms import parse_time
from responders.content.loader import load_macros
from responders.content.spl import Context, parse, run
from responders.content.splunk_journal import JOURNAL_MACROS
from responders.drill.world import World
from responders.escalation.report import Report
from responders.journal.chain import Journal
from responders.readiness.ask import found_of
from responders.readiness.check import Need, Readiness
from responders.settings import Connection
from responders.splunk.events import entry_row
from responders.surfaces.assemble import read_policy
from responders.surfaces.splunk_check import rows_of
from tests.catalogue import CATALOGUE
from tests.support import raw_alert

APP = Path(__file__).resolve().parents[2] / "splunk_app"
UI = APP / "default" / "data" / "ui"
VIEWS = {path.stem: ElementTree.parse(path).getroot() for path in sorted((UI / "views").glob("*.xml"))}  # noqa: S314 - ours
MACROS = {**load_macros(), **JOURNAL_MACROS}
OURS = ("overview", "containment", "inventory", "detections", "sources", "readiness", "logging")

# Splunk, Dashboards and Visualizations, "Simple XML Reference" (9.x): element to the attributes that it may have here. No
# script and no stylesheet: a dashboard of this app runs none. Within <html> plain text and links only.
ELEMENTS: Mapping[str, frozenset[str]] = {
    name: frozenset(attributes)
    for name, attributes in {
        "dashboard": ("version", "theme"), "form": ("version", "theme"), "label": (), "description": (), "title": (),
        "fieldset": ("submitButton",), "input": ("type", "token", "searchWhenChanged"), "default": (), "row": (),
        "panel": (), "search": ("id", "base"), "query": (), "earliest": (), "latest": (), "table": (), "chart": (),
        "single": (), "option": ("name",), "drilldown": (), "link": ("target",), "html": (),
    }.items()
}  # fmt: skip
OPTIONS: Mapping[str, frozenset[str]] = {
    "table": frozenset(("count", "drilldown", "wrap", "rowNumbers", "dataOverlayMode")),
    "single": frozenset(("drilldown", "colorMode", "useColors", "rangeValues", "rangeColors", "unit", "unitPosition")),
    "chart": frozenset(("charting.chart", "charting.chart.stackMode", "charting.drilldown")),
}
HTML = frozenset(("p", "b", "i", "a", "table", "tr", "th", "td"))
LISTS = ("tourniquet_source_list", "tourniquet_detection_list", "tourniquet_baseline_list")
TOKEN = re.compile(r"\$([\w.]+)(\|\w+)?\$")
OKTA = Connection("okta", "corp", "https://corp.okta.example", {})


class Panel(NamedTuple):
    """A search of a view, with the base search that it goes on from."""

    view: str
    title: str
    query: str
    element: ElementTree.Element

    def text(self, **tokens: str) -> str:
        """With tokens as Splunk puts them in: `|s` between quotes, with quotes and backslashes escaped."""

        def put(found: re.Match[str]) -> str:
            value = tokens[found[1]]
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if found[2] == "|s" else value

        return TOKEN.sub(put, self.query)


def panels() -> Iterator[Panel]:
    for view, root in VIEWS.items():
        bases = {one.get("id"): one.findtext("query", "") for one in root.iter("search") if one.get("id")}
        for parent in root.iter():
            search = parent.find("search")
            if parent.tag in OPTIONS and search is not None:
                base = bases.get(search.get("base"))
                query = search.findtext("query", "")
                yield Panel(view, parent.findtext("title", ""), f"{base} | {query}" if base else query, parent)


PANELS = list(panels())


# -- the files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", OURS)
def test_a_view_holds_only_what_the_reference_knows(view: str) -> None:
    """Known elements, attributes and options; text and links in HTML; no script, style or event handler anywhere."""

    def check(element: ElementTree.Element, inside_html: bool) -> None:
        if inside_html:
            assert element.tag in HTML, element.tag
            assert set(element.keys()) <= ({"href"} if element.tag == "a" else set())
            assert element.get("href", "/app/tourniquet/").startswith("/app/tourniquet/")
        else:
            assert element.tag in ELEMENTS, element.tag
            assert set(element.keys()) <= ELEMENTS[element.tag], element.tag
        for child in element:
            if child.tag == "option":
                assert child.get("name") in OPTIONS[element.tag], child.get("name")
            check(child, inside_html or element.tag == "html")

    root = VIEWS[view]
    assert root.tag in ("dashboard", "form")
    assert root.get("version") == "1.1"
    assert root.findtext("label")
    assert root.findtext("description")
    check(root, False)


def test_the_menu_leads_to_every_view_once_and_starts_with_the_containments() -> None:
    """Each view is in the menu. What the menu names beside them is Splunk's own, or the setup page."""
    nav = ElementTree.parse(UI / "nav" / "default.xml").getroot()  # noqa: S314 - ours
    named = [view.get("name") for view in nav.iter("view")]
    assert len(set(named)) == len(named)
    assert set(OURS) <= set(named)
    assert set(named) - set(OURS) <= {"setup", "search"}
    assert [view.get("name") for view in nav.iter("view") if view.get("default")] == ["overview"]


@pytest.mark.parametrize("view", OURS)
def test_every_token_is_set_and_none_reaches_a_search_unquoted(view: str) -> None:
    """A token is an input's, or a clicked row's field that the table has; in a search it is quoted, in a link escaped."""
    root = VIEWS[view]
    inputs = {one.get("token", "") for one in root.iter("input")}
    known = {*inputs, *(f"{name}.{end}" for name in inputs for end in ("earliest", "latest"))}
    for element in root.iter():
        if element.tag == "link":
            continue
        for name, filtered in TOKEN.findall((element.text or "").replace("$$", "")):
            assert name in known, name
            assert filtered == "|s" or element.tag in ("earliest", "latest"), name
    for panel in PANELS:
        link = panel.element.find("drilldown/link")
        if panel.view != view or link is None:
            continue
        for name, filtered in TOKEN.findall(link.text or ""):
            assert filtered == "|u"
            assert re.search(rf"\btable\b.*\b{name.removeprefix('row.')}\b", panel.query, re.DOTALL)
        path, _, query = (link.text or "").partition("?")
        target = path.removeprefix("/app/tourniquet/")
        names = re.findall(r"form\.(\w+)=", query)
        assert set(names) <= {one.get("token") for one in VIEWS[target].iter("input")}


@pytest.mark.parametrize("panel", PANELS, ids=lambda one: f"{one.view}: {one.title}")
def test_every_search_is_readable(panel: Panel) -> None:
    """Each parses, its base search before it; and whatever is typed into a form stays one string in it."""
    hostile = 'x" | outputlookup tourniquet_accounts | eval a="\\'
    plain = parse(panel.text(containment="c-1"), MACROS)
    assert len(parse(panel.text(containment=hostile), MACROS).commands) == len(plain.commands)


def test_every_lookup_of_a_view_exists() -> None:
    """Named in transforms.conf."""
    known = set(re.findall(r"^\[(\w+)\]", (APP / "default" / "transforms.conf").read_text(), re.MULTILINE))
    named = {name for p in PANELS for name in re.findall(r"lookup (?:append=true )?(tourniquet_\w+)", p.query)}
    assert named
    assert named <= known


# -- what they show -------------------------------------------------------------------------------------------


class Played(NamedTuple):
    """What a responder did, as events, and its reports by identity."""

    events: List[Dict[str, Any]]
    reports: Mapping[str, Report]
    tables: Dict[str, List[Dict[str, Any]]]
    now: float


def as_event(row: Mapping[str, Any], sourcetype: str, at: float) -> Dict[str, Any]:
    return {
        "_raw": json.dumps(row), "_time": at, "_indextime": at + 1, "sourcetype": sourcetype, "index": "main",
        "source": "tourniquet", "host": "sh1",
    }  # fmt: skip


def journal_events(journal: Journal) -> List[Dict[str, Any]]:
    """Every entry as the responder tells Splunk; one twice, as it may be."""
    chains = sorted({key[2:].rpartition("/")[0] for key, _ in journal.store.scan("e/")})
    entries = [entry for chain in chains for entry in journal.entries(chain)]
    events = [as_event(entry_row(entry), "tourniquet:journal", entry.at.timestamp()) for entry in entries]
    return [*events, dict(events[-1])]


def lookup_file(name: str) -> List[Dict[str, Any]]:
    with (APP / "lookups" / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """bob is contained, carl restricted, alice contained and restored; Entra is down for dave."""
    with World(tmp_path_factory.mktemp("views"), vault=False) as world:
        people = {name: world.add_person(name, vendors=("okta", "entra")) for name in ("alice", "bob", "carl", "dave")}
        world.add_person("ida")
        policy = read_policy("")
        # Room for several people: its blast radius is tested elsewhere.
        limits = replace(policy.limits, revokes=100, never_under=100, population_share=1.0, detection_share=1.0)
        timing = Timing(deadline=1.5, confirm_patience=0.2, retry_due=3600.0)
        responder = world.responder(catalogue=CATALOGUE, timing=timing, policy=replace(policy, limits=limits))
        reports = {name: pipeline.contain(raw_alert(people[name]), responder) for name in ("alice", "bob")}
        reports["carl"] = pipeline.contain(raw_alert(people["carl"], confidence=60), responder)
        alice = reports["alice"].containment
        click = clicked(responder.journal, "ida", "ida", "restore", "a false alarm", {})
        name_on(responder.journal, click, alice)
        wait(responder.journal, click, alice)
        second = replace(click, user="ivo", by="ivo")
        agree(responder.journal, load(responder.journal, alice), click.chain, second, responder.now())
        restore(responder, alice, by="ida", reason="a false alarm")
        world.graph.down = True
        reports["dave"] = pipeline.contain(raw_alert(people["dave"]), responder)
        world.graph.down = False
        responder.halt("ida", "a drill")
        events = journal_events(responder.journal)
        for line in (world.folder / "signals" / "signals.jsonl").read_text().splitlines():
            row = json.loads(line)
            events.append(as_event(row, "tourniquet:signal", parse_time(row["tq_completed_at"]) or 0.0))
    owned = [
        {"tq_account": person.account(vendor).key, "tq_identity": name, "tq_kind": "human", "tq_criticality": "normal"}
        for name, person in people.items() if name != "dave" for vendor in ("okta", "entra")
    ]  # fmt: skip
    tables = {
        "tourniquet_accounts": owned,
        "tourniquet_sources": [],
        "tourniquet_seen": [],
        **{name: lookup_file(name) for name in LISTS},
    }
    return Played(events, reports, tables, max(event["_time"] for event in events) + 60)


def shown(played: Played, view: str, title: str, more: Optional[Mapping[str, Any]] = None, **tokens: str) -> List[Any]:
    """The rows of a panel. `more`: events, tables or answers of splunkd beside those played."""
    (panel,) = [one for one in PANELS if one.view == view and one.title.startswith(title)][:1]
    given = {**(more or {})}
    tables = {name: [dict(row) for row in rows] for name, rows in {**played.tables, **given.get("tables", {})}.items()}
    events = [*played.events, *given.get("events", ())]
    events.sort(key=lambda event: -float(event["_time"]))
    context = Context(MACROS, tables, played.now, rest=given.get("rest", {}))
    return run(parse(panel.text(**tokens), MACROS), events, context)


def test_numbers_of_the_overview(played: Played) -> None:
    """Three go on, one of them not fully contained; times are those that the responder itself reports."""
    assert shown(played, "overview", "Going on") == [{"containments": 3}]
    assert shown(played, "overview", "Not fully contained") == [{"containments": 1}]
    rows = {row["identity"]: row for row in shown(played, "overview", "Containments (click")}
    assert {name: (row["state"], row["tier"]) for name, row in rows.items()} == {
        "alice": ("restored", "revoke"), "bob": ("contained", "revoke"), "carl": ("contained", "restrict"),
        "dave": ("not fully contained", "revoke"),
    }  # fmt: skip
    for name in ("bob", "carl"):
        report = played.reports[name]
        assert report.contained_at is not None and report.detected_at is not None
        seconds = (report.contained_at - report.detected_at).total_seconds()
        assert float(rows[name]["seconds_to_contain"]) == pytest.approx(seconds, abs=0.002)
        assert 0 <= float(rows[name]["seconds_to_detect"]) <= seconds
    assert "seconds_to_contain" not in rows["dave"]
    times = sorted(float(row["seconds_to_contain"]) for row in rows.values() if "seconds_to_contain" in row)
    (median,) = shown(played, "overview", "Time to contain, median")
    assert float(median["seconds"]) == pytest.approx(times[1], abs=0.06)


def test_a_containment_that_began_before_the_time_range_is_not_half_shown(played: Played) -> None:
    """Of one whose plan is not in the range, no panel knows whom it contained: it counts nowhere."""
    events = [e for e in played.events if json.loads(e["_raw"]).get("entry") != "plan"]
    assert shown(played._replace(events=events), "overview", "Containments (click") == []


def test_the_finding_leads_to_what_was_done(played: Played) -> None:
    """The second drill-down of a detection finds the identity's containment by a hash of its name."""
    (_, drill) = drilldowns()
    hashed = hashlib.md5(b"bob", usedforsecurity=False).hexdigest()
    rows = run(drill["search"].replace("$tq_who$", hashed), played.events, Context(MACROS, {}, played.now))
    assert [row["containment"] for row in rows] == [played.reports["bob"].containment]


def drilldowns() -> List[Dict[str, str]]:
    """Those of the first detection; all have the same."""
    conf = (APP / "default" / "savedsearches.conf").read_text(encoding="utf-8")
    found = re.search(r"^action\.notable\.param\.drilldown_searches = (.*)$", conf, re.MULTILINE)
    assert found is not None
    drills: List[Dict[str, str]] = json.loads(found[1])
    return drills


def test_a_click_leads_to_the_containment(played: Played) -> None:
    """The field behind the link is the id by which the other view finds it."""
    rows = shown(played, "overview", "Containments (click")
    assert {row["containment"] for row in rows} == {report.containment for report in played.reports.values()}


def test_steps_by_vendor_and_tier(played: Played) -> None:
    """Each step is counted once, by how it stands now."""
    by_vendor = {row["vendor"]: row for row in shown(played, "overview", "Steps, by vendor")}
    planned = [step for report in played.reports.values() if report.plan for step in report.plan.steps]
    for vendor in ("okta", "entra"):
        assert by_vendor[vendor]["steps"] == sum(step.account.vendor == vendor for step in planned)
    assert by_vendor["entra"]["open"] > 0 == by_vendor["okta"]["open"]
    by_tier = {row["tier"]: row for row in shown(played, "overview", "Time to contain, by tier")}
    assert {tier: (row["containments"], row["contained"]) for tier, row in by_tier.items()} == {
        "restrict": (1, 1), "revoke": (3, 2),
    }  # fmt: skip
    (day, *others) = shown(played, "overview", "Containments a day")
    assert sum(int(row.get("revoke", 0)) for row in (day, *others)) == 3


def test_open_items_are_those_of_the_last_report(played: Played) -> None:
    """What the escalation said is open stands there, an item a row; nothing of what was restored."""
    rows = shown(played, "overview", "Open items")
    assert {row["identity"] for row in rows if "entra" in row["open_items"]} >= {"dave"}
    assert [row["open_items"] for row in rows if row["identity"] == "dave"] == list(played.reports["dave"].open_items)
    assert "alice" not in {row["identity"] for row in rows}


def test_what_analysts_asked_for(played: Played) -> None:
    """A click's result, in the form in which the app's REST interface tells it, with the way to its containment."""
    row = {
        "time": "2026-11-26T10:00:00+00:00", "orig_action_name": "tourniquet_contain_tier", "user": "eve", "status": "done",
        "action_status": "success", "signature": "bob (human) contained at tier revoke", "reason": "stolen laptop",
        "open_items": ["one", "two"], "containment": "c-1",
    }  # fmt: skip
    (seen,) = shown(played, "overview", "What analysts", {"events": [as_event(row, "tourniquet:modaction", played.now)]})
    assert (seen["user"], seen["reason"], seen["containment"]) == ("eve", "stolen laptop", "c-1")
    assert seen["open_items{}"] == ["one", "two"]


def test_one_containment_with_its_proofs(played: Played) -> None:
    """Facts, every step with the vendor's proof, what is open, and the whole timeline in order."""
    report = played.reports["alice"]
    token = {"containment": report.containment}
    (facts,) = shown(played, "containment", "Containment", **token)
    assert (facts["identity"], facts["state"], facts["ended_by"]) == ("alice", "restored", "ida")
    steps = shown(played, "containment", "Steps", **token)
    assert report.plan is not None
    assert {row["action"] for row in steps} == {step.action for step in report.plan.steps}
    assert all(row["proof"] and row["status"].startswith("undo: ") for row in steps)
    bob = shown(played, "containment", "Steps", containment=played.reports["bob"].containment)
    proofs = {(outcome.step.action, outcome.step.account.key): outcome.proof for outcome in played.reports["bob"].outcomes}
    assert {(row["action"], row["account"]): row["proof"] for row in bob} == proofs
    timeline = shown(played, "containment", "Timeline", **token)
    assert [int(row["seq"]) for row in timeline] == list(range(len(timeline)))
    assert (timeline[0]["entry"], timeline[0]["what"][:21]) == ("plan", "planned at tier revok")
    assert [row["what"] for row in timeline if row["entry"] == "restored"] == ["by ida: a false alarm"]
    asked = [row["what"] for row in timeline if row["entry"] in (CLICK, WAITS, AGREED)]
    assert asked == ["by ida: restore, a false alarm"] * 2 + ["by ivo"]
    (undo,) = shown(played, "containment", "Open items, and how", **token)
    assert report.containment in undo["undo"]
    assert shown(played, "containment", "Timeline", containment="c-") == []


def test_an_account_that_nobody_owns_is_shown(played: Played) -> None:
    """dave is in no inventory: his account is named, and counts against the coverage of its vendor."""
    assert shown(played, "inventory", "Accounts in signals") == [{"accounts": 1}]
    (row,) = shown(played, "inventory", "Accounts that nobody owns")
    assert row["tq_account"].startswith("okta:")
    (coverage,) = shown(played, "inventory", "Coverage")
    assert (coverage["vendor"], coverage["named"], coverage["owned"], coverage["percent"]) == ("okta", 4, 3, 75)
    assert shown(played, "inventory", "Identities") == [{"identities": 3}]
    kinds = {(row["vendor"], row["tq_kind"]): row["accounts"] for row in shown(played, "inventory", "Accounts, by vendor")}
    assert kinds == {("okta", "human"): 3, ("entra", "human"): 3}


def scheduled(name: str, status: str, at: float, **more: str) -> Dict[str, Any]:
    """A line of scheduler.log, with the fields that Splunk finds in it (`SavedSplunker - …, status=success, …`)."""
    fields = {"savedsearch_name": name, "app": "tourniquet", "status": status, "scheduled_time": str(at), **more}
    return {"_raw": "SavedSplunker", "_time": at, "index": "_internal", "sourcetype": "scheduler", **fields}


def test_which_detections_ran_and_which_did_not(played: Played) -> None:
    """Two runs and a skip of one detection; each other one is listed as not run."""
    listed = played.tables["tourniquet_detection_list"]
    name = listed[0]["savedsearch_name"]
    now = played.now
    events = [
        scheduled(name, "success", now - 120, dispatch_time=str(now - 117), run_time="1.5", result_count="2"),
        scheduled(name, "success", now - 60, dispatch_time=str(now - 59), run_time="0.5", result_count="0"),
        scheduled(name, "skipped", now - 180),
    ]
    (row,) = shown(played, "detections", "Detections that ran", {"events": events})
    assert row["title"] == listed[0]["title"]
    assert (row["runs"], row["skipped"], row["failed"], float(row["rows"])) == (2, 1, 0, 2)
    assert (float(row["seconds_p95"]), float(row["started_late"])) == (1.5, 3)
    assert "overdue" not in row
    assert shown(played, "detections", "Skipped runs", {"events": events}) == [{"runs": 1}]
    assert shown(played, "detections", "Skipped runs") == [{"runs": "0"}]
    missing = shown(played, "detections", "Detections that did not run", {"events": events})
    assert len(missing) == len(listed) - 1
    assert name not in {row["savedsearch_name"] for row in missing}


def test_what_is_switched_on_and_what_was_raised(played: Played) -> None:
    """Searches by kind, from splunkd; signals by detection and by layer, and how long they took."""
    names = ["Tourniquet - A", "Tourniquet - A - late", "Tourniquet - baseline x", "Tourniquet - seed x", "Other"]
    answer = [{"title": name, "disabled": str(int(name != "Tourniquet - A"))} for name in names]
    rest = {"/servicesNS/nobody/tourniquet/saved/searches": answer}
    kinds = {row["kind"]: row["switched_on"] for row in shown(played, "detections", "Searches of the app", {"rest": rest})}
    assert kinds == {"detection": 1, "late twin": 0, "keeps a lookup": 0, "seeds a baseline": 0}
    (raised,) = shown(played, "detections", "What was raised")
    assert (raised["tq_detection"], raised["signals"], raised["identities"]) == ("test/strong", 4, 4)
    (latency,) = shown(played, "detections", "From the completing event")
    assert 0 <= float(latency["median"]) <= float(latency["most"]) < 30
    hours = shown(played, "detections", "Signals, by layer")
    assert sum(int(row[latency["tq_layer"]]) for row in hours) == 4


def test_a_source_that_nobody_looks_at_is_missing_and_not_silent(played: Played) -> None:
    """One is well, one silent, one has lost a field, one never had an event; all others say which search to switch on."""
    now = played.now
    well = {"checked": now - 60, "last_indexed": now - 90, "last_event": now - 100, "longest_gap": 450, "never": "-"}
    sources = [
        {"tq_source": "okta", **well, "fill": "eventType=100|uuid=7"},
        {"tq_source": "vault", **well, "last_indexed": now - 7200},
        {"tq_source": "aws", **well, "never": "eventName"},
        {"tq_source": "github", "checked": now - 60, "longest_gap": 450},
        {"tq_source": "agent", **well, "checked": now - 4000},
    ]
    given = {"tables": {"tourniquet_sources": sources}}
    states = {row["tq_source"]: row["state"] for row in shown(played, "sources", "Sources", given)}
    assert set(states) == {row["tq_source"] for row in played.tables["tourniquet_source_list"]}
    assert (states["okta"], states["vault"], states["aws"]) == ("ok", "SILENT", "fields are missing: eventName")
    assert states["github"].startswith("no event was ever found")
    assert states["agent"] == "Tourniquet - health agent has not run for 15 minutes"
    assert states["kubernetes"] == "not looked at: switch on Tourniquet - health kubernetes"
    fields = shown(played, "sources", "Fields", given)
    assert [(row["title"], row["field"], float(row["percent"])) for row in fields] == [
        ("Okta System Log", "uuid", 7), ("Okta System Log", "eventType", 100),
    ]  # fmt: skip


def test_a_baseline_that_knows_nothing_says_how_to_seed_it(played: Played) -> None:
    """Old enough, too young, and empty."""
    day = 86_400.0
    listed = played.tables["tourniquet_baseline_list"]
    old, young, *_ = [row["what"] for row in listed]
    seen = [
        {"tq_seen": f"{what}|okta:default:a|{value}", "tq_first_seen": str(played.now - days * day), "tq_last_seen": "1"}
        for what, value, days in ((old, "x", 20), (old, "y", 2), (young, "x", 3))
    ]
    rows = {row["what"]: row for row in shown(played, "sources", "Baselines", {"tables": {"tourniquet_seen": seen}})}
    assert set(rows) == {row["what"] for row in listed}
    assert (rows[old]["state"], float(rows[old]["days"]), int(rows[old]["known"])) == ("ok", 20, 2)
    assert rows[young]["state"].startswith("too young")
    assert {row["state"] for what, row in rows.items() if what not in (old, young)} == {
        f"knows nothing: run {row['seed_search']}" for row in listed[2:]
    }


def test_readiness_tells_errors_and_the_last_entry(played: Played) -> None:
    """Errors of the app's own logs are counted; the time of the journal's last entry is shown, or that there is none."""
    line = {"_raw": "2026-11-26 01:00:00 ERROR tourniquet_due - error=x", "_time": played.now, "index": "_internal"}
    events = [{**line, "source": "/opt/splunk/var/log/splunk/tourniquet_due.log"}, {**line, "source": "/var/log/other.log"}]
    assert shown(played, "readiness", "Errors of the app", {"events": events})[0] == {"errors": 1}
    (last,) = shown(played, "readiness", "Last entry")
    assert last["last"] != "none"
    (halt,) = shown(played, "readiness", "Halted")
    assert (halt["entry"], halt["who"], halt["why"]) == ("halt", "ida", "a drill")
    empty = played._replace(events=[])
    assert shown(empty, "readiness", "Last entry") == [{"last": "none"}]
    assert shown(played, "readiness", "Alerts that could not be handled") == []


def test_readiness_shows_each_vendor_as_of_its_last_check(played: Played) -> None:
    """The last check counts, for each search head by itself; what is not ready stands with its reason; one that is not
    checked any more says so. Of actions only those that lack something, or of which the vendor does not tell."""

    def checked(at: float, where: str, found: Readiness) -> List[Dict[str, Any]]:
        rows = rows_of(found_of(OKTA, False, found, None, ["okta.suspend_user", "okta.clear_sessions"]))
        return [as_event({**row, "search_head": where}, "tourniquet:readiness", at) for row in rows]

    needs = (Need("okta.suspend_user", ("okta.users.manage",), ()), Need("okta.clear_sessions", (), ()))
    good = Readiness("okta", "corp", True, True, "", {}, (needs[1],), ())
    lacks, down = replace(good, needs=needs), Readiness("okta", "corp", False, False, "no route", {}, (), ())
    events = [
        *checked(played.now - 600, "sh1", good),
        *checked(played.now - 60, "sh1", lacks),
        *checked(played.now - 60, "sh2", down),
        *checked(played.now - 9000, "sh3", good),
    ]
    rows = {row["search_head"]: row for row in shown(played, "readiness", "Vendors", {"events": events})}
    assert {where: row["state"].split(":")[0] for where, row in rows.items()} == {
        "sh1": "LACKS PERMISSIONS", "sh2": "NOT REACHABLE", "sh3": "not checked for two hours",
    }  # fmt: skip
    assert (rows["sh1"]["lacking"], rows["sh2"]["problem"]) == ("okta.suspend_user", "no route")
    actions = shown(played, "readiness", "Actions of the policy", {"events": events})
    assert [(row["action"], row["state"], row["missing"]) for row in actions] == [
        ("okta.suspend_user", "LACKS", "okta.users.manage")
    ]
    assert shown(played, "readiness", "Last check") == [{"last": "none"}]


def test_an_entry_is_counted_once_even_if_it_was_told_twice(played: Played) -> None:
    """The copy in the index has an id of its chain and place."""
    twice = [e for e in played.events if e["sourcetype"] == "tourniquet:journal"]
    ids = [json.loads(event["_raw"])["id"] for event in twice]
    assert len(ids) == len(set(ids)) + 1
    rows = run("`tourniquet_timeline`", played.events, Context(MACROS, {}, played.now))
    assert len(rows) == len(set(ids))
