"""How late events arrive in each data stream that enabled rules read, against what their look-back allows."""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from typing import Dict, Iterator, Set, Tuple

from responders.content.lag import LAG_SECONDS
from responders.elastic.doctor.finding import ERROR, OK, WARNING, Finding, Scene, rules_counted
from responders.elastic.doctor.schema import schema_of
from responders.elastic.import_rules import source_of

_STREAM = re.compile(r"\blogs-[a-z0-9_]+\.[a-z0-9_]+-[a-z0-9]*\*")
_OURS = "logs-tourniquet."
_OVER = timedelta(hours=1)
_USUAL = 900
"""Of a source without a documented lag (responders/content/lag.py)."""


def check(scene: Scene) -> Iterator[Finding]:
    allowed: Dict[Tuple[str, str], int] = {}
    readers: Dict[str, Set[str]] = {}
    for rule in scene.enabled:
        for stream in set(_STREAM.findall(str(rule.get("query", "")))):
            if not stream.startswith(_OURS) and schema_of(rule):
                key = (stream, schema_of(rule))
                lag = LAG_SECONDS.get(source_of(rule), _USUAL)
                allowed[key] = min(lag, allowed.get(key, lag))
                readers.setdefault(stream, set()).add(str(rule.get("name")))
    since = (scene.now - _OVER).astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    for (stream, schema), lag in sorted(allowed.items()):
        query = (
            f'FROM {stream}, {schema} | EVAL lag = DATE_DIFF("second", @timestamp, event.ingested) '
            "| STATS n = COUNT(*), late = PERCENTILE(lag, 99), worst = MAX(lag)"
        )
        row = next(iter(scene.server.esql(query, {"range": {"event.ingested": {"gte": since}}})), {})
        n, late, worst = int(row.get("n") or 0), float(row.get("late") or 0), int(row.get("worst") or 0)
        if not n:
            what = f"no event came within the last hour; read by {rules_counted(len(readers[stream]))}"
            remedy = "look at its integration and agent; a source without events is a source without alerts"
            yield Finding(WARNING, "lag", stream, what, remedy)
        elif late > lag:
            what = f"events come {int(late)} s late (99 of 100; at worst {worst} s), rules allow {lag} s: bursts are missed"
            remedy = "poll more often, or raise elastic.lag_seconds in the detections, build and import"
            yield Finding(ERROR, "lag", stream, what, remedy)
        else:
            yield Finding(OK, "lag", stream, f"{n} events within the last hour, {int(late)} s late at most (99 of 100)")
