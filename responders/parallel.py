"""Run calls side by side in daemon threads, and never wait for one that hangs."""

from __future__ import annotations

import contextvars
import threading
import time
from typing import Callable, Dict, Hashable, List, Mapping, Tuple, TypeVar, Union

from responders.errors import TourniquetError

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Late(TourniquetError):
    """A call did not end before the deadline; it may still be running."""


def run_all(tasks: Mapping[K, Callable[[], T]], deadline: float) -> Dict[K, Union[T, Exception]]:
    """Result or exception of every task, by its key; `Late` for those not done at `deadline` (time.monotonic()).

    Threads are daemons: a hung worker never holds the exit of the process.
    """
    done: Dict[K, Union[T, Exception]] = {}
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
    results: Dict[K, Union[T, Exception]] = {}
    for key, thread in waiting:
        thread.join(max(0.0, deadline - time.monotonic()))
        results[key] = done[key] if key in done else Late("it did not end before the deadline")
    return results
