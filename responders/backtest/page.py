"""The backtest as one page, for a manager to read before a policy acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import List, Sequence, Tuple

from responders.backtest.replay import ASSUMED
from responders.backtest.result import Result
from responders.backtest.summary import Hour
from responders.report_page import page

_SHOWN = 25
"""Rows of one list; --json has all of them."""
_BARS = 60
_HIGH = 120
_STYLE = """
svg .revoked { fill: var(--bad); } svg .restricted { fill: var(--bar); } svg .held { fill: var(--hand2); }
"""


@dataclass(frozen=True)
class Bar:
    """One column of the picture: place and width in %, heights in pixels, and what it says."""

    left: float
    width: float
    parts: Tuple[Tuple[str, float, float], ...]
    text: str


@dataclass(frozen=True)
class Picture:
    """Containments over time. `ticks` are places in % and what stands there; `top` is what the highest column counts."""

    bars: Tuple[Bar, ...]
    ticks: Tuple[Tuple[float, str], ...]
    top: int
    words: str
    height: int = _HIGH


def render(result: Result) -> str:
    """The page."""
    both = [("as it is", result.as_is)] + ([("proposed", result.proposed)] if result.proposed else [])
    return page(
        Path(__file__).with_name("report.html"), more_style=_STYLE, result=result, last=result.last, both=both,
        shown=_SHOWN, assumed=ASSUMED, hours=result.assumed.closed_after.total_seconds() / 3600,
        pictures=[(name, over_time(found.hours, result.begin, result.end)) for name, found in both],
    )  # fmt: skip


def over_time(hours: Sequence[Hour], begin: datetime, end: datetime) -> Picture:
    """Columns of equal spans: restricted, revoked, and held back by the blast radius."""
    spans = max(1, min(_BARS, int((end - begin) / timedelta(hours=1)) + 1))
    length = max((end - begin) / spans, timedelta(seconds=1))
    counts = [[0, 0, 0] for _ in range(spans)]
    for hour in hours:
        middle = hour.at + timedelta(minutes=30)
        place = min(spans - 1, max(0, int((middle - begin) / length)))
        for number, value in enumerate((hour.restricted, hour.revoked, hour.held)):
            counts[place][number] += value
    top = max(1, *(sum(count) for count in counts))
    bars: List[Bar] = []
    for place, count in enumerate(counts):
        if not sum(count):
            continue
        y, parts = float(_HIGH), []
        for kind, value in zip(("restricted", "revoked", "held"), count):
            high = value / top * (_HIGH - 14)
            if value:
                y -= max(high, 1.5)
                parts.append((kind, round(y, 1), round(max(high, 1.5), 1)))
        at = begin + place * length
        text = f"from {at:%Y-%m-%d %H:%M}Z: {count[0]} restricted, {count[1]} revoked, {count[2]} alerts held back"
        bars.append(Bar(round(100 * place / spans, 3), round(92 / spans, 3), tuple(parts), text))
    ticks = tuple((100 * part / 4, f"{begin + part * (end - begin) / 4:%d %b}") for part in range(4))
    total = [sum(count[number] for count in counts) for number in range(3)]
    words = f"{total[0]} restricted, {total[1]} revoked, {total[2]} alerts held back; at most {top} in one column"
    return Picture(tuple(bars), ticks, top, words)
