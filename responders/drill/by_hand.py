"""What a manual response would have looked like by the clock: assumed minutes, each with where the figure is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

OWN = "our own guess, no source"


@dataclass(frozen=True)
class Manual:
    """One part of a manual response: minutes, all assumed."""

    what: str
    minutes: int
    source: str


@dataclass(frozen=True)
class Seen:
    """How fast attackers were in published experiments: minutes."""

    what: str
    minutes: float
    source: str


BY_HAND: Tuple[Manual, ...] = (
    Manual(
        "the next run of an hourly search sees it",
        40,
        "the middle of 10 to 70 minutes: hourly, from 70 to 10 minutes back, a schedule in common use",
    ),
    Manual("an analyst gets to the alert", 15, OWN),
    Manual(
        "it is investigated, and its accounts are looked up by hand",
        10,
        "CriticalStart 2019: 78 % of analysts need 10 minutes or more for an alert; CrowdStrike's 1-10-60 rule: 10",
    ),
    Manual("a manager agrees to the disable", 15, OWN),
    Manual("four consoles, one after another", 20, "our own guess, no source: 5 minutes each"),
)
ATTACKERS: Tuple[Seen, ...] = (
    Seen("a key leaked on GitHub was used", 127 / 60, "Cybenari, as ThreatDown reports it: 127 seconds"),
    Seen("leaked AWS keys were tried, at the earliest", 9, "Entro's experiment: within 9 to 17 minutes"),
)
CONTEXT = (
    "In CrowdStrike's Global Security Attitude Survey 2019, 33 % of 1,900 people said that their organisation can contain "
    "an incident within 60 minutes. Neither side counts the time until a vendor has delivered its log."
)
TOTAL = sum(part.minutes for part in BY_HAND)
