"""A run as SIEM and responder make it together: what the detections find becomes the signals that correlations read."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.run import Hit, many

Event = Tuple[str, Any]
Search = Callable[[Sequence[Detection], Sequence[Event]], List[Hit]]


def run_chain(search: Search, detections: Sequence[Detection], events: Sequence[Event]) -> List[Hit]:
    """Every hit: of the detections over the events, then of the correlations over the events and the signals of the first.

    `search` runs detections over events in one engine. Strongest first, as it gives them.
    """
    first = [detection for detection in detections if not detection.correlation]
    second = [detection for detection in detections if detection.correlation]
    hits = search(first, events) if first else []
    if second:
        hits = hits + search(second, [*events, *(("signal", signal(hit)) for hit in hits)])
    return sorted(hits, key=lambda hit: (-int(float(str(hit.row["tq_confidence"]))), hit.detection.slug, hit.account))


def signal(hit: Hit) -> Mapping[str, Any]:
    """The signal that the responder writes of this alert (containment/signals.py)."""
    found = hit.to_json()
    return {
        "tq_detection": found["detection"],
        "tq_identity": found["identity"],
        "tq_account": [found["account"]],
        "tq_layer": hit.detection.layer,
        "tq_confidence": found["confidence"],
        "tq_events": found["events"],
        "tq_causes": many(hit.row.get("tq_causes")),
        "tq_finding": str(hit.row.get("tq_finding", "")),
        "tq_completed_at": found["completed_at"],
        "tq_correlation": hit.detection.correlation,
    }
