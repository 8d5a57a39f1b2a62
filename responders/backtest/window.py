"""The alerts of one identity that still count, kept so that neither a new one nor an old one costs a look at them all."""

from __future__ import annotations

import bisect
import heapq
from datetime import datetime
from typing import Any, Dict, List, Tuple

from responders.model import Alert
from responders.policy.confidence import MOST_COUNTED, strongest_first

_Entry = Tuple[Tuple[Any, ...], int, Alert]


class Window:
    """Alerts by group, the strongest first. A group is what guards may set aside as a whole (see `replay`)."""

    __slots__ = ("_ages", "_count", "_groups")

    def __init__(self) -> None:
        self._groups: Dict[Any, List[_Entry]] = {}
        self._ages: List[Tuple[datetime, int, Any, _Entry]] = []
        self._count = 0

    def add(self, alert: Alert, group: Any) -> None:
        entry = (strongest_first(alert), self._count, alert)
        bisect.insort(self._groups.setdefault(group, []), entry)
        heapq.heappush(self._ages, (alert.completed_at, self._count, group, entry))
        self._count += 1

    def strongest(self, since: datetime, other_than: str) -> Tuple[Alert, ...]:
        """Of each group the strongest since then, as many as can count; none of the finding `other_than`.

        What is older is forgotten: `since` only ever grows.
        """
        while self._ages and self._ages[0][0] < since:
            _, _, group, entry = heapq.heappop(self._ages)
            known = self._groups[group]
            del known[bisect.bisect_left(known, entry)]
        found: List[Alert] = []
        for known in self._groups.values():
            left = MOST_COUNTED
            for _, _, alert in known:
                if alert.id != other_than:
                    found.append(alert)
                    left -= 1
                    if not left:
                        break
        return tuple(found)
