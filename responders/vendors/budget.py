"""A vendor's rate limit, shared by all threads: waits instead of burning 429s, and keeps the last part for revoke."""

from __future__ import annotations

import contextlib
import contextvars
import math
import threading
import time
from typing import Iterator, Mapping, Optional

from responders.model import Tier

RESERVE = 0.3
"""Part of the limit that calls below tier revoke leave alone."""

_TIER: contextvars.ContextVar[Tier] = contextvars.ContextVar("tourniquet_tier", default=Tier.REVOKE)


@contextlib.contextmanager
def calling_for(tier: Tier) -> Iterator[None]:
    """Calls made inside are made for a containment of this tier."""
    token = _TIER.set(tier)
    try:
        yield
    finally:
        _TIER.reset(token)


class Budget:
    """What the vendor's headers said last. Times are epoch seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._remaining: Optional[int] = None
        self._limit: Optional[int] = None
        self._reset = 0.0
        self._blocked_until = 0.0

    def wait_seconds(self) -> float:
        """Seconds to wait before the next call of the current tier; 0 when it may go. Takes one call's share."""
        now = time.time()
        with self._lock:
            if now < self._blocked_until:
                return self._blocked_until - now
            if self._remaining is None or self._limit is None or now >= self._reset:
                return 0.0
            kept = 0 if _TIER.get() is Tier.REVOKE else int(self._limit * RESERVE)
            if self._remaining > kept:
                self._remaining -= 1
                return 0.0
            return self._reset - now

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take what an answer's headers say of the limit; absent or unreadable ones say nothing."""
        remaining, limit = number(headers.get("x-rate-limit-remaining")), number(headers.get("x-rate-limit-limit"))
        reset = number(headers.get("x-rate-limit-reset"))
        if remaining is None or limit is None or reset is None:
            return
        with self._lock:
            self._remaining, self._limit, self._reset = int(remaining), int(limit), reset

    def refused(self, until: float) -> None:
        """A 429 came: nobody calls before `until`."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, until)


def number(text: Optional[str]) -> Optional[float]:
    """The finite number in a header, None when there is none."""
    try:
        found = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return found if math.isfinite(found) else None
