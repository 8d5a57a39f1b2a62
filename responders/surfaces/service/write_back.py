"""Tells Elastic Security what became of an alert: tagged, acknowledged where all is done, a note with the containment's id.

Never closed: closing makes the next run of an aggregating rule raise it anew. It is due from the moment the alert is
stored, so a crash or an outage only puts it off. What is not wholly contained yet is looked at again, as long as a failure
would be tried again.
"""

from __future__ import annotations

import queue
import threading
from datetime import timedelta
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from responders.containment import due
from responders.containment.intake import handled
from responders.containment.responder import Responder
from responders.errors import TourniquetError, Unavailable
from responders.surfaces.service.index import STATUS, AlertIndex, Stored
from responders.surfaces.service.kibana import Kibanas
from responders.surfaces.service.log import Log
from responders.surfaces.service.marks import CONTAINED, OPEN, STATES, Mark, mark_of
from responders.surfaces.service.metrics import Metrics

DUE = "write back"
_RETRY = (5.0, 30.0, 120.0, 600.0, 3600.0, 6 * 3600.0)
_CONFLICTS = 5


class WriteBack:
    """One thread, so that a slow Kibana keeps nothing else waiting."""

    def __init__(
        self,
        responder: Callable[[], Responder],
        index: AlertIndex,
        kibanas: Optional[Kibanas],
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._responder, self._index, self._kibanas = responder, index, kibanas
        self._log, self._metrics = log, metrics
        self._queue: queue.Queue[Optional[due.Due]] = queue.Queue()
        self._waiting: Dict[str, List[due.Due]] = {}
        self._queued: Dict[str, None] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="write-back", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End what is being written; the rest stays due."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(seconds)

    def add(self, chain: str, space: str, name: str, *, with_note: bool) -> None:
        """It is due for this alert from now on. Raises JournalError."""
        journal = self._responder().journal
        note = f"{space} {name} {'note' if with_note else '-'} 0"
        at = journal.clock()
        key = due.add(journal, DUE, chain, at, note)
        with self._lock:
            self._waiting.setdefault(chain, []).append(due.Due(key, DUE, chain, at, note))

    def now(self, chain: str) -> None:
        """The alert was dealt with: write it."""
        with self._lock:
            items = self._waiting.pop(chain, [])
        for item in items:
            self._put(item)

    def take_up(self, items: Iterable[due.Due]) -> None:
        """Write what is due and was dealt with, whoever stored it."""
        journal = self._responder().journal
        items = list(items)
        undone = {item.about for item in items if item.what == "alert"}  # of a storm, thousands: nothing is read for them
        for item in items:
            if item.what != DUE or item.about in undone or self._is_queued(item):
                continue
            if handled(journal, item.about) is not None:
                with self._lock:
                    self._waiting.pop(item.about, None)
                self._put(item)

    def _is_queued(self, item: due.Due) -> bool:
        with self._lock:
            return item.key in self._queued

    def _put(self, item: due.Due) -> None:
        with self._lock:
            if item.key in self._queued:
                return
            self._queued[item.key] = None
        self._queue.put(item)

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            if item is None or self._stopping.is_set():
                return
            try:
                self._one(item)
            except TourniquetError as error:  # of the journal: the entry is still due
                self._metrics.errors.labels("write back").inc()
                self._log.error("writing back is put off", alert=item.about, why=error)
            except Exception as error:  # a mistake of ours in one must not end all
                self._metrics.errors.labels("internal").inc()
                self._log.error(
                    "internal error while writing back", alert=item.about, why=f"{type(error).__name__}: {error}"
                )
            finally:
                with self._lock:
                    self._queued.pop(item.key, None)

    def _one(self, item: due.Due) -> None:
        journal = self._responder().journal
        claimed = due.claim(journal, "due-" + item.key.rpartition("/")[2], 60.0)
        if claimed is None:
            return
        try:
            if due.finished(journal, item):
                return
            how = self._written(item)
            due.finish(journal, item, how)
        finally:
            due.release(journal, claimed)

    def _written(self, item: due.Due) -> str:
        """How it went; a failure, and what is not contained yet, makes a later entry."""
        place, with_note, tries = item.note.rsplit(" ", 2)
        space, _, name = place.partition(" ")  # an id may hold spaces, where it is not Kibana that wrote the alert
        try:
            how, final = self._write(item.about, space, name, with_note == "note")
        except TourniquetError as error:
            return self._later(item, int(tries), error)
        self._metrics.written_back.labels("written").inc()
        if not final and int(tries) < len(_RETRY):
            self._again(item, f"{place} -", int(tries))
        return how

    def _later(self, item: due.Due, tries: int, error: TourniquetError) -> str:
        if tries >= len(_RETRY):
            self._metrics.written_back.labels("given up").inc()
            self._log.error("an alert could not be marked, and is not tried again", alert=item.about, why=error)
            return f"given up: {error}"
        self._metrics.written_back.labels("put off").inc()
        self._log.warn("an alert could not be marked yet", alert=item.about, why=error, again_in=_RETRY[tries])
        self._again(item, item.note.rpartition(" ")[0], tries)
        return f"put off: {error}"

    def _again(self, item: due.Due, note: str, tries: int) -> None:
        responder = self._responder()
        at = responder.now() + timedelta(seconds=_RETRY[tries])
        due.add(responder.journal, DUE, item.about, at, f"{note} {tries + 1}")

    def _write(self, chain: str, space: str, name: str, with_note: bool) -> Tuple[str, bool]:
        """How it was marked, and whether that will stay so."""
        mark = mark_of(self._responder().journal, chain)
        for _ in range(_CONFLICTS):
            alert = self._index.one(space, name)
            if alert is None:
                return "the alert is gone", True
            if not mark.containment and {CONTAINED, OPEN} & set(alert.tags):  # by a click, or a tag that came later
                return "marked already", True
            missing = [tag for tag in mark.tags if tag not in alert.tags]
            gone = [tag for tag in alert.tags if tag in STATES and tag not in mark.tags]
            acknowledge = mark.acknowledge and alert.text(STATUS) in ("open", "")
            if not missing and not gone and not acknowledge:
                return "marked already", mark.final
            if self._kibanas is not None:
                note = mark.note if with_note else ""
                self._kibanas.mark(alert, missing, gone, acknowledge=acknowledge, note=note)
                return "marked by Kibana", mark.final
            if self._mark(alert, mark, acknowledge):
                return "marked in the index", mark.final
        raise Unavailable("elasticsearch", f"alert {name} changes all the time")

    def _mark(self, alert: Stored, mark: Mark, acknowledge: bool) -> bool:
        kept = [tag for tag in alert.tags if tag not in STATES and tag not in mark.tags]
        status = "acknowledged" if acknowledge else alert.text(STATUS)
        return self._index.mark(alert, status, [*kept, *mark.tags], self._responder().now())
