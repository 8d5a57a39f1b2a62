"""Due entries: work that must be done later by whoever runs then. They live in the journal, so a crash loses none."""

from __future__ import annotations

import hashlib
import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Iterator, Mapping, Optional

from responders.journal.chain import Journal


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
    """Write a due entry; the same what, about, note and time is the same entry. Returns its key.

    `raw` is the raw alert: it is in the journal from this first write on.
    """
    name = hashlib.sha256(f"{what}\0{about}\0{note}".encode()).hexdigest()[:16]
    key = f"due/{at.strftime('%Y%m%dT%H%M%S.%f')}/{what}-{name}"
    journal.put(key, {"what": what, "about": about, "at": at.isoformat(), "note": note, **({"raw": raw} if raw else {})})
    return key


def finish(journal: Journal, due: Due, how: str) -> None:
    """Mark a due entry as done."""
    journal.put(due.done_key, {"how": how, "at": journal.clock().isoformat()})


def finished(journal: Journal, due: Due) -> bool:
    """True when somebody has done it already."""
    return any(key == due.done_key for key, _ in journal.side(due.done_key))


def pending(journal: Journal, until: Optional[datetime] = None) -> Iterator[Due]:
    """Entries not done, oldest first; with `until` only those due by then."""
    done = {key for key, _ in journal.side("done/")}
    for key, doc in journal.side("due/"):
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


def claim(journal: Journal, name: str, seconds: float) -> Optional[str]:
    """Take a claim on `name` for `seconds`; its key, or None while somebody else's claim is alive.

    A claim ends when it is released, when it expires, or when its process on this machine is gone.
    """
    last, released = 0, True
    for key, doc in journal.side(f"claim/{name}/"):
        number, _, tail = key.rpartition("/")[2].partition(".")
        if tail:
            released = True
        else:
            last, released = int(number), not _alive(journal, doc)
    if not released:
        return None
    key = f"claim/{name}/{last + 1:06d}"
    until = journal.clock() + timedelta(seconds=seconds)
    mine = {"until": until.isoformat(), "host": socket.gethostname(), "process": os.getpid()}
    return key if journal.put(key, mine) else None


def release(journal: Journal, key: str) -> None:
    """Give a claim back."""
    journal.put(f"{key}.released", {})


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
