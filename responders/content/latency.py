"""docs/latency.md: how soon each detection raises its alert on the shipped schedule, and how many searches that takes."""

from __future__ import annotations

from typing import List, Sequence

from responders.content.coverage import HEADER, paragraph
from responders.content.detection import Detection
from responders.content.lag import look_back_seconds
from responders.content.replay import searches_by_minute, seconds_to_alert
from responders.content.schedule import minutes_between_runs
from responders.content.splunk_conf import LATE_MINUTES
from responders.content.splunk_upkeep import upkeep

_SLOTS = 11
"""Scheduled searches at once of a 16-core search head: max_searches_per_cpu 1 × 16 + base_max_searches 6, of which
max_searches_perc 50 are the scheduler's (Splunk, limits.conf.spec)."""
_SECONDS = (1.0, 2.0, 4.0, 6.0)


def latency_page(detections: Sequence[Detection]) -> str:
    """Replays every example that fires on the simulated clock. Takes some seconds a dozen detections."""
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
    return "\n".join([*lines, *_load(detections)]) + "\n"


def _load(detections: Sequence[Detection]) -> List[str]:
    keeping = [dict(settings)["cron_schedule"] for _, settings in upkeep(detections)]
    counts = searches_by_minute(detections, LATE_MINUTES, keeping)
    acting = sum(minutes_between_runs(one) == 1 for one in detections)
    lines = ["", "## Searches", ""]
    lines += [
        *paragraph(
            f"""With every detection switched on: {acting} searches each minute, {len(detections) - acting} each
            five minutes, spread over them; {len(detections)} late searches each {LATE_MINUTES} minutes, spread
            over them; {len(keeping)} that keep the lookups. In one hour {sum(counts)} runs start; {min(counts)}
            to {max(counts)} in one minute. A search head with 16 cores runs {_SLOTS} scheduled searches at once
            (limits.conf defaults), and all of a minute start at its first second."""
        ),
        "| seconds a search | slots busy at most | the fullest minute is done after | runs that wait into the next |",
        "|---|---|---|---|",
    ]
    for seconds in _SECONDS:
        done, waiting = _queue(counts, seconds)
        lines.append(f"| {seconds:g} | {min(_SLOTS, max(counts))} | {done:.0f} s | {waiting} |")
    limit = 60.0 * _SLOTS / (sum(counts) / 60)
    lines += [
        "",
        *paragraph(
            f"""This is arithmetic, not a measurement: up to {limit:.1f} s a search on average, nothing piles up.
            With `realtime_schedule = 0` a run that has to wait is made later over its own slice of time, and
            none is skipped. How long a search takes on your events, at 10 million a day or more, only your
            search head can tell: switch on what you have the sources for, and watch `index=_internal
            sourcetype=scheduler status=skipped`."""
        ),
        *paragraph(
            """Kibana's task manager runs 10 tasks at once by default (`xpack.task_manager.capacity`); the same
            arithmetic holds with 10 slots, and a rule that is late looks back over what it missed, for its
            look-back overlaps."""
        ),
    ]
    return lines


def _queue(counts: Sequence[int], seconds: float) -> tuple[float, int]:
    """(when the fullest minute's searches are done, how many runs of an hour start after their own minute)."""
    free = [0.0] * _SLOTS
    worst, waiting = 0.0, 0
    for minute, count in enumerate(counts):
        for _ in range(count):
            slot = min(range(_SLOTS), key=free.__getitem__)
            begin = max(free[slot], minute * 60.0)
            waiting += begin >= (minute + 1) * 60.0
            free[slot] = begin + seconds
        worst = max(worst, max(free) - minute * 60.0)
    return worst, waiting
