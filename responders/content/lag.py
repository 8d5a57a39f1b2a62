"""How late a source's events may be searchable, and how far back a run therefore looks, the same in both SIEMs."""

from __future__ import annotations

from typing import Dict

from responders.content.detection import Detection
from responders.content.schedule import minutes_between_runs

LAG_SECONDS: Dict[str, int] = {
    "okta": 300,
    "entra": 900,
    "aws": 900,
    "cyberark": 300,
    "vault": 300,
    "correlation": 900,
}
"""How late a source's events may be searchable. Okta's System Log API is near real time ("System Log API", event delays
of minutes happen); CloudTrail delivers "typically within about 5 minutes" (AWS, "How CloudTrail works"), Entra's audit log
within 2 to 5 minutes and up to an hour (Microsoft, "Microsoft Entra data latency"), plus the poll interval of the agent.
A detection overrides it with elastic.lag_seconds."""
_DEFAULT_LAG = 900


def look_back_seconds(detection: Detection) -> int:
    """How far back a run looks: window, lag of the source, and one interval."""
    lag = detection.elastic.lag_seconds
    source = LAG_SECONDS.get(detection.source, _DEFAULT_LAG)
    return detection.window_seconds + (source if lag is None else lag) + 60 * minutes_between_runs(detection)
