"""Places of the blast radius, kept counted: no alert of a storm costs a look at everybody whom the storm took."""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime
from typing import Deque, Dict, List, Mapping, Optional

from responders.model import Place, Tier, Use


class Places:
    """Uses in the order of time. An identity counts once, at its highest tier, as in `policy.guards.count`."""

    def __init__(self) -> None:
        self._uses: Deque[Use] = deque()
        self._by: Dict[str, List[Use]] = {}
        self._counts: Counter[Place] = Counter()

    def add(self, use: Use) -> None:
        self._change(use.identity, [*self._by.get(use.identity, ()), use])
        self._uses.append(use)

    def forget(self, until: datetime) -> None:
        """Uses at that time and before."""
        while self._uses and self._uses[0].at <= until:
            old = self._uses.popleft()
            self._change(old.identity, self._by[old.identity][1:])

    def reached(self, identity: str) -> Tier:
        """The tier at which it counts."""
        use = self._highest(identity)
        return use.tier if use is not None else Tier.OBSERVE

    def others(self, identity: str) -> Mapping[Place, int]:
        """The places of everybody else, counted."""
        use = self._highest(identity)
        if use is None:
            return self._counts
        found = self._counts.copy()
        found[use.place] -= 1
        return found

    def _highest(self, identity: str) -> Optional[Use]:
        uses = self._by.get(identity)
        return sorted(uses, key=lambda use: use.tier)[-1] if uses else None

    def _change(self, identity: str, uses: List[Use]) -> None:
        before = self._highest(identity)
        if before is not None:
            self._counts[before.place] -= 1
            if not self._counts[before.place]:
                del self._counts[before.place]
        if uses:
            self._by[identity] = uses
        else:
            self._by.pop(identity, None)
        after = self._highest(identity)
        if after is not None:
            self._counts[after.place] += 1
