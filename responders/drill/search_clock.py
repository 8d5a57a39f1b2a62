"""A simulated one-minute search clock: which run of the scheduled search sees an attack, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.forms import parse_time, to_splunk
from responders.content.run import Hit, run_indexed

MINUTE = 60.0


@dataclass(frozen=True)
class Found:
    """A hit, the simulated time of the run that saw it, and the seconds from its completing event to that run."""

    hit: Hit
    run_at: float
    seconds: float

    @property
    def slug(self) -> str:
        return self.hit.detection.slug

    @property
    def identity(self) -> str:
        return str(self.hit.row.get("tq_identity", ""))

    @property
    def confidence(self) -> int:
        return int(float(str(self.hit.row.get("tq_confidence", 0))))


def search(
    detections: Sequence[Detection],
    events: Sequence[Tuple[str, Any]],
    *,
    accounts: Sequence[Mapping[str, str]] = (),
    tick: Optional[Callable[[int, int], None]] = None,
) -> List[Found]:
    """Stream events through every search as if each was indexed the moment it happened, one run a minute.

    Each finding comes back once, from the first run that saw it. A minute in which nothing new was indexed is not run:
    it would find what the minute before found. `tick` is told minute and minutes.
    """
    indexed = sorted((to_splunk(source, event, 0.0) for source, event in events), key=lambda item: float(item["_time"]))
    if not indexed:
        return []
    begin = math.floor(float(indexed[0]["_time"]) / MINUTE) * MINUTE
    minutes = int((float(indexed[-1]["_time"]) - begin) // MINUTE) + 1
    seen: set[str] = set()
    found: List[Found] = []
    before = 0
    for minute in range(1, minutes + 1):
        run_at = begin + minute * MINUTE
        visible = [event for event in indexed if float(event["_time"]) < run_at]
        if tick is not None:
            tick(minute, minutes)
        if len(visible) == before:
            continue
        before = len(visible)
        visible.reverse()
        for hit in run_indexed(detections, visible, accounts=accounts, now=run_at):
            finding = str(hit.row.get("tq_finding"))
            if finding not in seen:
                seen.add(finding)
                found.append(Found(hit, run_at, run_at - (parse_time(hit.row.get("tq_completed_at")) or run_at)))
    return found
