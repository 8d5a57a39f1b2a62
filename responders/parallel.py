"""Run calls side by side in daemon threads, and never wait for one that hangs."""

from __future__ import annotations

import contextvars
import threading
import time
from typing import Any, Callable, Collection, Dict, Hashable, List, Mapping, Optional, Tuple, TypeVar, Union

from responders.errors import TourniquetError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Late(TourniquetError):
    """A call did not end before the deadline; it may still be running."""


_PATIENCE = 0.5
"""Seconds that a silent group may hold up the others, once half of them have answered."""


def run_all(
    tasks: Mapping[K, Callable[[], T]], deadline: float, group: Optional[Callable[[K], str]] = None
) -> Dict[K, Union[T, Exception]]:
    """Result or exception of every task, by its key; `Late` for those not done at `deadline` (time.monotonic()).

    With `group` (vendors, say) the wait ends earlier: once half of the groups are done, the others get as long again,
    and half a second at least. Threads are daemons: a hung worker never holds the exit of the process.
    """
    done: Dict[K, Union[T, Exception]] = {}
    begun = time.monotonic()
    waiting: List[Tuple[K, threading.Thread]] = []

    def work(key: K, task: Callable[[], T]) -> None:
        try:
            done[key] = task()
        except Exception as error:  # handed to the caller, who decides
            done[key] = error

    for key, task in tasks.items():
        context = contextvars.copy_context()  # the tier a call is made for goes with it
        thread = threading.Thread(target=context.run, args=(work, key, task), daemon=True)
        thread.start()
        waiting.append((key, thread))
    if group is not None:
        deadline = min(deadline, _half(waiting, done, group, deadline, begun))
    results: Dict[K, Union[T, Exception]] = {}
    for key, thread in waiting:
        thread.join(max(0.0, deadline - time.monotonic()))
        results[key] = done[key] if key in done else Late("no answer before the deadline")
    return results


def _half(
    waiting: List[Tuple[Any, threading.Thread]],
    done: Collection[Any],
    group: Callable[[Any], str],
    deadline: float,
    begun: float,
) -> float:
    """When the stragglers' time is up (time.monotonic()): returns once half of the groups are done, or at `deadline`."""
    members: Dict[str, List[Any]] = {}
    for key, _ in waiting:
        members.setdefault(group(key), []).append(key)
    for _, thread in waiting:
        while time.monotonic() < deadline:
            whole = sum(all(key in done for key in keys) for keys in members.values())
            if 2 * whole >= len(members):
                now = time.monotonic()
                return now + max(_PATIENCE, now - begun)
            thread.join(0.005)
            if not thread.is_alive():
                break
    return deadline
