"""People hear of a containment that takes long while it is still at work: a dead vendor must not keep them waiting."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Iterator

from responders.containment.compose import Note, of_containment
from responders.containment.notify import escalate
from responders.containment.record import load
from responders.containment.responder import Responder
from responders.errors import TourniquetError
from responders.parallel import Running

_LONGEST_SEND = 3.0


@contextmanager
def telling_early(responder: Responder, containment: str) -> Iterator[None]:
    """Around the execution: is it not over after `timing.tell_after` seconds, then what is proved is told, loudly."""
    over = threading.Event()
    teller = Running(lambda: _tell(responder, containment, over))
    try:
        yield
    finally:
        over.set()
        teller.wait(_LONGEST_SEND)  # so that the last report comes last


def _tell(responder: Responder, containment: str, over: threading.Event) -> None:
    if over.wait(responder.timing.tell_after):
        return
    try:
        record = load(responder.journal, containment)
        if record.plan is None:
            return
        waiting = sorted({s.account.vendor for s in record.steps.values() if s.id not in record.outcomes})
        held = sum(outcome.status.holds for outcome in record.outcomes.values())
        title = (
            f"{record.plan.decision.identity.id}: {held} of {len(record.steps)} steps proved, "
            f"still at work at {', '.join(waiting) or 'the last of them'}"
        )
        escalate(responder, of_containment(responder.journal, record, (), Note(title=title, loud=True)), containment)
    except TourniquetError:
        return  # the last report, which follows, says all of it and its own trouble
