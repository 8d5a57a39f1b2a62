"""The report's figures over time: a small file, one JSON object a day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Dict, List, Mapping, Sequence, Tuple

from responders.errors import BadInput

MOST = 800
"""Days that are kept."""


@dataclass(frozen=True)
class Point:
    """One day's figures."""

    day: str
    figures: Mapping[str, int]

    @property
    def date(self) -> date:
        """`day`, which is ISO 8601."""
        return date.fromisoformat(self.day)


def read_history(text: str, place: str) -> Tuple[Point, ...]:
    """Every day, the oldest first. Raises BadInput naming the line that is none."""
    found: Dict[str, Point] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            doc = json.loads(line)
            day = datetime.strptime(str(doc.pop("day")), "%Y-%m-%d").date().isoformat()
            figures = {str(name): int(value) for name, value in doc.items()}
        except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
            what = f"is no line of a history ({error})"
            raise BadInput(what[:200], place=f"{place}:{number}", remedy="remove the line") from None
        found[day] = Point(day, figures)
    return tuple(found[day] for day in sorted(found))


def with_today(history: Sequence[Point], now: datetime, figures: Mapping[str, int]) -> Tuple[Point, ...]:
    """The history with today's figures in the place of earlier ones of the same day."""
    today = f"{now:%Y-%m-%d}"
    return (*(point for point in history if point.day != today), Point(today, figures))[-MOST:]


def as_text(history: Sequence[Point]) -> str:
    """The file."""
    lines: List[str] = [json.dumps({"day": point.day, **point.figures}, sort_keys=True) for point in history]
    return "".join(line + "\n" for line in lines)
