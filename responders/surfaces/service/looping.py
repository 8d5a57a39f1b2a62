"""What the loops of the service share: threads that begin together, and end when they are told to."""

from __future__ import annotations

import threading
import time
from typing import Sequence


class Looping:
    """Base of a loop in threads of its own, which end soon after `_stopping` is set."""

    def __init__(self, threads: Sequence[threading.Thread]) -> None:
        self._threads = threads
        self._stopping = threading.Event()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more: what is under way ends by itself, and `join` waits for it."""
        self._stopping.set()

    def join(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
