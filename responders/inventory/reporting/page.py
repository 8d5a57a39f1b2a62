"""The inventory's report as one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence, Tuple

from responders.inventory.reporting.coverage import OLD, Coverage
from responders.inventory.reporting.graph import draw
from responders.inventory.reporting.history import Point
from responders.report_page import page

_SHOWN = 50
"""Rows of one list; --json has all of them."""
_HIGH = 46
_DAYS = 90
_STYLE = """
.scroll { overflow-x: auto; margin: .6rem 0; } .scroll svg { width: auto; max-width: none; }
.scroll:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
svg .node { fill: var(--panel); stroke: var(--line); stroke-width: 1.5; } svg .node.identity { stroke: var(--bar); }
svg .edge { fill: none; stroke: var(--soft); stroke-width: 1.3; }
svg .trend { fill: none; stroke: var(--bar); stroke-width: 2; }
svg .bar { fill: var(--bar); } svg .bar.old { fill: var(--bad); } svg .bar.unknown { fill: var(--hand2); }
"""
_NAMES = {
    "identities": "identities", "unmapped": "unmapped accounts", "no_owner": "identities without owner",
    "old_secrets": f"secrets older than {OLD} days", "shared": "shared accounts and credentials",
    "people_on_services": "service identities used by people", "admins": "standing admin rights",
}  # fmt: skip


@dataclass(frozen=True)
class Trend:
    """One figure over the days: points as SVG wants them in a box of 100 by `height`, and what it was and is."""

    name: str
    points: str
    first: int
    last: int
    words: str
    height: int = _HIGH


def render(found: Coverage, history: Sequence[Point]) -> str:
    """The page."""
    edges = {one.identity: one.direct for one in found.breaks}
    starts = [one.identity for one in found.breaks]
    return page(
        Path(__file__).with_name("report.html"), more_style=_STYLE, found=found, shown=_SHOWN, old=OLD,
        drawing=draw(edges, starts), trends=trends(history), days=len(history), ages=_bars(found.ages),
    )  # fmt: skip


def trends(history: Sequence[Point]) -> Tuple[Trend, ...]:
    """A line for each figure, over the last days; none before there are two."""
    found: List[Trend] = []
    for name, words in _NAMES.items():
        known = [(point.day, point.figures[name]) for point in history[-_DAYS:] if name in point.figures]
        if len(known) < 2:
            continue
        values = [value for _, value in known]
        low, high = min(values), max(values)
        span, step = max(1, high - low), 100 / (len(values) - 1)
        heights = [_HIGH - 3 - (value - low) / span * (_HIGH - 6) for value in values]
        dots = [f"{place * step:.2f},{height:.2f}" for place, height in enumerate(heights)]
        text = f"{words}: {values[0]} on {known[0][0]}, {values[-1]} on {known[-1][0]}, between {low} and {high}"
        found.append(Trend(words, " ".join(dots), values[0], values[-1], text))
    return tuple(found)


def _bars(ages: Sequence[Tuple[str, int]]) -> List[Tuple[str, int, float]]:
    top = max((count for _, count in ages), default=0) or 1
    return [(name, count, round(100 * count / top, 1)) for name, count in ages]
