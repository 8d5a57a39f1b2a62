"""The inventory's report as one page, for a manager to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import List, Sequence, Tuple

from responders.inventory.reporting.coverage import BUCKETS, OLD, VENDORS, Coverage
from responders.inventory.reporting.graph import HIGH, WIDE, draw
from responders.inventory.reporting.history import Point
from responders.report_page import page

_SHOWN = 25
"""Rows of one list; --lists and --json have all of them."""
_HIGH = 56
_DAYS = 90
_STYLE = """
.scroll { overflow-x: auto; margin: .6rem 0; padding: .3rem; } .scroll svg { width: auto; max-width: none; }
.scroll:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
.id { display: block; color: var(--soft); font-size: .8125rem; font-weight: 400; overflow-wrap: anywhere; }
.figures a { color: inherit; }
.trends { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 0 2rem; }
.word, code.one { white-space: nowrap; } td[data-label="Owner"] { min-width: 6rem; }
td ul { margin: 0; padding-left: 1rem; } td li { margin: 0; }
@media (min-width: 40.01rem) { tbody th { min-width: 13rem; } .many tbody th { min-width: 8rem; } }
svg .node { fill: var(--panel); stroke: var(--line); stroke-width: 1.5; } svg .node.identity { stroke: var(--bar); }
svg .node.more { fill: none; stroke-dasharray: 4 3; } svg .in { stroke: none; } svg .in.more { fill: var(--soft); }
svg .edge { fill: none; stroke: var(--soft); stroke-width: 1.3; }
svg .trend { fill: none; stroke: var(--bar); stroke-width: 2; stroke-linejoin: round; }
svg .bar { fill: var(--bar); } svg .bar.old { fill: var(--bad); } svg .bar.unknown { fill: var(--hand2); }
"""
_NAMES = {
    "identities": "identities", "unmapped": "unmapped accounts", "no_owner": "identities without owner",
    "no_owner_machines": "services and agents without owner", "old_secrets": f"secrets older than {OLD} days",
    "shared": "shared credentials", "people_on_services": "services used by people",
    "machines_on_people": "people's accounts used by machines", "admins": "standing admin rights",
}  # fmt: skip


@dataclass(frozen=True)
class Trend:
    """One figure over the days: points as SVG wants them in a box of 100 by `height`, what it was and is, and when.

    Days stand where they are in time, and the lowest line is 0.
    """

    name: str
    points: str
    first: int
    last: int
    top: int
    begin: str
    end: str
    words: str
    height: int = _HIGH


def render(found: Coverage, history: Sequence[Point]) -> str:
    """The page."""
    starts = [one.who.id for one in found.breaks]
    notes = {one.who.id: f"{_number(one.people)} people, groups" for one in found.breaks if one.people}
    return page(
        Path(__file__).with_name("report.html"), more_style=_STYLE, found=found, shown=_SHOWN, old=OLD, buckets=BUCKETS,
        vendors=VENDORS, drawing=draw(found.edges, starts, found.names, notes), box=(WIDE, HIGH), trends=trends(history),
        first=first(found), ages=_bars(found.ages), most=_DAYS,
    )  # fmt: skip


def first(found: Coverage) -> Tuple[Tuple[str, str], ...]:
    """What to do first: the section that says more ("" for none), and a sentence."""
    todo: List[Tuple[str, str]] = []
    if found.restorers < 2:
        todo.append(("", f"Name two people who may restore (can_restore in your file): there {_are(found.restorers)}."))
    mixed = [shared for shared in found.shared if shared.mixed]
    if mixed:
        text = "People and machines use the same credentials in {}: give each its own, and change them."
        todo.append(("shared", text.format(_count(len(mixed), "place"))))
    if found.people_on_services:
        who = _count(len(found.people_on_services), "service or agent", "services and agents")
        todo.append(("people", f"People sign in as {who}: give them accounts of their own."))
    if found.old:
        oldest = next(secret.days for secret in found.secrets if secret.days is not None)
        todo.append(
            ("secrets", f"Change {_count(found.old, 'secret')} older than {OLD} days; the oldest is {_number(oldest)}.")
        )
    if found.no_owner_machines:
        who = _count(found.no_owner_machines, "service or agent", "services and agents")
        todo.append(("owner", f"Name an owner of {who}: nobody would be told of a containment."))
    if found.unmapped:
        accounts = _count(len(found.unmapped), "unmapped account")
        todo.append(("unmapped", f"Give {accounts} an identity: what has none is restricted at most."))
    return tuple(todo)


def _count(count: int, one: str, several: str = "") -> str:
    return f"{_number(count)} {one if count == 1 else several or one + 's'}"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\u2009")


def _are(count: int) -> str:
    return "is one" if count == 1 else "are none"


def trends(history: Sequence[Point]) -> Tuple[Trend, ...]:
    """A line for each figure, over the last days; none before there are two."""
    found: List[Trend] = []
    for name, words in _NAMES.items():
        known = [(point.date, point.figures[name]) for point in history[-_DAYS:] if name in point.figures]
        if len(known) < 2:
            continue
        values = [value for _, value in known]
        begin, end, top = known[0][0], known[-1][0], max(values)
        wide, high = 100 / (end - begin).days, (_HIGH - 6) / max(1, top)
        dots = [f"{(day - begin).days * wide:.2f},{_HIGH - 3 - value * high:.2f}" for day, value in known]
        text = f"{words}: {values[0]:,} on {begin}, {values[-1]:,} on {end}, between {min(values):,} and {top:,}"
        found.append(Trend(words, " ".join(dots), values[0], values[-1], top, f"{begin}", f"{end}", text))
    return tuple(found)


def _bars(ages: Sequence[Tuple[str, int]]) -> List[Tuple[str, int, float]]:
    top = max((count for _, count in ages), default=0) or 1
    return [(name, count, round(100 * count / top, 1)) for name, count in ages]
