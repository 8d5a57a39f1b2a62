"""The statistical functions, each able to take rows in and, for a sliding window, let the oldest out again.

Follows Search Reference, "Statistical and charting functions" and limits.conf.spec ([stats] list_maxsize = 100,
perc_method nearest-rank).
"""

from __future__ import annotations

import heapq
import math
import re
import statistics
from bisect import bisect_left, insort
from collections import Counter, deque
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from responders.content.spl.values import Number, Value, finite, multivalue, number, text

LIST_LIMIT = 100


class Aggregate:
    """Takes the values of one row at a time; `leave` undoes the oldest `enter`."""

    def enter(self, values: List[Any], time: float) -> None:
        """Takes a row's values (none when the field is null); `time` is its `_time`."""
        raise NotImplementedError

    def leave(self, values: List[Any]) -> None:
        """Forgets the oldest row, whose values these were."""
        raise NotImplementedError

    def result(self) -> Value:
        """The statistic of the rows held."""
        raise NotImplementedError


class Count(Aggregate):
    """count"""

    def __init__(self) -> None:
        self.held = 0

    def enter(self, values: List[Any], time: float) -> None:
        self.held += len(values)

    def leave(self, values: List[Any]) -> None:
        self.held -= len(values)

    def result(self) -> Value:
        return self.held


class Sum(Aggregate):
    """sum, avg"""

    def __init__(self, *, average: bool) -> None:
        self.average, self.held = average, 0
        self.total: Number = 0

    def enter(self, values: List[Any], time: float) -> None:
        for value in values:
            size = number(value)
            if size is not None:
                self.total += size
                self.held += 1

    def leave(self, values: List[Any]) -> None:
        for value in values:
            size = number(value)
            if size is not None:
                self.total -= size
                self.held -= 1
        if not self.held:
            self.total = 0

    def result(self) -> Value:
        if not self.held:
            return None
        return finite(self.total / self.held if self.average else self.total)


class Distinct(Aggregate):
    """dc, values, mode"""

    def __init__(self, give: str) -> None:
        self.give = give
        self.counts: Dict[str, int] = {}
        self.ordered: List[str] = []

    def enter(self, values: List[Any], time: float) -> None:
        for value in values:
            key = text(value)
            if key in self.counts:
                self.counts[key] += 1
            else:
                self.counts[key] = 1
                if self.give == "values":
                    insort(self.ordered, key)

    def leave(self, values: List[Any]) -> None:
        for value in values:
            key = text(value)
            self.counts[key] -= 1
            if not self.counts[key]:
                del self.counts[key]
                if self.give == "values":
                    del self.ordered[bisect_left(self.ordered, key)]

    def result(self) -> Value:
        if self.give == "dc":
            return len(self.counts)
        if self.give == "values":
            return multivalue(self.ordered)
        return max(self.counts, key=lambda key: self.counts[key]) if self.counts else None


class Ordered(Aggregate):
    """min, max, range, median, percentiles, stdev: what needs the values by size."""

    def __init__(self, pick: Callable[[List[Number]], Optional[Number]], *, texts: Optional[Callable[..., Any]]) -> None:
        self.pick, self.texts = pick, texts
        self.numbers: List[Number] = []
        self.words: Counter[str] = Counter()

    def enter(self, values: List[Any], time: float) -> None:
        for value in values:
            size = number(value)
            if size is None:
                self.words[text(value)] += 1
            else:
                insort(self.numbers, size)

    def leave(self, values: List[Any]) -> None:
        for value in values:
            size = number(value)
            if size is None:
                self.words[text(value)] -= 1
                self.words += Counter()
            else:
                del self.numbers[bisect_left(self.numbers, size)]

    def result(self) -> Value:
        if self.words and self.texts is not None:
            # One value that is no number makes min and max compare all of them as text.
            return self.texts([*self.words, *map(text, self.numbers)])  # type: ignore[no-any-return]
        if not self.numbers:
            return None
        try:
            found = self.pick(self.numbers)
        except OverflowError:
            return None
        return None if found is None else finite(found)


class Arrival(Aggregate):
    """first, last, list"""

    def __init__(self, give: str) -> None:
        self.give = give
        self.held: Deque[Any] = deque()

    def enter(self, values: List[Any], time: float) -> None:
        self.held.extend(values)

    def leave(self, values: List[Any]) -> None:
        for _ in values:
            self.held.popleft()

    def result(self) -> Value:
        if not self.held:
            return None
        if self.give == "list":
            return multivalue(value for _, value in zip(range(LIST_LIMIT), self.held))
        return self.held[0 if self.give == "first" else -1]  # type: ignore[no-any-return]


class Timed(Aggregate):
    """earliest, latest, earliest_time, latest_time: by `_time`, the first seen on a tie."""

    def __init__(self, *, sign: int, give_time: bool) -> None:
        self.sign, self.give_time = sign, give_time
        self.heap: List[Tuple[float, int, Any, float]] = []
        self.entered = self.left = 0

    def enter(self, values: List[Any], time: float) -> None:
        if values and not math.isnan(time):
            heapq.heappush(self.heap, (self.sign * time, self.entered, values[0], time))
        self.entered += 1

    def leave(self, values: List[Any]) -> None:
        self.left += 1

    def result(self) -> Value:
        while self.heap and self.heap[0][1] < self.left:
            heapq.heappop(self.heap)
        if not self.heap:
            return None
        return finite(self.heap[0][3]) if self.give_time else self.heap[0][2]


def _percentile(percent: float) -> Callable[[List[Number]], Number]:
    return lambda sizes: sizes[min(len(sizes) - 1, int(percent * len(sizes) / 100))]


def _sample_deviation(sizes: List[Number]) -> Number:
    return statistics.stdev(sizes) if len(sizes) > 1 else 0


_MAKERS: Dict[str, Callable[[], Aggregate]] = {
    "count": Count,
    "sum": lambda: Sum(average=False),
    "avg": lambda: Sum(average=True),
    "dc": lambda: Distinct("dc"),
    "values": lambda: Distinct("values"),
    "mode": lambda: Distinct("mode"),
    "min": lambda: Ordered(lambda sizes: sizes[0], texts=min),
    "max": lambda: Ordered(lambda sizes: sizes[-1], texts=max),
    "range": lambda: Ordered(lambda sizes: sizes[-1] - sizes[0], texts=None),
    "median": lambda: Ordered(_percentile(50), texts=None),
    "stdev": lambda: Ordered(_sample_deviation, texts=None),
    "stdevp": lambda: Ordered(statistics.pstdev, texts=None),
    "first": lambda: Arrival("first"),
    "last": lambda: Arrival("last"),
    "list": lambda: Arrival("list"),
    "earliest": lambda: Timed(sign=1, give_time=False),
    "latest": lambda: Timed(sign=-1, give_time=False),
    "earliest_time": lambda: Timed(sign=1, give_time=True),
    "latest_time": lambda: Timed(sign=-1, give_time=True),
}
_ALIASES = {"distinct_count": "dc", "mean": "avg"}
KNOWN = (*sorted({*_MAKERS, *_ALIASES}), "perc<N>", "p<N>", "exactperc<N>")


def maker(name: str) -> Optional[Callable[[], Aggregate]]:
    """What makes an empty aggregate of the statistical function, or None when there is none of that name."""
    lowered = name.lower()
    percent = re.fullmatch(r"(?:exactperc|perc|p)(\d{1,2}(?:\.\d+)?)", lowered)
    if percent:
        pick = _percentile(float(percent.group(1)))
        return lambda: Ordered(pick, texts=None)
    return _MAKERS.get(_ALIASES.get(lowered, lowered))
