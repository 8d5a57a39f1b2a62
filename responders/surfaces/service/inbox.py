"""Where alerts come in: stored in the journal first, then contained by a few workers, strongest first.

The journal is the queue. What stands in memory is only a hint that spares the search for it: when memory is full, or this
process dies, the alerts are still due, and whoever looks for what is due finds them.
"""

from __future__ import annotations

import itertools
import math
import queue
import threading
import time
from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple

from responders import pipeline
from responders.containment import due
from responders.containment.intake import handled
from responders.containment.responder import Responder
from responders.errors import Halted, JournalError, Refused, TourniquetError
from responders.escalation.report import Report
from responders.surfaces.service.log import Log
from responders.surfaces.service.metrics import Metrics

MOST = 512
"""Alerts held in memory."""
MOST_OF_ONE = 8
"""Of these on one identity: they go one after another, so a flood of them must not fill the memory."""
_REST = 5.0
"""Seconds until an alert that could not be dealt with is tried again."""
_Item = Tuple[float, int, str, Optional[Mapping[str, Any]]]


class Inbox:
    """`put` stores an alert and returns; workers do the rest. `done` hears of each alert that was dealt with."""

    def __init__(
        self, responder: Callable[[], Responder], workers: int, log: Log, metrics: Metrics, done: Callable[[str], None]
    ) -> None:
        self._responder, self._log, self._metrics, self._done = responder, log, metrics, done
        self._queue: queue.PriorityQueue[_Item] = queue.PriorityQueue()
        self._held: Dict[str, float] = {}
        self._of: Counter[str] = Counter()
        """Alerts held, by whom they seem to be about."""
        self._resting: Dict[str, float] = {}
        self._busy: Dict[str, List[_Item]] = {}
        """Identities at work, with the alerts on them that wait: side by side they would only stand in each other's way."""
        self._lock = threading.Lock()
        self._number = itertools.count(1)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work, name=f"worker-{n}", daemon=True) for n in range(workers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float) -> bool:
        """Let every worker end what it has begun, so long at most; what waits stays due. False when one did not end."""
        self._stopping.set()
        for _ in self._threads:
            self._queue.put((-math.inf, 0, "", None))
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def put(self, row: Mapping[str, Any], and_then: Callable[[str, bool], None]) -> None:
        """Store the row and hand it to a worker, after `and_then` heard its chain and whether that is new.

        Raises JournalError when it is not stored.
        """
        chain, new = pipeline.keep(row, self._responder())
        and_then(chain, new)
        self._offer(chain, row)

    def take_up(self, items: Iterable[due.Due]) -> None:
        """Hand alerts that are due to the workers, the strongest first, as far as there is room.

        Two who stored an alert at the same moment left two entries for it: the one that its chain does not name is ended
        here, once the alert is dealt with.
        """
        journal = self._responder().journal
        alerts = [item for item in items if item.what == "alert"]
        for item in sorted(alerts, key=lambda item: -_confidence(item.raw or {})):
            if self._is_held(item.about, item.raw or {}) or self._rests(item.about):
                continue
            if self._stopping.is_set() or self.held >= MOST:  # of a storm, thousands: a look at each would hold up all
                return
            if handled(journal, item.about) is not None:
                due.finish(journal, item, "dealt with")
                self._done(item.about)
            else:
                self._offer(item.about, item.raw or {})

    @property
    def held(self) -> int:
        """Alerts in memory, those at work included."""
        with self._lock:
            return len(self._held)

    def _rests(self, chain: str) -> bool:
        """True for a few seconds after an alert could not be dealt with."""
        now = time.monotonic()
        with self._lock:
            self._resting = {name: until for name, until in self._resting.items() if until > now}
            return chain in self._resting

    def _is_held(self, chain: str, row: Mapping[str, Any]) -> bool:
        """True for one in memory, and where that holds enough of its identity."""
        with self._lock:
            return chain in self._held or self._of[_about(row)] >= MOST_OF_ONE

    def _offer(self, chain: str, row: Mapping[str, Any]) -> None:
        with self._lock:
            if chain in self._held or len(self._held) >= MOST or self._stopping.is_set():
                return
            if self._of[_about(row)] >= MOST_OF_ONE:
                return
            self._held[chain] = time.monotonic()
            self._of[_about(row)] += 1
            self._metrics.queue.set(len(self._held))
        self._queue.put((-_confidence(row), next(self._number), chain, row))

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            _, _, chain, row = item
            if row is None or self._stopping.is_set():
                return
            about = _about(row)
            with self._lock:
                if about in self._busy:
                    self._busy[about].append(item)
                    continue
                self._busy[about] = []
            try:
                self._contain(chain, row)
            finally:
                with self._lock:
                    waiting = self._busy.pop(about)
                    self._held.pop(chain, None)
                    self._of[about] -= 1
                    self._of = +self._of
                    self._metrics.queue.set(len(self._held))
                for other in waiting:
                    self._queue.put(other)

    def _contain(self, chain: str, row: Mapping[str, Any]) -> None:
        known = self._held[chain]
        try:
            report = pipeline.contain(row, self._responder())
        except Halted as error:
            self._log.warn("halted: the alert stays due", alert=chain, why=error)
        except Refused:
            pass  # another replica has it
        except JournalError as error:
            self._metrics.errors.labels("journal").inc()
            self._log.error("the journal can't be used: the alert stays due", alert=chain, why=error)
        except TourniquetError as error:
            self._metrics.errors.labels("containment").inc()
            self._log.error("the alert stays due", alert=chain, why=error)
        except Exception as error:  # a mistake of ours in one alert must not end the worker
            self._metrics.errors.labels("internal").inc()
            self._log.error("internal error: the alert stays due", alert=chain, why=f"{type(error).__name__}: {error}")
        else:
            self._tell(chain, report, known)
            self._done(chain)
            return
        with self._lock:
            self._resting[chain] = time.monotonic() + _REST

    def _tell(self, chain: str, report: Report, known: float) -> None:
        outcome = _word(report)
        self._metrics.containments.labels(outcome).inc()
        for found in report.outcomes:
            self._metrics.steps.labels(found.step.account.vendor, found.status.value).inc()
        if report.contained_at is not None and outcome == "contained":
            self._metrics.to_contain.observe(time.monotonic() - known)
            if report.detected_at is not None:
                self._metrics.since_event.observe(max(0.0, (report.contained_at - report.detected_at).total_seconds()))
        say = self._log.warn if report.loud else self._log.info
        say(
            report.title, alert=chain, containment=report.containment, outcome=outcome,
            seconds=round(time.monotonic() - known, 3), open=list(report.open_items),
        )  # fmt: skip


def _word(report: Report) -> str:
    if report.title.startswith("this alert was handled before"):
        return "repeated"
    if not report.containment:
        return "refused" if report.loud else "observed"
    return "contained" if report.contained_at is not None else "open"


def _about(row: Mapping[str, Any]) -> str:
    """Whom an alert seems to be about: only for the order of work."""
    return str(row.get("tq_identity") or row.get("tq_account") or row.get("tq_finding"))[:2000]


def _confidence(row: Mapping[str, Any]) -> float:
    value = row.get("tq_confidence")
    try:
        number = float(str(value[0] if isinstance(value, list) and value else value))
    except ValueError:
        return 0.0
    return number if 0 <= number <= 100 else 0.0
