"""Due entries: work that must be done later by whoever runs then. They live in the journal, so a crash loses none.

Nothing is ever deleted, so days are closed: once all that was due on a day is done, or is due again later, that day and
those before it are read no more. However old a journal is, what is due is found among the entries of the last days.
"""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Iterator, List, Mapping, Optional

from responders.journal.chain import Journal, Side

_LATE = timedelta(days=1)
"""So far back an entry may be due that is written now: another responder's clock may be behind ours."""
_CLOSED = timedelta(days=2)
"""A day is closed so long after its end: longer than _LATE, so that nothing is added to a day that is closed."""
_LATELY = timedelta(days=14)
_VOID = ".void"


@dataclass(frozen=True)
class Due:
    """`what` is alert, resume, recheck, restore or escalate; `about` the chain it is of; `note` the particulars."""

    key: str
    what: str
    about: str
    at: datetime
    note: str
    raw: Optional[Mapping[str, Any]] = None

    @property
    def done_key(self) -> str:
        return "done/" + self.key[len("due/") :]


def add(
    journal: Journal,
    what: str,
    about: str,
    at: datetime,
    note: str = "",
    raw: Optional[Mapping[str, Any]] = None,
) -> str:
    """Write a due entry; the same what, about, note and time is the same entry. Returns its key."""
    key, doc = document(journal, what, about, at, note, raw)
    journal.put(key, doc)
    return key


def document(
    journal: Journal,
    what: str,
    about: str,
    at: datetime,
    note: str = "",
    raw: Optional[Mapping[str, Any]] = None,
) -> Side:
    """A due entry that is not written yet: what an entry of a chain vouches for is written with it.

    `raw` is the raw alert: it is in the journal from this first write on.
    """
    at = max(at, journal.clock() - _LATE)
    name = hashlib.sha256(f"{what}\0{about}\0{note}".encode()).hexdigest()[:16]
    doc = {"what": what, "about": about, "at": at.isoformat(), "note": note, **({"raw": raw} if raw else {})}
    return f"due/{at.strftime('%Y%m%dT%H%M%S.%f')}/{what}-{name}", doc


def finish(journal: Journal, due: Due, how: str) -> None:
    """Mark a due entry as done."""
    journal.put(*done(journal, due, how))


def done(journal: Journal, due: Due, how: str) -> Side:
    """The mark of `finish`, not written yet."""
    return due.done_key, {"how": how, "at": journal.clock().isoformat()}


def finished(journal: Journal, due: Due) -> bool:
    """True when somebody has done it already."""
    return any(key == due.done_key for key, _ in journal.side(due.done_key, broken=[]))


def pending(
    journal: Journal,
    until: Optional[datetime] = None,
    since: Optional[datetime] = None,
    broken: Optional[List[str]] = None,
) -> Iterator[Due]:
    """Entries not done, oldest first; with `until` only those due by then, with `since` only those due from then on.

    What was edited or written without the journal's key is left out, and its keys go to `broken`: one bad document in the
    store must neither stop all that is due nor mark anything as done. containment/tampering.py tells people.
    """
    broken = [] if broken is None else broken
    day = _closed(journal)
    start = f"{since.astimezone(timezone.utc):%Y%m%dT%H%M%S}" if since is not None else ""
    done = {key for key, _ in journal.side("done/", max(_end("done/", day), f"done/{start}"), broken)}
    for key, doc in journal.side("due/", max(_end("due/", day), f"due/{start}"), broken):
        due = Due(
            key,
            str(doc["what"]),
            str(doc["about"]),
            datetime.fromisoformat(str(doc["at"])),
            str(doc["note"]),
            doc.get("raw"),
        )
        if until is not None and due.at > until:
            return
        if due.done_key not in done:
            yield due


def close_days(journal: Journal) -> None:
    """Close the days that are over long enough. What is due from them and not done is due again now, as the same work.

    A day that is closed before it is over was closed by somebody whose clock was wrong: that is void, and hides nothing.
    """
    for key, _ in list(journal.side("days/", _newest(journal))):
        if not key.endswith(_VOID):
            journal.put(key + _VOID, {})
    last = (journal.clock().astimezone(timezone.utc) - _CLOSED).replace(hour=0, minute=0, second=0, microsecond=0)
    day = f"{last - timedelta(days=1):%Y%m%d}"
    if _closed(journal) >= day:
        return
    claimed = claim(journal, "days", 60.0)
    if claimed is None:
        return
    try:
        for item in list(pending(journal, last - timedelta(microseconds=1))):
            add(journal, item.what, item.about, journal.clock(), item.note, item.raw)
            finish(journal, item, "due again later")
        journal.put(f"days/{day}", {})
    finally:
        release(journal, claimed)


def _closed(journal: Journal) -> str:
    """The last day (YYYYMMDD, UTC) that is closed, "" when none is."""
    now = journal.clock().astimezone(timezone.utc)
    newest = _newest(journal)
    for after in (f"days/{now - _LATELY:%Y%m%d}", ""):
        keys = {key for key, _ in journal.side("days/", after)}
        days = sorted(key for key in keys if key <= newest and not key.endswith(_VOID) and key + _VOID not in keys)
        if days:
            return days[-1].rpartition("/")[2]
    return ""


def _newest(journal: Journal) -> str:
    """The key of the last day that can be closed by now."""
    return f"days/{journal.clock().astimezone(timezone.utc) - _CLOSED:%Y%m%d}"


def _end(prefix: str, day: str) -> str:
    """The key after which that day's entries are over."""
    return f"{prefix}{day}U" if day else ""


def claim(journal: Journal, name: str, seconds: float) -> Optional[str]:
    """Take a claim on `name` for `seconds`; its key, or None while somebody else's claim is alive.

    A claim ends when it is released, when it expires, or when its process on this machine is gone.
    """
    key = f"claim/{name}/{1:06d}"
    if journal.put(key, _mine(journal, seconds)):  # nobody ever had it: nothing need be read
        return key
    last, free = 0, True
    for key, doc in journal.side(f"claim/{name}/"):
        number, _, tail = key.rpartition("/")[2].partition(".")
        if tail:
            free = True
        else:
            last, free = int(number), not _alive(journal, doc)
    if not free:
        return None
    key = f"claim/{name}/{last + 1:06d}"
    return key if journal.put(key, _mine(journal, seconds)) else None


def is_first(key: str) -> bool:
    """True for the claim of somebody before whom nobody had one of that name."""
    return key.endswith(f"/{1:06d}")


def release(journal: Journal, key: str) -> None:
    """Give a claim back."""
    journal.put(*released(key))


def released(key: str) -> Side:
    """The mark of `release`, not written yet."""
    return f"{key}.released", {}


def _mine(journal: Journal, seconds: float) -> Mapping[str, Any]:
    until = journal.clock() + timedelta(seconds=seconds)
    return {"until": until.isoformat(), "host": socket.gethostname(), "process": os.getpid()}


def _alive(journal: Journal, doc: Mapping[str, object]) -> bool:
    if datetime.fromisoformat(str(doc["until"])) <= journal.clock():
        return False
    if doc["host"] != socket.gethostname():
        return True
    try:
        os.kill(int(str(doc["process"])), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
