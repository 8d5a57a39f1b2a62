"""A replay of Splunk's scheduled searches on a simulated clock: which run raises a finding, and how long after its event.

The scheduler itself is a model: each run starts on its minute, and sees what was indexed by then. No Splunk ran.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Dict, List, Mapping, Optional, Sequence

from responders.content.detection import Detection, Example
from responders.content.forms import parse_time, to_splunk
from responders.content.loader import load_macros
from responders.content.run import LOOKUPS, run_detections
from responders.content.schedule import minutes_between_runs, offset_minutes
from responders.content.spl import Context, Macro, Search, parse, run
from responders.content.splunk_conf import filter_name, regular
from responders.content.watch import watched

MINUTE = 60.0
_PHASES = (0.0, 1.0, 30.0, 59.0)
"""Seconds after a run began at which the completing event is indexed: the worst is right at its beginning."""
_AMOUNT = re.compile(r"([+-]\d+)?([smh])?(@m)?")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LONGEST_RUNS = 20

Indexed = List[Dict[str, Any]]


def index(example: Example, lag: float = 0.0) -> Indexed:
    """The events as Splunk holds them, each indexed `lag` seconds after it happened."""
    events = [to_splunk(source, event, 0.0) for source, event in example.events]
    for event in events:
        event["_indextime"] = float(event["_time"]) + lag
    return events


def tables(example: Example) -> Dict[str, Any]:
    """The lookups of an example; without a watch list, the one that its own signals make."""
    return {"tourniquet_watch": watched(example.events), **example.lookups}


def run_at(
    stanza: Mapping[str, str], events: Indexed, now: float, lookups: Mapping[str, Any], detection: Detection
) -> List[Mapping[str, Any]]:
    """The rows of one scheduled run at `now` (epoch seconds), over what Splunk would hand it."""
    first, last = _moment(stanza["dispatch.earliest_time"], now), _moment(stanza["dispatch.latest_time"], now)
    seen = [e for e in events if e["_indextime"] <= now and first <= e["_time"] < last]
    if "dispatch.index_earliest" in stanza:
        start, end = _moment(stanza["dispatch.index_earliest"], now), _moment(stanza["dispatch.index_latest"], now)
        seen = [e for e in seen if start <= e["_indextime"] < end]
    seen.sort(key=lambda event: -float(event["_time"]))
    held = {name: [dict(row) for row in lookups.get(name, ())] for name in LOOKUPS}
    search = _search(stanza["search"], filter_name(detection))
    return list(run(search, seen, Context(_macros(), held, now)))


def seconds_to_alert(detection: Detection) -> Optional[float]:
    """The longest time from the completing event's indexing to the run that raises it, over the examples that fire.

    None when some run never does, within twenty runs.
    """
    stanza = dict(regular(detection))
    worst = 0.0
    for example in detection.examples:
        if not example.fires:
            continue
        for phase in _PHASES:
            found = _seconds(detection, stanza, example, phase)
            if found is None:
                return None
            worst = max(worst, found)
    return worst


def _seconds(detection: Detection, stanza: Mapping[str, str], example: Example, phase: float) -> Optional[float]:
    hits = run_detections([detection], example.events, lookups=example.lookups)
    done = min((parse_time(hit.row.get("tq_completed_at")) or 0.0 for hit in hits), default=0.0)
    events = index(example)
    every, offset = minutes_between_runs(detection) * MINUTE, offset_minutes(detection) * MINUTE
    shift = phase - (done - offset) % every
    for event in events:
        event["_time"], event["_indextime"] = float(event["_time"]) + shift, float(event["_indextime"]) + shift
    completed = done + shift
    wanted = set(example.fires)
    for now in _runs(detection, completed):
        if wanted & {str(row.get("tq_account")) for row in run_at(stanza, events, now, tables(example), detection)}:
            return now - completed
    return None


def _runs(detection: Detection, after: float) -> Sequence[float]:
    """The next runs of the schedule, the first one after the moment in which the event is searchable."""
    every, offset = minutes_between_runs(detection) * MINUTE, offset_minutes(detection) * MINUTE
    first = (after - offset) // every * every + every + offset
    return tuple(first + number * every for number in range(_LONGEST_RUNS))


def _moment(text: str, now: float) -> float:
    found = _AMOUNT.fullmatch(text) if text != "now" else None
    if found is None:
        return now
    amount, unit, snap = found.groups()
    moment = now + int(amount or 0) * _UNITS.get(unit, 0)
    return moment - moment % MINUTE if snap else moment


@lru_cache(maxsize=8)
def _search(text: str, own_filter: str) -> Search:
    """A detection's searches run many times in a row: reading one takes longer than running it over a few events."""
    return parse(text, {**_macros(), own_filter: Macro(own_filter, "search *", ())})


@lru_cache(maxsize=1)
def _macros() -> Dict[str, Macro]:
    return load_macros()


def minutes_of(when: str) -> Sequence[int]:
    """The minutes of an hour that a cron text names, of those that ship."""
    field = when.split()[0]
    if field == "*":
        return range(60)
    if field.startswith("*/"):
        return range(0, 60, int(field[2:]))
    spread = re.fullmatch(r"(\d+)-59/(\d+)", field)
    return range(int(spread[1]), 60, int(spread[2])) if spread else (int(field),)
