"""Tells every journal entry to an index of the SIEM too, beside containment and never in its way.

An entry is told from a thread of its own. So that none is lost, a note "this chain has something to tell, from this entry
on" is stored before the entry, and marked as told afterwards; a process that died, or a SIEM that took nothing, leaves the
note, and `catch_up` tells the rest from the journal itself. One note serves all entries of a chain within some seconds.
"""

from __future__ import annotations

import atexit
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Callable, Dict, Iterator, List, Optional, Protocol, Sequence, Tuple

from responders.errors import JournalError, MirrorError, Tampered
from responders.journal.chain import Entry, Journal, Side
from responders.journal.newest import newest_first

TELL, TOLD, UNTIL = "mirror/tell/", "mirror/told/", "mirror/until/"
_FORM = "%Y%m%dT%H%M%S.%f"
_BATCH = 200
_GATHER = 0.1  # seconds that a batch waits for more
_SAME_NOTE = 20.0  # seconds in which entries of one chain share a note
_GRACE = timedelta(seconds=120)
"""Younger notes are left to the process that wrote them. It must be well over _SAME_NOTE: no entry may come under a note
that somebody has caught up with."""
_STEP = timedelta(minutes=10)
_SKEW = timedelta(hours=1)
"""What is told and older is never looked at again: more than responders' clocks may differ."""
_FAILURES = 3  # chains that are not taken, until it is the index itself
_PAUSE = 30.0  # seconds without a try after a failure


class Mirror(Protocol):
    """An index of the SIEM that takes journal entries. An entry may come twice: its id there is `event_id(entry)`."""

    def tell(self, entries: Sequence[Entry]) -> None:
        """Store these entries, up to 200. Raises MirrorError; some of them may then be stored."""
        ...


def event_id(entry: Entry) -> str:
    """The id of an entry in the SIEM, always the same: `chain/seq`."""
    return f"{entry.chain}/{entry.seq}"


@dataclass
class _Note:
    """Keys of what is stored of it, entries on their way, and whether one of them was lost on it.

    It is `sure` once one of its keys is stored: an entry that comes under it before must bring a key of its own.
    """

    at: float
    keys: List[str] = field(default_factory=list)
    pending: int = 0
    lost: bool = False
    sure: bool = False


@dataclass
class _Telling:
    """One entry on its way, and the note it goes under."""

    note: _Note
    notes: Tuple[Side, ...]
    entry: Optional[Entry] = None

    def stored(self, entry: Entry) -> None:
        self.entry = entry


class Outbox:
    """A journal's listener that tells a mirror: `journal.listener = Outbox(journal, mirror)`. Safe between threads."""

    def __init__(
        self, journal: Journal, mirror: Mirror, *, most: int = 1000, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal, self._mirror, self._most, self._monotonic = journal, mirror, most, monotonic
        self._notes: Dict[str, _Note] = {}
        self._queue: List[Tuple[Entry, _Note]] = []
        self._working = False
        self._changed = threading.Condition()
        self._silent_until = 0.0

    @contextmanager
    def telling(self, chain: str, seq: int) -> Iterator[_Telling]:
        """Store its `notes` and then one entry within, and say so. Raises JournalError: then nothing may be stored."""
        telling = self._noted(chain, seq)
        try:
            yield telling
        finally:
            if telling.entry is not None:
                self._stored(telling.entry, telling.note)
            else:  # nobody knows whether the entry was stored: the note stays
                with self._changed:
                    _lose(telling.note)

    def _noted(self, chain: str, seq: int) -> _Telling:
        with self._changed:
            note = self._usable(chain)
            if note is None:
                for name in [name for name, old in self._notes.items() if not old.pending and self._is_old(old)]:
                    del self._notes[name]
                note = self._notes[chain] = _Note(self._monotonic())
            note.pending += 1
            if note.sure:
                return _Telling(note, ())
            key = self._key()
            note.keys.append(key)
            return _Telling(note, ((key, {"chain": chain, "seq": seq}),))

    def _usable(self, chain: str) -> Optional[_Note]:
        note = self._notes.get(chain)
        return None if note is None or self._is_old(note) else note

    def _is_old(self, note: _Note) -> bool:
        return self._monotonic() >= note.at + _SAME_NOTE

    def _stored(self, entry: Entry, note: _Note) -> None:
        if self._monotonic() > note.at + _GRACE.total_seconds() / 2:  # it took so long that others may have caught up
            self._journal.put(self._key(), {"chain": entry.chain, "seq": entry.seq})
        with self._changed:
            note.sure = True
            if len(self._queue) >= self._most or self._monotonic() < self._silent_until:
                _lose(note)
                return
            self._queue.append((entry, note))
            if not self._working:
                self._working = True
                threading.Thread(target=self._work, name="tourniquet-mirror", daemon=True).start()
                atexit.register(self.flush)

    def flush(self, seconds: float = 2.0) -> bool:
        """Wait until all is told, so long at most. False when something is left: `catch_up` tells it later."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, seconds)

    def _key(self) -> str:
        return f"{TELL}{self._journal.clock().astimezone(timezone.utc):{_FORM}}/{secrets.token_hex(4)}"

    def _work(self) -> None:
        """Tells until there is nothing left, then ends: a process that does nothing has no thread."""
        time.sleep(_GATHER)
        while True:
            with self._changed:
                batch, self._queue = self._queue[:_BATCH], self._queue[_BATCH:]
                if not batch:
                    self._working = False
                    self._changed.notify_all()
                    atexit.unregister(self.flush)
                    return
            try:
                self._mirror.tell([entry for entry, _ in batch])
            except Exception as error:  # of whatever kind: nothing here may stop a containment, and nothing is lost
                with self._changed:
                    self._silent_until = self._monotonic() + _PAUSE
                    lost = [*batch, *self._queue]
                    self._queue = []
                    for _, note in lost:
                        _lose(note)
                if not isinstance(error, MirrorError):
                    threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
                continue
            self._told(batch)

    def _told(self, batch: Sequence[Tuple[Entry, _Note]]) -> None:
        done: List[str] = []
        with self._changed:
            for entry, note in batch:
                note.pending -= 1
                if not note.pending and not note.lost:
                    done.extend(note.keys)
                    note.keys = []
                    if self._notes.get(entry.chain) is note:
                        del self._notes[entry.chain]
        for key in done:
            _mark(self._journal, key)

    def catch_up(self, seconds: float = 5.0) -> Tuple[str, ...]:
        """Tell what was stored and not told, for so long at most; a line of what came of it, none when nothing was due."""
        try:
            return self._catch_up(time.monotonic() + seconds)
        except JournalError as error:
            return (f"mirror: {error}. It is told later",)

    def _catch_up(self, deadline: float) -> Tuple[str, ...]:
        journal, now = self._journal, self._journal.clock().astimezone(timezone.utc)
        since = next((str(doc["until"]) for _, doc in journal.side(UNTIL)), "")
        told = {key[len(TOLD) :] for key, _ in journal.side(TOLD, f"{TOLD}{since}")}
        lines: List[str] = []
        failed: List[str] = []
        entries, oldest = 0, now
        for key, doc in journal.side(TELL, f"{TELL}{since}"):
            if key[len(TELL) :] in told:
                continue
            at = _time(key[len(TELL) :].partition("/")[0])
            if at > now - _GRACE or time.monotonic() > deadline or len(failed) >= _FAILURES:
                oldest = min(oldest, at)
                break
            try:
                entries += self._tell_chain(str(doc["chain"]), int(doc["seq"]))
            except Tampered as error:  # said once; the journal's own verification goes on to say it
                lines.append(f"mirror: {error}")
            except MirrorError as error:  # an entry that is never taken must not keep back those of other chains
                failed.append(str(error))
                oldest = min(oldest, at)
                continue
            _mark(journal, key)
        until = min(oldest, now - _SKEW)
        if not since or until > _time(since) + _STEP:
            journal.put(f"{UNTIL}{newest_first(until)}", {"until": f"{until:{_FORM}}"})
        if entries:
            lines.append(f"mirror: {entries} entries told that had not been")
        if failed:
            lines.append(f"mirror: {failed[0]}. It is told later")
        return tuple(lines)

    def _tell_chain(self, chain: str, seq: int) -> int:
        batch: List[Entry] = []
        count = 0
        for entry in self._journal.entries(chain, seq - 1):
            batch.append(entry)
            count += 1
            if len(batch) >= _BATCH:
                self._mirror.tell(batch)
                batch = []
        if batch:
            self._mirror.tell(batch)
        return count


def _lose(note: _Note) -> None:
    note.lost = True
    note.pending -= 1


def _time(text: str) -> datetime:
    return datetime.strptime(text, _FORM).replace(tzinfo=timezone.utc)


def _mark(journal: Journal, key: str) -> None:
    """A note that can't be marked is told again, which does no harm."""
    try:
        journal.put(TOLD + key[len(TELL) :], {})
    except JournalError:
        return
