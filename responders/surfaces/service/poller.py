"""Looks for alerts that no webhook told of: a lost webhook loses nothing, and without the licence for it there is none.

Each look lists what was raised since the last one, and `overlap` seconds before, for an alert becomes visible after its own
time. A wide look every quarter of an hour goes back `look_back` seconds, for what came later still. How far was read is
kept in the journal; before the first look ever nothing is taken, or the installation would act on what is long over.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Callable, Dict, List, Optional

from responders.containment.responder import Responder
from responders.errors import TourniquetError
from responders.surfaces.service.alarm import alarm
from responders.surfaces.service.config import Config
from responders.surfaces.service.index import AlertIndex, Stored, TooLarge
from responders.surfaces.service.log import Log
from responders.surfaces.service.looping import Looping
from responders.surfaces.service.metrics import Metrics
from responders.surfaces.service.rows import APPROVE
from responders.surfaces.service.taking import Taking

_WIDE = 900.0
_TELL = 180.0
"""Seconds of looks that fail, until people are told."""
_REMEMBER = timedelta(minutes=5)
_BATCH = 50
_ENOUGH = 500
"""Alerts taken in one look: of a flood, the next look takes more, and sees first what is stronger and came meanwhile."""


class Poller(Looping):
    """One thread a space. An error is logged and counted, and the next look takes up where this one began."""

    def __init__(
        self,
        config: Config,
        responder: Callable[[], Responder],
        index: AlertIndex,
        taking: Taking,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._config, self._responder, self._index = config, responder, index
        self._taking, self._log, self._metrics = taking, log, metrics
        self.spaces = config.spaces
        super().__init__(
            [
                threading.Thread(target=self._run, args=(space,), name=f"poller-{space}", daemon=True)
                for space in config.spaces
            ]
        )
        self.last_good: Dict[str, float] = {}
        """time.monotonic() of the last look of each space that ended well."""

    def _run(self, space: str) -> None:
        cursor: Optional[Cursor] = None
        wide_at = 0.0
        whole = True
        trouble = _Trouble(space, self._log, self._metrics)
        while not self._stopping.is_set():
            try:
                cursor = cursor or Cursor.load(space, self._responder(), self._config, self._log)
                wide = time.monotonic() >= wide_at
                whole = self.look(cursor, wide)
                if wide and whole:
                    wide_at = time.monotonic() + _WIDE
                self.last_good[space] = time.monotonic()
                self._metrics.polled.labels(space).set(time.time())
                trouble.over()
            except TourniquetError as error:
                self._metrics.errors.labels("poller").inc()
                whole = True
                trouble.goes_on(self._responder(), str(error))
            except Exception as error:  # a mistake of ours must not end the looking
                whole = True
                self._metrics.errors.labels("internal").inc()
                trouble.goes_on(self._responder(), f"internal error {type(error).__name__}: {error}")
            if whole:
                self._stopping.wait(self._config.every)

    def look(self, cursor: Cursor, wide: bool) -> bool:
        """Take what is new, strongest first; False when that was not all of it.

        The cursor moves after all of it only. Raises VendorError, JournalError.
        """
        now = self._responder().now()
        back = now - timedelta(seconds=self._config.look_back)  # who tags an alert that is older than us means it
        batch: List[str] = []
        taken = 0
        for name, tagged in self._index.listed(cursor.space, cursor.since(now, wide), APPROVE, back):
            if self._taking.is_new(cursor.space, name, tagged):
                batch.append(name)
            if len(batch) >= _BATCH:
                self._take(cursor.space, batch)
                taken += len(batch)
                batch = []
                if taken >= _ENOUGH or self._stopping.is_set():
                    return False
        self._take(cursor.space, batch)
        cursor.reached(now)
        return True

    def _take(self, space: str, names: List[str]) -> None:
        try:
            for alert in self._index.read(space, names):
                self._take_one(alert)
        except TooLarge as error:
            if len(names) == 1:
                self._taking.take_unreadable(space, names[0], error.message, "poll")
                return
            for name in names:
                if self._taking.is_new(space, name):
                    self._take(space, [name])

    def _take_one(self, alert: Stored) -> None:
        try:
            self._taking.take(alert, "poll")
        except TourniquetError:
            raise
        except Exception as error:  # made so that we stumble over it: whoever did must not blind us to all that follow
            self._metrics.errors.labels("internal").inc()
            self._log.error("internal error over one alert", space=alert.space, id=alert.id, why=type(error).__name__)
            self._taking.take_unreadable(alert.space, alert.id, f"internal error {type(error).__name__}", "poll")


class _Trouble:
    """Looks that fail one after another: logged once, and told to people when it lasts."""

    def __init__(self, space: str, log: Log, metrics: Metrics) -> None:
        self._space, self._log, self._metrics = space, log, metrics
        self._since: Optional[float] = None
        self._told = False

    def goes_on(self, responder: Responder, why: str) -> None:
        if self._since is None:
            self._since = time.monotonic()
            self._log.error("alerts can't be read: nothing is lost, they are read later", space=self._space, why=why)
        if not self._told and time.monotonic() - self._since >= _TELL:
            self._told = True
            title = f"alerts of space {self._space} can't be read: nobody is contained for them"
            alarm(responder, title, (why, "they are taken as soon as they can be read; until then look at them in Kibana"))

    def over(self) -> None:
        if self._since is not None:
            self._log.info("alerts can be read again", space=self._space)
        self._since, self._told = None, False


class Cursor:
    """How far a space was read."""

    def __init__(self, space: str, responder: Responder, config: Config, at: datetime, begin: datetime) -> None:
        self.space, self.at, self.begin = space, at, begin
        self._responder, self._config = responder, config
        self._kept = at

    @staticmethod
    def load(space: str, responder: Responder, config: Config, log: Log) -> Cursor:
        """As the journal has it. The first one ever begins now."""
        journal, now = responder.journal, responder.now()
        prefix = f"poll/{space}/"
        journal.put(prefix + "begin", {"at": now.isoformat()})
        begin = next(datetime.fromisoformat(str(doc["at"])) for _, doc in journal.side(prefix + "begin"))
        oldest = now - timedelta(seconds=config.look_back)
        at = begin
        for _, doc in journal.side(prefix + "2", f"{prefix}{max(begin, oldest - _REMEMBER):%Y%m%dT%H%M%S}"):
            at = datetime.fromisoformat(str(doc["at"]))
        if at < oldest:
            log.error(
                "alerts were not read for longer than poll.look_back: older ones are not taken. Look at them in Kibana",
                space=space, read_until=at.isoformat(), taken_from=oldest.isoformat(),
            )  # fmt: skip
        return Cursor(space, responder, config, max(at, oldest), begin)

    def since(self, now: datetime, wide: bool) -> datetime:
        back = timedelta(seconds=self._config.look_back if wide else self._config.overlap)
        start = now - back if wide else self.at - back
        return max(self.begin - timedelta(seconds=self._config.overlap), min(start, self.at))

    def reached(self, at: datetime) -> None:
        """Everything up to `at` was taken; said in the journal now and then."""
        self.at = at
        if at - self._kept >= _REMEMBER:
            self._responder.journal.put(f"poll/{self.space}/{at:%Y%m%dT%H%M%S}", {"at": at.isoformat()})
            self._kept = at
