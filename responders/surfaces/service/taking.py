"""One alert of the index, taken: whether it is ours, what it waits for, and that it is stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Callable, Mapping, Tuple

from responders.alerts.kept import kept
from responders.containment.intake import chain_of, handled
from responders.containment.responder import Responder
from responders.surfaces.service.config import Config
from responders.surfaces.service.inbox import Inbox
from responders.surfaces.service.index import AlertIndex, Stored
from responders.surfaces.service.log import Log
from responders.surfaces.service.metrics import Metrics
from responders.surfaces.service.rows import APPROVE, approved, is_ours, row_of
from responders.surfaces.service.write_back import WriteBack

_MOST_SEEN = 200_000


class Seen:
    """Alerts that this process dealt with, the newest so many. The journal knows them all; this spares asking it."""

    def __init__(self, most: int = _MOST_SEEN) -> None:
        self._most = most
        self._names: OrderedDict[Tuple[str, ...], None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, name: Tuple[str, ...]) -> bool:
        with self._lock:
            return name in self._names

    def add(self, name: Tuple[str, ...]) -> None:
        with self._lock:
            self._names[name] = None
            while len(self._names) > self._most:
                self._names.popitem(last=False)


class Taking:
    """Shared by webhook and poller. Results: stored, seen, foreign, waits, unreadable."""

    def __init__(
        self,
        config: Config,
        responder: Callable[[], Responder],
        index: AlertIndex,
        inbox: Inbox,
        write_back: WriteBack,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._config, self._responder, self._index = config, responder, index
        self._inbox, self._write_back, self._log, self._metrics = inbox, write_back, log, metrics
        self._seen = Seen()

    def is_new(self, space: str, name: str, tagged: bool = False) -> bool:
        """False when this process has dealt with it before."""
        return _seen_as(space, name, tagged) not in self._seen

    def take(self, alert: Stored, by: str) -> str:
        """Store one alert and have it contained. Raises JournalError when it is not stored."""
        tagged = APPROVE in alert.tags
        if not self.is_new(alert.space, alert.id, tagged):
            return self._said(by, "seen")
        catalogue = self._responder().catalogue
        if not is_ours(alert, catalogue):
            self._log.warn("an alert whose rule is none of ours is left alone", space=alert.space, id=alert.id)
            result = "foreign"
        elif not tagged and self._config.waits(alert.text("tq_detection")):
            self._log.info("an alert waits for its tag", space=alert.space, id=alert.id, tag=APPROVE)
            result = "waits"
        else:
            self._store(alert, tagged)
            result = "stored"
        self._seen.add(_seen_as(alert.space, alert.id, tagged))
        return self._said(by, result)

    def take_unreadable(self, space: str, name: str, why: str, by: str) -> str:
        """An alert that can't be read: told to people, so that somebody looks at it."""
        row = {"unreadable": f"alert {name} of space {space}", "why": why, "place": f"{space}/{name}"}
        self._inbox.put(row, lambda chain, new: None)
        self._seen.add(_seen_as(space, name, False))
        self._seen.add(_seen_as(space, name, True))
        return self._said(by, "unreadable")

    def _store(self, alert: Stored, tagged: bool) -> None:
        row: Mapping[str, Any] = row_of(alert, self._index)
        if tagged and self._handled_without(row):
            row = approved(row)
        self._inbox.put(row, lambda chain, new: self._write_back.add(chain, alert.space, alert.id, with_note=new))

    def _handled_without(self, row: Mapping[str, Any]) -> bool:
        """True when the finding was dealt with, and nobody was contained for it."""
        return handled(self._responder().journal, chain_of(kept(row))) == ""

    def _said(self, by: str, result: str) -> str:
        self._metrics.alerts.labels(by, result).inc()
        return result


def _seen_as(space: str, name: str, tagged: bool) -> Tuple[str, ...]:
    """A tag that comes later makes an alert one to look at again."""
    return (space, name, "tagged") if tagged else (space, name)
