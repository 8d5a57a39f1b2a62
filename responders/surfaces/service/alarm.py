"""Tells people that the service itself can't do its work."""

from __future__ import annotations

from typing import Tuple

from responders.containment.compose import Note, without_containment
from responders.containment.notify import escalate
from responders.containment.responder import Responder
from responders.errors import JournalError
from responders.escalation.send import send

CHAIN = "service"
_SECONDS = 2.0


def alarm(responder: Responder, title: str, items: Tuple[str, ...]) -> None:
    """Escalate, and keep it in the journal; where that is out of reach too, the channels are told all the same."""
    report = without_containment(responder.journal, "", None, None, Note(title, True, items))
    try:
        escalate(responder, report, CHAIN)
    except JournalError:
        send(responder.channels, report, _SECONDS)
