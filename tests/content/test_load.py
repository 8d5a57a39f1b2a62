"""What the searches ask of a search head: what a run reads, and the scheduler that runs them."""

from __future__ import annotations

import re
from typing import Dict

import pytest

from responders.content.detection import Detection
from responders.content.lag import LAG_SECONDS, look_back_seconds
from responders.content.latency import _CASES, splunk_load
from responders.content.load import EVENTS_A_DAY, SHARES, Scheduled, reading_seconds, scheduled, simulate
from responders.content.loader import ROOT, load_macros
from responders.content.schedule import minutes_between_runs
from responders.content.spl import Macro
from responders.content.splunk_conf import filter_name, regular
from tests import shipped

CONF = (ROOT.parent / "splunk_app" / "default" / "savedsearches.conf").read_text(encoding="utf-8")
DETECTIONS = shipped.detections()
MACROS = {**load_macros(), **{name: Macro(name, "search *") for name in map(filter_name, DETECTIONS)}}
EVERY = tuple(range(60))
A_SECOND = EVENTS_A_DAY / 86400


def reads(search: str, **dispatch: str) -> float:
    stanza: Dict[str, str] = {"search": search, **{f"dispatch.{key}": value for key, value in dispatch.items()}}
    return reading_seconds(stanza, {})


HOUR = 3600 * A_SECOND


@pytest.mark.parametrize(
    ("search", "seconds"),
    [
        ('index=* sourcetype="aws:cloudtrail" | stats count', HOUR * SHARES["aws:cloudtrail"] / 50_000),
        ('sourcetype="aws:cloudtrail" eventName="X" | where a=="b"', HOUR * SHARES["aws:cloudtrail"] * 0.01 / 5_000),
        ('sourcetype="aws:cloudtrail" ("one" OR "two") | where a=="b"', HOUR * SHARES["aws:cloudtrail"] * 0.01 / 5_000),
        ('(sourcetype="OktaIM2:log" OR sourcetype="aws:cloudtrail") earliest=-30m', HOUR / 2 * 0.58 / 50_000),
        ('(sourcetype="OktaIM2:log" earliest=-25h) OR sourcetype="aws:cloudtrail" eventName=x', HOUR * (0.08 / 5e4 + 1e-6)),
        ('sourcetype="aws:cloudtrail" "userIdentity.accessKeyId"="AKIA*"', HOUR * SHARES["aws:cloudtrail"] / 50_000),
        ('sourcetype="tourniquet:signal"', 0.0),
    ],
)
def test_a_run_costs_what_its_clauses_read(search: str, seconds: float) -> None:
    """Each clause over its own time, by its share of the events, and dearer where nothing but the source picks them."""
    assert reads(search, earliest_time="-3600s", latest_time="+15m") == pytest.approx(seconds)


def test_index_time_is_the_span_where_it_limits_the_run() -> None:
    """A single event is looked for in its minute, and not in the day that it may have happened in."""
    by_index = reads('sourcetype="aws:cloudtrail"', earliest_time="-24h", index_earliest="-1m@m", index_latest="@m")
    assert by_index == pytest.approx(60 * A_SECOND * 0.5 / 50_000)


def test_what_fits_is_never_late() -> None:
    """Eleven slots and twelve searches of ten seconds: one waits for ten, none is late."""
    load = simulate([Scheduled(str(n), EVERY, 10.0) for n in range(12)])
    assert (load.peak, load.runs, load.late, load.wait) == (11, 720, 0, 10.0)
    assert load.busy == pytest.approx(2.0)


def test_what_takes_longer_than_its_interval_falls_behind() -> None:
    """Never two of one search at once: with ten slots idle, its runs are late all the same."""
    load = simulate([Scheduled("slow", EVERY, 90.0)])
    assert load.peak == 1
    assert load.late > 30
    assert load.wait > 3600


def test_too_many_for_the_slots_fall_behind() -> None:
    """More work than slots: late runs, and all slots busy."""
    load = simulate([Scheduled(str(n), EVERY, 30.0) for n in range(30)])
    assert load.peak == 11
    assert load.late > 1000


@pytest.mark.parametrize(("what", "factor", "start"), _CASES)
def test_the_bundle_fits_a_default_search_head(what: str, factor: float, start: float) -> None:
    """At 10 million events a day no run is late, also in a busy hour: the goal that docs/latency.md reports."""
    load = simulate(scheduled(CONF, MACROS, factor, start))
    assert load.peak <= 11
    assert load.late == 0, what


def test_the_page_says_it() -> None:
    """docs/latency.md has the simulation of what ships."""
    page = (ROOT.parent / "docs" / "latency.md").read_text(encoding="utf-8")
    assert "\n".join(splunk_load(DETECTIONS, CONF)) in page, "run `make build`"


@pytest.mark.parametrize("detection", DETECTIONS, ids=lambda one: one.slug)
def test_no_detection_reads_more_than_its_window_and_the_lag(detection: Detection) -> None:
    """A window: its span, the source's lag and the interval. A single event: what was indexed in the interval, in both."""
    every = 60 * minutes_between_runs(detection)
    stanza = dict(regular(detection))
    lag = detection.elastic.lag_seconds
    allowed = detection.window_seconds + (LAG_SECONDS.get(detection.source, 900) if lag is None else lag) + every
    assert look_back_seconds(detection) == allowed
    if detection.window_seconds:
        assert int(stanza["dispatch.earliest_time"].strip("-s")) <= allowed + every
        for back in re.findall(r"earliest=-(\d+)h", stanza["search"]):
            assert 3600 * int(back) <= allowed + 3600
    else:
        assert stanza["dispatch.index_earliest"] == f"-{every // 60}m@m"
        assert allowed <= 86400 and "earliest=" not in stanza["search"]
