"""A vendor's rate limits, shared by all threads: waits instead of burning 429s, and keeps the last part for revoke.

A vendor may count each group of endpoints for itself, and says in every answer how that count stands. Which groups there
are it does not say: answers that tell the same limit and the same reset are taken for one. Source: Okta, "Rate limits".
"""

from __future__ import annotations

import contextlib
import contextvars
import math
import threading
import time
from dataclasses import dataclass
from typing import Dict, Iterator, Mapping, Optional, Tuple

from responders.model import Tier
from responders.vendors.client import VendorClient

RESERVE = 0.3
"""Part of the limit that calls below tier revoke leave alone; it shrinks as the window goes by, for it would be lost."""
_OPEN = 0.1
"""Last part of a window, in which nothing is kept any more."""
_YIELD = 0.05
"""Seconds that a call below tier revoke lets those of tier revoke go first which wait already."""

_TIER: contextvars.ContextVar[Tier] = contextvars.ContextVar("tourniquet_tier", default=Tier.REVOKE)


@contextlib.contextmanager
def calling_for(tier: Tier) -> Iterator[None]:
    """Calls made inside are made for a containment of this tier."""
    token = _TIER.set(tier)
    try:
        yield
    finally:
        _TIER.reset(token)


@dataclass
class _Count:
    """One count of the vendor's, as its answers told it. Times are epoch seconds."""

    limit: int
    reset: float
    window: float
    remaining: int

    def wait(self, now: float, tier: Tier) -> float:
        """Seconds until a call may go; takes its share when it may go now."""
        left = self.reset - now
        if left <= 0:
            return 0.0
        shrinking = 0.0 if tier is Tier.REVOKE else max(0.0, left - _OPEN * self.window)
        kept = self.limit * RESERVE / (self.window * (1 - _OPEN))  # a second, from its beginning on
        if self.remaining > math.ceil(kept * shrinking):
            self.remaining -= 1
            return 0.0
        return shrinking - (self.remaining - 1) / kept if self.remaining > 0 and kept else left


class Budget:
    """What the vendor's headers said last, by what was called (`name`, a path template). Times are epoch seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Dict[Tuple[int, int], _Count] = {}
        self._of: Dict[str, Tuple[int, int]] = {}
        self._blocked_until = 0.0
        self._revokes_waiting = 0

    def wait_seconds(self, name: str = "") -> float:
        """Seconds to wait before the next call of the current tier; 0 when it may go. Takes one call's share."""
        now, tier = time.time(), _TIER.get()
        with self._lock:
            if now < self._blocked_until:
                return self._blocked_until - now
            if self._revokes_waiting and tier is not Tier.REVOKE:
                return _YIELD
            count = self._count(name, now)
            return count.wait(now, tier) if count is not None else 0.0

    def _count(self, name: str, now: float) -> Optional[_Count]:
        """What this call is likely to be counted in: as it was told last, else one of the same limit, else the newest."""
        limit, reset = self._of.get(name, (0, 0))
        if (limit, reset) in self._counts and reset > now:
            return self._counts[limit, reset]
        alive = [count for count in self._counts.values() if count.reset > now]
        return next((count for count in reversed(alive) if count.limit == limit), alive[-1] if alive else None)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """A call of the current tier waits for its turn."""
        revoke = int(_TIER.get() is Tier.REVOKE)
        with self._lock:
            self._revokes_waiting += revoke
        try:
            yield
        finally:
            with self._lock:
                self._revokes_waiting -= revoke

    def learn(self, headers: Mapping[str, str], name: str = "") -> None:
        """Take what an answer's headers say of the limit; absent or unreadable ones say nothing."""
        remaining, limit = number(headers.get("x-rate-limit-remaining")), number(headers.get("x-rate-limit-limit"))
        reset = number(headers.get("x-rate-limit-reset"))
        if remaining is None or limit is None or reset is None:
            return
        now, key = time.time(), (int(limit), int(reset))
        with self._lock:
            self._of[name] = key
            known = self._counts.get(key)
            if known is not None:
                # Never up within a window: calls that are on their way are counted here, and not yet there.
                known.remaining = min(known.remaining, int(remaining))
                return
            longest = max((c.window for c in self._counts.values() if c.limit == int(limit)), default=0.0)
            self._counts = {k: c for k, c in self._counts.items() if c.reset > now}
            self._counts[key] = _Count(int(limit), reset, max(longest, reset - now, 1.0), int(remaining))

    def left(self, now: float) -> Optional[float]:
        """The part of the tightest limit that is left, 0 while nobody may call; None when the vendor tells none."""
        with self._lock:
            if now < self._blocked_until:
                return 0.0
            return min(
                (max(0, c.remaining) / c.limit for c in self._counts.values() if c.reset > now and c.limit), default=None
            )

    def refused(self, until: float) -> None:
        """A 429 came: nobody calls before `until`."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, until)


def rate_left(client: VendorClient) -> Optional[float]:
    """`Budget.left` of a client, now; None for one whose calls others make, a relay's."""
    budget: Optional[Budget] = getattr(getattr(client, "transport", None), "budget", None)
    return budget.left(time.time()) if budget is not None else None


def number(text: Optional[str]) -> Optional[float]:
    """The finite number in a header, None when there is none."""
    try:
        found = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return found if math.isfinite(found) else None
