"""Does what is due, again and again: rechecks, retries, restores; hands alerts to the workers, and marks to write back."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Callable, List, Optional

from responders import pipeline
from responders.containment import due, tampering
from responders.containment.responder import Responder
from responders.errors import TourniquetError
from responders.parallel import run_all
from responders.surfaces.service.inbox import Inbox
from responders.surfaces.service.log import Log
from responders.surfaces.service.looping import Looping
from responders.surfaces.service.metrics import Metrics
from responders.surfaces.service.write_back import DUE as WRITE_BACK
from responders.surfaces.service.write_back import WriteBack

EVERY = 2.0
_MARGIN = timedelta(hours=1)
_WARM_EVERY = 30.0
_WARM_SECONDS = 10.0


class Agenda:
    """What is pending, for one who asks every few seconds: what is done for certain is not read each time.

    A look begins an hour before the oldest entry that was pending at the last one, and once an hour at the very beginning,
    for another responder's clock may be behind. For one thread.
    """

    def __init__(self) -> None:
        self._since: Optional[datetime] = None
        self._whole_at = 0.0

    def pending(self, responder: Responder) -> List[due.Due]:
        """Entries that are due now and not done, oldest first."""
        now = responder.now()
        if time.monotonic() >= self._whole_at:
            self._since, self._whole_at = None, time.monotonic() + _MARGIN.total_seconds()
        found = tampering.pending(responder, now, self._since)
        self._since = min([now, *(item.at for item in found[:1])]) - _MARGIN
        return found


class DueLoop(Looping):
    """Two threads: one for alerts, which must not wait behind the rechecks of other containments, and one for the rest."""

    def __init__(
        self, responder: Callable[[], Responder], inbox: Inbox, write_back: WriteBack, log: Log, metrics: Metrics
    ) -> None:
        self._responder, self._inbox, self._write_back = responder, inbox, write_back
        self._log, self._metrics = log, metrics
        self._warm_at = 0.0
        self._agendas = (Agenda(), Agenda())
        self._cold: List[str] = []
        super().__init__(
            [
                threading.Thread(target=self._run, args=(part,), name=part.__name__.strip("_"), daemon=True)
                for part in (self._hand_over, self._take_up)
            ]
        )

    def warm(self) -> None:
        """Sign in at every vendor, so that the first containment need not; and again before a sign-in ends."""
        clients = {f"{client.vendor}:{client.tenant}": client for client in self._responder().clients.all()}
        tasks = {name: client.warm for name, client in clients.items() if hasattr(client, "warm")}
        answers = run_all(tasks, time.monotonic() + _WARM_SECONDS)
        cold = sorted(f"{name}: {found}" for name, found in answers.items() if isinstance(found, Exception))
        for line in cold:
            if line not in self._cold:
                self._log.error("can't sign in at a vendor: it could not be contained there now", why=line)
        self._cold = cold

    def _run(self, part: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                part()
            except TourniquetError as error:
                self._metrics.errors.labels("due").inc()
                self._log.error("what is due can't be done now", why=error)
            except Exception as error:  # a mistake of ours must not end the loop
                self._metrics.errors.labels("internal").inc()
                self._log.error("internal error in the due loop", why=f"{type(error).__name__}: {error}")
            self._stopping.wait(EVERY)

    def _hand_over(self) -> None:
        responder = self._responder()
        items = self._agendas[0].pending(responder)
        self._inbox.take_up(items)
        self._write_back.take_up(items)
        counts = Counter(item.what for item in items)
        for what in {*counts, "alert", WRITE_BACK, "recheck", "resume", "escalate"}:
            self._metrics.due.labels(what).set(counts[what])
        self._metrics.halted.set(1 if responder.halted() else 0)

    def _take_up(self) -> None:
        if time.monotonic() >= self._warm_at:
            self._warm_at = time.monotonic() + _WARM_EVERY
            self.warm()
        responder = self._responder()
        items = self._agendas[1].pending(responder)
        for line in pipeline.take_up(responder, leave=frozenset({"alert", WRITE_BACK}), items=items):
            self._log.info("did what was due", did=line)
