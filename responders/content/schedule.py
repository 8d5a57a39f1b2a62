"""When a detection runs, the same in both SIEMs."""

from __future__ import annotations

from responders.content.detection import Detection

_OBSERVE_MINUTES = 5


def minutes_between_runs(detection: Detection) -> int:
    """One for every detection that may act; five for one that only observes: nobody waits for it."""
    return 1 if detection.max_tier != "observe" else _OBSERVE_MINUTES


def offset_minutes(detection: Detection) -> int:
    """The minute at which it first runs: those that observe are spread over the five, each always at its own."""
    return int(detection.id[:8], 16) % minutes_between_runs(detection)


def cron(detection: Detection) -> str:
    """The schedule as cron has it."""
    every = minutes_between_runs(detection)
    return "* * * * *" if every == 1 else f"{offset_minutes(detection)}-59/{every} * * * *"
