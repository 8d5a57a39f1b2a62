"""Tells the SIEM and people, after containment: signals, watch list, escalation. A dead channel delays nothing."""

from __future__ import annotations

from datetime import timedelta

from responders.codec import from_json, to_json
from responders.containment import due
from responders.containment.responder import Responder
from responders.errors import JournalError, TourniquetError
from responders.escalation.report import Report
from responders.escalation.send import send
from responders.model import Alert, Identity

WATCH = timedelta(hours=24)
_SECONDS = 2.0
_RETRY = (60.0, 300.0, 1800.0, 7200.0)


def tell_siem(alert: Alert, identity: Identity, responder: Responder, chain: str) -> None:
    """Write the signal, and put the identity on the watch list for 24 h: what monitoring means here.

    A store that can't take it must not keep anybody from being contained: it stays due.
    """
    try:
        responder.signals.signal(alert, identity)
        responder.signals.watch(identity, responder.now() + WATCH, alert.detection)
    except TourniquetError as error:
        key = due.add(responder.journal, "signal", chain, responder.later(_RETRY[0]))
        responder.journal.append(chain, "signal failed", {"why": str(error), "side": [key]})


def escalate(responder: Responder, report: Report, chain: str) -> Report:
    """Journal the report, send it through every channel, and leave what could not be delivered due."""
    entry = responder.journal.append(chain, "escalated", {"report": to_json(report)})
    for name, why in send(responder.channels, report, _SECONDS):
        _try_later(responder, chain, entry.seq, name, 0, why)
    return report


def deliver_again(responder: Responder, item: due.Due) -> None:
    """Retry one channel for one report; later and later, then it is given up, and the journal says so."""
    number, tried, name = item.note.split(" ", 2)
    seq, tries = int(number), int(tried)
    entry = next((e for e in responder.journal.entries(item.about) if e.seq == seq), None)
    if entry is None:
        raise JournalError(f"the report {item.about}:{seq} is not in the journal. Run `tourniquet journal verify`")
    channels = [channel for channel in responder.channels if channel.name == name]
    if not channels:
        _give_up(responder, item.about, seq, name, "the settings name no such channel any more")
    for failed, why in send(channels, from_json(Report, entry.body["report"]), _SECONDS):
        _try_later(responder, item.about, seq, failed, tries + 1, why)


def _try_later(responder: Responder, chain: str, seq: int, name: str, tries: int, why: str) -> None:
    if tries >= len(_RETRY):
        _give_up(responder, chain, seq, name, why)
        return
    # The name comes last: it may hold spaces.
    key = due.add(responder.journal, "escalate", chain, responder.later(_RETRY[tries]), f"{seq} {tries} {name}")
    responder.journal.append(chain, "delivery failed", {"report": seq, "channel": name, "why": why, "side": [key]})


def _give_up(responder: Responder, chain: str, seq: int, name: str, why: str) -> None:
    responder.journal.append(chain, "undelivered", {"report": seq, "channel": name, "why": why})
