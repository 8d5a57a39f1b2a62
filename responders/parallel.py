"""Run calls side by side in daemon threads, and never wait for one that hangs."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from typing import Any, Callable, ClassVar, Dict, Generic, Hashable, List, Mapping, Optional, TypeVar, Union

from responders.errors import TourniquetError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Late(TourniquetError):
    """A call did not end before the deadline; it may still be running."""


_PATIENCE = 0.5
"""Seconds that a silent group may hold up the others, once half of them have answered."""
_IDLE = 10.0
"""Seconds after which an idle thread ends."""


class _Worker(threading.Thread):
    """Runs one task after another. A start waits until the new thread runs, which is slow when many want to: so it stays."""

    idle: ClassVar[List[_Worker]] = []
    lock = threading.Lock()

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    @classmethod
    def give(cls, task: Callable[[], None]) -> None:
        """Have an idle worker do it, or a new one."""
        with cls.lock:
            # After a fork the list is a copy, and its threads do not live here.
            worker = next((found for found in iter(cls._last, None) if found.is_alive()), None)
        if worker is None:
            worker = cls()
            worker.start()
        worker.inbox.put(task)

    @classmethod
    def _last(cls) -> Optional[_Worker]:
        return cls.idle.pop() if cls.idle else None

    def run(self) -> None:
        while True:
            try:
                self.inbox.get(timeout=_IDLE)()
            except queue.Empty:
                with self.lock:
                    if self in self.idle:
                        self.idle.remove(self)
                        return
                continue  # chosen this very moment: the task is about to come
            with self.lock:
                self.idle.append(self)


class Running(Generic[T]):
    """A call that was started in a daemon thread: a hung one never holds the exit of the process."""

    def __init__(self, task: Callable[[], T]) -> None:
        self._task = task
        self._found: List[Union[T, Exception]] = []
        self._ended = threading.Event()
        context = contextvars.copy_context()  # the tier a call is made for goes with it
        _Worker.give(lambda: context.run(self._work))

    def _work(self) -> None:
        try:
            self._found.append(self._task())
        except Exception as error:  # handed to the caller, who decides
            self._found.append(error)
        finally:
            self._ended.set()

    @property
    def over(self) -> bool:
        return self._ended.is_set()

    def result(self, deadline: float) -> Union[T, Exception]:
        """What it returned or raised; `Late` when it is not over at `deadline` (time.monotonic())."""
        self._ended.wait(max(0.0, deadline - time.monotonic()))
        return self._found[0] if self._found else Late("no answer before the deadline")

    def value(self) -> T:
        """What it returned, however long that takes; raises what it raised. For calls that end by themselves."""
        self._ended.wait()
        found = self._found[0] if self._found else Late("it ended without an answer")
        if isinstance(found, Exception):
            raise found
        return found

    def wait(self, seconds: float) -> bool:
        """True when it was over within so many seconds."""
        return self._ended.wait(seconds)


def start_all(tasks: Mapping[K, Callable[[], T]]) -> Dict[K, Running[T]]:
    """Start every task, in order."""
    return {key: Running(task) for key, task in tasks.items()}


def finish_all(
    running: Mapping[K, Running[T]], deadline: float, group: Optional[Callable[[K], str]] = None
) -> Dict[K, Union[T, Exception]]:
    """Result or exception of every call, by its key; `Late` for those not over at `deadline` (time.monotonic()).

    With `group` (vendors, say) the wait ends earlier: once half of the groups are done, the others get as long again,
    and half a second at least.
    """
    if group is not None:
        deadline = min(deadline, _half(running, group, deadline))
    return {key: call.result(deadline) for key, call in running.items()}


def run_all(tasks: Mapping[K, Callable[[], T]], deadline: float) -> Dict[K, Union[T, Exception]]:
    """Start every task and wait for all; see `finish_all`. A single one runs in a thread too, for it may hang."""
    return finish_all(start_all(tasks), deadline)


def _half(running: Mapping[K, Running[Any]], group: Callable[[K], str], deadline: float) -> float:
    """When the stragglers' time is up (time.monotonic()): returns once half of the groups are done, or at `deadline`."""
    begun = time.monotonic()
    members: Dict[str, List[Running[Any]]] = {}
    for key, call in running.items():
        members.setdefault(group(key), []).append(call)
    for call in running.values():
        while time.monotonic() < deadline:
            whole = sum(all(other.over for other in calls) for calls in members.values())
            if 2 * whole >= len(members):
                now = time.monotonic()
                return now + max(_PATIENCE, now - begun)
            if call.wait(0.005):
                break
    return deadline
