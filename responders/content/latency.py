"""docs/latency.md: how soon each detection raises its alert on the shipped schedule, and how many searches that takes."""

from __future__ import annotations

from collections import Counter
from typing import List, Sequence

from responders.content.coverage import HEADER, paragraph
from responders.content.detection import Detection
from responders.content.lag import look_back_seconds
from responders.content.load import DENSE, EVENTS_A_DAY, PICKED, SHARES, SLOTS, SPARSE, START_SECONDS, scheduled, simulate
from responders.content.loader import load_macros
from responders.content.replay import seconds_to_alert
from responders.content.schedule import minutes_between_runs
from responders.content.spl import Macro
from responders.content.splunk_conf import filter_name

_CASES = (
    ("10 million a day, evenly", 1.0, 1.0), ("three times that, as in the busiest hour", 3.0, 1.0),
    ("10 million a day, evenly", 1.0, 2.0), ("three times that, as in the busiest hour", 3.0, 2.0),
)  # fmt: skip
_DEAR = 10


def latency_page(detections: Sequence[Detection], conf: str, load: Sequence[str] = ()) -> str:
    """Replays every example that fires on the simulated clock. Takes some seconds a dozen detections.

    `conf` is savedsearches.conf as it ships, `load` what was measured of Elastic (`tourniquet detections load`).
    """
    lines = ["# How soon, and at what load", "", HEADER.replace("build", "latency"), ""]
    lines += [
        *paragraph(
            """Each example that fires is replayed on Splunk's shipped schedule with a simulated clock: its events
            are indexed as they happen, the completing one 0, 1, 30 and 59 s after a run began, and the time
            runs from its indexing to the run that raises the alert. Search time and the source's own delay come
            on top. No Splunk ran; Elastic has the same intervals."""
        ),
        "| detection | at most | runs each | worst case | looks back |",
        "|---|---|---|---|---|",
    ]
    for one in detections:
        found = seconds_to_alert(one)
        worst = "**never**" if found is None else f"{found:.0f} s"
        every = minutes_between_runs(one)
        lines.append(f"| {one.slug} | {one.max_tier} | {every} min | {worst} | {look_back_seconds(one)} s |")
    return "\n".join([*lines, *splunk_load(detections, conf), *load]) + "\n"


def splunk_load(detections: Sequence[Detection], conf: str) -> List[str]:
    """The part of the page on the search head, of savedsearches.conf as it ships."""
    macros = {**load_macros(), **{name: Macro(name, "search *") for name in map(filter_name, detections)}}
    searches = scheduled(conf, macros)
    each = Counter(len(one.minutes) for one in searches)
    starts = Counter(minute for one in searches for minute in one.minutes)
    lines = ["", "## Search load on Splunk", ""]
    lines += [
        *paragraph(
            f"""With everything switched on {len(searches)} searches have a schedule: {each[60]} run each minute,
            {each[12]} each five, {each[4]} each fifteen, these spread over their minutes. {min(starts.values())} to
            {max(starts.values())} begin in one minute, all at its first second. A search head with 16 cores runs
            {SLOTS} scheduled searches at once (limits.conf defaults)."""
        ),
        *paragraph(
            f"""The table is a simulation of that scheduler over four hours of {EVENTS_A_DAY:,} events a day, its last
            hour; not a measurement, for no Splunk ran. A run costs {START_SECONDS:g} s to start (an assumption), and the
            events that each clause of its search has to read in its own time range, at the rates that Splunk documents
            (Capacity Planning Manual, "How search types affect Splunk Enterprise performance": {DENSE:,.0f} matching
            events a second for a search that takes most of a source; for one that picks by event name at most
            {PICKED:.0%} of them, at {SPARSE:,.0f}), on one indexer. Of all events {_shares()}: an assumption as well. A
            run is late when the next of the same search is due before it begins: with `realtime_schedule = 0`, as
            shipped, it is made late; with 1 it would be skipped. The goal is none. A wait comes on top of the
            seconds above."""
        ),
        "| events | seconds to start | slots busy, most | on average | runs an hour | late, else skipped | longest wait |",
        "|---|---|---|---|---|---|---|",
    ]
    for what, factor, start in _CASES:
        found = simulate(scheduled(conf, macros, factor, start))
        slots = f"{found.peak} of {SLOTS} | {found.busy:.1f}"
        lines.append(f"| {what} | {start:g} | {slots} | {found.runs} | {found.late} | {found.wait:.0f} s |")
    dear = sorted(searches, key=lambda one: (-one.seconds, one.name))
    regular = [one for one in dear if len(one.minutes) == 60][:_DEAR]
    lines += ["", "The dearest of those that run each minute, at the average rate:", "", "| search | seconds |", "|---|---|"]
    lines += [f"| {one.name} | {one.seconds:.1f} |" for one in regular]
    lines += [
        "",
        *paragraph(
            """How long a search takes on your events only your search head can tell. One that picks single events by
            index time is counted as reading those of its minute; where Splunk has to look at more of the day for it, it
            costs more. Switch on what you have the sources for, and watch `index=_internal sourcetype=scheduler
            status=skipped`."""
        ),
    ]
    return lines


def _shares() -> str:
    return ", ".join(f"{share:.1%} are {name}" for name, share in SHARES.items())
