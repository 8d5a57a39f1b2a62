"""A simulated one-minute search clock: which run of the scheduled search sees an attack, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.forms import to_splunk
from responders.content.run import Hit, run_indexed

MINUTE = 60.0


@dataclass(frozen=True)
class Found:
    """A hit, the simulated time of the run that saw it, and the seconds from its completing event to that run."""

    hit: Hit
    run_at: float
    seconds: float


def search(
    detections: Sequence[Detection],
    events: Sequence[Tuple[str, Any]],
    *,
    accounts: Sequence[Mapping[str, str]] = (),
    only: Optional[str] = None,
) -> List[Found]:
    """Stream events through the searches as if each was indexed the moment it happened, one run a minute.

    Each finding comes back once, from the first run that saw it. `only` keeps one detection's.
    """
    indexed = sorted((to_splunk(source, event, 0.0) for source, event in events), key=lambda item: float(item["_time"]))
    if not indexed:
        return []
    run_at = math.floor(float(indexed[0]["_time"]) / MINUTE) * MINUTE
    end = float(indexed[-1]["_time"]) + MINUTE
    seen: set[str] = set()
    found: List[Found] = []
    while run_at < end:
        run_at += MINUTE
        visible = [event for event in indexed if float(event["_time"]) < run_at]
        visible.reverse()
        for hit in run_indexed(detections, visible, accounts=accounts, now=run_at):
            finding = str(hit.row.get("tq_finding"))
            if finding not in seen and (only is None or hit.detection.slug == only):
                seen.add(finding)
                found.append(Found(hit, run_at, run_at - _completed(hit)))
    return found


def _completed(hit: Hit) -> float:
    from responders.content.forms import parse_time

    return parse_time(hit.row.get("tq_completed_at")) or 0.0
