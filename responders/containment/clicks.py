"""What people ask for by a click, in the journal before it is done: who, what, why; then what became of it.

Each click has a chain of its own, `q-…`. One about a containment is named on that containment's chain too. What needs two
people waits there until a colleague agrees from a session of their own: a name that the first one types proves nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Mapping, Optional, Tuple

from responders.containment.record import Record
from responders.errors import Refused
from responders.journal.chain import Journal

CLICK, DONE, REFUSED = "click", "click done", "click refused"
WAITS, AGREED = "waits for a second person", "agreed"
WAIT = timedelta(hours=1)
"""How long a request waits for a second person."""


@dataclass(frozen=True)
class Click:
    """One click. `user` is the name in the SIEM, `by` the identity id."""

    chain: str
    user: str
    by: str
    what: str
    reason: str


@dataclass(frozen=True)
class Waiting:
    """A request that a second person may agree to until `until`. `names` are actions to approve."""

    request: str
    user: str
    by: str
    what: str
    reason: str
    names: Tuple[str, ...]
    until: datetime


def clicked(journal: Journal, user: str, by: str, what: str, reason: str, about: Mapping[str, Any]) -> Click:
    """Write a click, before anything is done. Raises JournalError: then it must not be done. `by` is "" for nobody known."""
    click = Click(f"q-{secrets.token_hex(12)}", user, by, what, reason)
    journal.append(click.chain, CLICK, {**about, "user": user, "by": by, "what": what, "reason": reason})
    return click


def name_on(journal: Journal, click: Click, containment: str) -> None:
    """Name a click on the chain of a containment that there is: who asked, and why."""
    said = {"user": click.user, "by": click.by, "what": click.what, "reason": click.reason, "request": click.chain}
    journal.append(containment, CLICK, said)


def ended(journal: Journal, click: Click, became: str, *, refused: bool = False) -> None:
    """Write what became of a click."""
    journal.append(click.chain, REFUSED if refused else DONE, {"why" if refused else "became": became[:2000]})


def wait(journal: Journal, click: Click, containment: str, names: Tuple[str, ...] = ()) -> None:
    """Let a click wait for a second person, on the containment's chain."""
    body = {
        "request": click.chain, "user": click.user, "by": click.by, "what": click.what, "reason": click.reason,
        "actions": list(names),
    }  # fmt: skip
    journal.append(containment, WAITS, body)


def waiting(record: Record, now: datetime) -> Tuple[Waiting, ...]:
    """Requests on this containment that still wait."""
    used = {str(entry.body.get("request")) for entry in record.entries if entry.kind == AGREED}
    found = [
        Waiting(
            str(e.body["request"]), str(e.body["user"]), str(e.body["by"]), str(e.body["what"]), str(e.body["reason"]),
            tuple(map(str, e.body["actions"])), e.at + WAIT,
        )
        for e in record.entries
        if e.kind == WAITS
    ]  # fmt: skip
    return tuple(item for item in found if item.request not in used and now <= item.until) if record.open else ()


def agree(journal: Journal, record: Record, request: str, click: Click, now: datetime) -> Waiting:
    """The request that this click agrees to; it is used up. Raises Refused: none, one's own, or somebody was quicker."""
    found: Optional[Waiting] = next((item for item in waiting(record, now) if item.request == request), None)
    if found is None:
        raise Refused(
            "no such request waits for a second person: it was agreed to, or waited for more than an hour: ask anew"
        )
    if click.by == found.by or click.user == found.user:
        raise Refused("this request is your own: a second person must agree")
    mine = journal.append(
        record.containment, AGREED, {"request": request, "user": click.user, "by": click.by, "click": click.chain}
    )
    for entry in journal.entries(record.containment, record.entries[-1].seq):
        if entry.kind == AGREED and entry.body.get("request") == request:
            if entry.seq != mine.seq:
                raise Refused("somebody agreed to this request at the same moment")
            return found
    return found
