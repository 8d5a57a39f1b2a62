"""An attacker that never stops: uses every way in again and again, and notes its last success and first refusal."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Dict, List, Mapping, Optional, Type

Try = Callable[[], bool]


@dataclass
class Way:
    """One way in. Times are time.time(); None while it never happened."""

    name: str
    calls: int = 0
    last_success: Optional[float] = None
    first_refusal: Optional[float] = None

    @property
    def vendor(self) -> str:
        return self.name.split(" ")[0]


class Watcher:
    """Runs while the block runs; `ways` holds what was seen. `tries` are calls by name (`vendor what`)."""

    def __init__(self, tries: Mapping[str, Try], pause: float = 0.02) -> None:
        self.ways: Dict[str, Way] = {name: Way(name) for name in tries}
        self._tries, self._pause = tries, pause
        self._stop = threading.Event()
        self._threads: List[threading.Thread] = []

    def __enter__(self) -> Watcher:
        for name, call in self._tries.items():
            thread = threading.Thread(target=self._loop, args=(self.ways[name], call), daemon=True)
            thread.start()
            self._threads.append(thread)
        deadline = time.time() + 5
        while any(way.calls == 0 for way in self.ways.values()) and time.time() < deadline:
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        for way in self.ways.values():  # two more tries of each after the containment, so that a refusal is seen
            seen = way.calls
            deadline = time.time() + 2
            while way.calls < seen + 2 and time.time() < deadline:
                time.sleep(0.01)
        self._stop.set()
        for thread in self._threads:
            thread.join(2)

    def _loop(self, way: Way, call: Try) -> None:
        while not self._stop.is_set():
            works = call()
            at = time.time()
            if works:
                way.last_success, way.first_refusal = at, None
            elif way.first_refusal is None:
                way.first_refusal = at
            way.calls += 1
            time.sleep(self._pause)
