"""How often something may be tried: counts in a window, in memory of a fixed size."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict, deque
from typing import Callable, Deque, Tuple


class Tries:
    """At most `most` in `seconds` for one key; the `size` keys used last are remembered."""

    def __init__(self, most: int, seconds: float, size: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._size, self._clock = most, seconds, size, clock
        self._times: OrderedDict[bytes, Deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, *key: str) -> float:
        """Seconds until the next try is free, 0 when it is now."""
        with self._lock:
            times = self._recent(_digest(key))
            return max(0.0, times[0] + self._seconds - self._clock()) if len(times) >= self._most else 0.0

    def count(self, *key: str) -> None:
        """One try more."""
        with self._lock:
            name = _digest(key)
            times = self._recent(name)
            times.append(self._clock())
            while len(times) > self._most:
                times.popleft()
            self._times[name] = times
            self._times.move_to_end(name)
            while len(self._times) > self._size:
                self._times.popitem(last=False)

    def back(self, *key: str) -> None:
        """The last try does not count."""
        with self._lock:
            times = self._times.get(_digest(key))
            if times:
                times.pop()

    def forget(self, *key: str) -> None:
        """As if nothing was tried."""
        with self._lock:
            self._times.pop(_digest(key), None)

    def __len__(self) -> int:
        return len(self._times)

    def _recent(self, name: bytes) -> Deque[float]:
        times = self._times.get(name, deque())
        while times and times[0] <= self._clock() - self._seconds:
            times.popleft()
        return times


class Gate:
    """Sign-ins: few wrong ones for a user from one address, more from one address, more for one user.

    Who guesses at a user's password from elsewhere must not keep that user out: where they signed in before, only the
    first two limits count.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pair = Tries(5, 300, clock=clock)
        self._address = Tries(30, 300, clock=clock)
        self._user = Tries(60, 300, clock=clock)
        self._good = Tries(1, 30 * 86400, clock=clock)

    def wait(self, user: str, address: str) -> float:
        """Seconds until this user may try from this address, 0 when now."""
        own = 0.0 if self._good.wait(user, address) else self._user.wait(user)
        return max(self._pair.wait(user, address), self._address.wait(address), own)

    def begin(self, user: str, address: str) -> None:
        """A try counts from its beginning: many at once are no way round."""
        self._pair.count(user, address)
        self._address.count(address)
        self._user.count(user)

    def void(self, user: str, address: str) -> None:
        """It was not wrong: Elasticsearch did not answer."""
        self._pair.back(user, address)
        self._address.back(address)
        self._user.back(user)

    def right(self, user: str, address: str) -> None:
        self.void(user, address)
        self._pair.forget(user, address)
        self._good.count(user, address)


def _digest(key: Tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join(key).encode("utf-8", "replace")).digest()[:16]
