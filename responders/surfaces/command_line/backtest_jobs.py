"""The runs of a backtest: one policy, or two of them on a core each."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from rich.progress import Progress, TaskID

from responders.backtest.past import Past
from responders.backtest.replay import Assumptions, replay
from responders.backtest.summary import Summary, summarise
from responders.inventory.resolve import Inventory
from responders.policy.policy import Policy


@dataclass(frozen=True)
class Job:
    """What one run needs."""

    pasts: Sequence[Past]
    inventory: Inventory
    policy: Policy
    catalogue: Mapping[str, Any]
    assumed: Assumptions

    def run(self, step: Callable[[], None] = lambda: None) -> Summary:
        """Judge every alert, and sum up."""
        return summarise(replay(self.pasts, self.inventory, self.policy, self.catalogue, self.assumed, step=step))


class Steps:
    """Tells the progress now and then: once an alert would cost more than the alert."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task, self._count = progress, task, 0

    def __call__(self) -> None:
        self._count += 1
        if self._count % 500 == 0:
            self._progress.update(self._task, completed=self._count)


_waiting: List[Job] = []
"""The job of the other process, which has it from the moment it was forked: a hundred thousand alerts need no copy."""


def both(first: Job, second: Optional[Job], progress: Callable[[], Progress]) -> Tuple[Summary, ...]:
    """The summaries. No thread of a progress may run when this is called: the second run is forked off first."""
    if second is None:
        return (_shown(first, progress),)
    if "fork" not in multiprocessing.get_all_start_methods():
        return _shown(first, progress), _shown(second, progress)
    _waiting.append(second)
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
            other = pool.submit(_other)
            return _shown(first, progress), other.result()
    finally:
        _waiting.clear()


def _other() -> Summary:
    return _waiting[0].run()


def _shown(job: Job, progress: Callable[[], Progress]) -> Summary:
    with progress() as shown:
        task = shown.add_task(f"judging, policy {job.policy.version}"[:60], total=len(job.pasts))
        return job.run(Steps(shown, task))
