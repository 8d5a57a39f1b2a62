"""Drawings of the report: where marks and bars lie, in percent, so that the SVG fits any width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

from responders.drill.by_hand import ATTACKERS, BY_HAND, TOTAL
from responders.drill.figures import Lane, Sight


@dataclass(frozen=True)
class Bar:
    """A bar or, with no width, a mark. `kind` is its class, `text` what it means."""

    kind: str
    left: float
    width: float
    text: str


@dataclass(frozen=True)
class Row:
    """One line of a drawing: a name at the left, a figure at the right, bars and marks below."""

    name: str
    figure: str
    bars: Tuple[Bar, ...]
    y: int


@dataclass(frozen=True)
class Drawing:
    rows: Tuple[Row, ...]
    ticks: Tuple[Tuple[float, str], ...]
    height: int
    words: str
    """The same in words, for who can't see it."""


ROW = 44


def of_scene(found: Sight) -> Optional[Drawing]:
    """Each vendor's lane from the alert on: the attacker's access, its end, and every proof."""
    if not found.lanes:
        return None
    times = [step.seconds for lane in found.lanes for step in lane.steps]
    times += [at for lane in found.lanes for at in (lane.last, lane.refused) if at is not None]
    end = max(max(times), 0.1) * 1.06
    rows = tuple(_lane(lane, end, place * ROW) for place, lane in enumerate(found.lanes))
    words = ". ".join(f"{lane.name}: {_in_words(lane)}" for lane in found.lanes) + "."
    return Drawing(rows, _ticks(end), len(rows) * ROW + 22, words)


def of_drill(scenes: Sequence[Sight], seconds: float) -> Drawing:
    """The scenes over the time of the drill."""
    rows = tuple(
        Row(
            f"({s.key}) {s.title}",
            f"{s.ended - s.started:.1f} s",
            (
                Bar(
                    "kept" if s.kept else "broken",
                    _part(s.started, seconds),
                    max(0.4, _part(s.ended - s.started, seconds)),
                    s.title,
                ),
            ),
            place * ROW,
        )
        for place, s in enumerate(scenes)
    )
    words = "; ".join(f"scene {s.key} from {s.started:.1f} to {s.ended:.1f} s" for s in scenes)
    return Drawing(rows, _ticks(seconds), len(rows) * ROW + 22, words)


def of_manual(tourniquet: float) -> Drawing:
    """A manual response beside what was measured here, `tourniquet` in minutes."""
    end = TOTAL * 1.04
    bars: List[Bar] = []
    at = 0.0
    for place, part in enumerate(BY_HAND):
        bars.append(
            Bar(f"hand hand{place % 2}", _part(at, end), _part(part.minutes, end), f"{part.minutes} min: {part.what}")
        )
        at += part.minutes
    marks = tuple(Bar("attack", _part(seen.minutes, end), 0.0, f"{seen.what} ({seen.source})") for seen in ATTACKERS)
    rows = (
        Row("By hand (assumed)", f"{TOTAL} min", tuple(bars), 0),
        Row(
            "Tourniquet (this drill, the slowest)",
            f"{tourniquet:.1f} min",
            (Bar("kept", 0.0, max(0.4, _part(tourniquet, end)), "event to contained"),),
            ROW,
        ),
        Row("Attackers use a leaked key", f"from {ATTACKERS[0].minutes:.0f} min", marks, 2 * ROW),
    )
    words = f"By hand {TOTAL} minutes, assumed; in this drill {tourniquet:.1f} minutes at most. "
    words += "; ".join(f"{seen.what} {seen.minutes:.0f} minutes" for seen in ATTACKERS)
    return Drawing(rows, _ticks(end, " min"), 3 * ROW + 22, words)


def _lane(lane: Lane, end: float, y: int) -> Row:
    bars: List[Bar] = []
    if lane.ways:
        last = lane.last or 0.0
        if last > 0:
            bars.append(Bar("access", 0.0, _part(last, end), f"the attacker was let in until {last:.2f} s"))
        if not lane.open_ways:
            bars.append(Bar("shut", _part(last, end), 100 - _part(last, end), "every way in is refused"))
    for step in lane.steps:
        kind = "proof" if step.holds else "failed"
        bars.append(Bar(kind, _part(step.seconds, end), 0.0, f"{step.action}: {step.status} at {step.seconds:.2f} s"))
    figure = f"proved {lane.proved:.2f} s" if lane.proved is not None else "NOT proved"
    return Row(lane.name, figure, tuple(bars), y)


def _in_words(lane: Lane) -> str:
    proof = f"proved after {lane.proved:.2f} s" if lane.proved is not None else "not proved"
    last = f", attacker's last successful call at {lane.last:.2f} s" if lane.last is not None else ""
    return proof + last


def _part(value: float, whole: float) -> float:
    return round(max(0.0, min(100.0, 100 * value / whole)), 2)


def _ticks(end: float, unit: str = " s") -> Tuple[Tuple[float, str], ...]:
    step = next(s for s in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 1000) if end / s <= 6)
    count = int(end / step)
    return tuple((_part(n * step, end), f"{n * step:g}{unit}") for n in range(count + 1) if _part(n * step, end) <= 94)
