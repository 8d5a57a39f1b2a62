"""Due work that somebody edited in the store, or put there without the journal's key: left out, and told once."""

from __future__ import annotations

from datetime import datetime
from typing import FrozenSet, List, Optional

from responders.containment import due
from responders.containment.compose import Note, without_containment
from responders.containment.notify import escalate
from responders.containment.responder import Responder

CHAIN = "tampering"
_SHOWN = 10


def pending(responder: Responder, until: datetime, since: Optional[datetime] = None) -> List[due.Due]:
    """What is due, as `due.pending` gives it. People hear of each document that does not fit, once."""
    broken: List[str] = []
    found = list(due.pending(responder.journal, until, since, broken))
    new = sorted(set(broken) - _told(responder)) if broken else []
    if new:
        more = [f"and {len(new) - _SHOWN} more"] if len(new) > _SHOWN else []
        remedy = (
            "the rest of what is due goes on. Whoever can write the journal's store did this: find out who, run "
            "`tourniquet journal verify`, and see in `tourniquet status` what is open"
        )
        note = Note(
            "work that was due was edited, or written without the journal's key", True, (*new[:_SHOWN], *more, remedy)
        )
        escalate(responder, without_containment(responder.journal, CHAIN, None, None, note), CHAIN)
        responder.journal.append(CHAIN, "left out", {"keys": new})
    return found


def _told(responder: Responder) -> FrozenSet[str]:
    entries = responder.journal.entries(CHAIN)
    return frozenset(key for entry in entries if entry.kind == "left out" for key in entry.body["keys"])
