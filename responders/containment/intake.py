"""The raw alert is the first thing written: nothing that follows can lose it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Iterable, Mapping, Optional, Tuple

from responders.codec import from_json, to_json
from responders.containment import due
from responders.containment.responder import Responder
from responders.errors import Halted, Refused
from responders.journal.chain import Entry, Journal, Side
from responders.model import Alert

_SAME = ("tq_finding", "tq_detection", "tq_account", "tq_confidence", "tq_evidence", "tq_request")
"""What makes two rows the same alert: a higher confidence, or more evidence, is another one."""


@dataclass(frozen=True)
class Intake:
    """A journaled alert. `handled` is the containment id ("" for none) of an earlier run that finished with it."""

    chain: str
    due: Optional[due.Due] = None
    claim: str = ""
    handled: Optional[str] = None
    note: str = ""


def chain_of(raw: Mapping[str, Any]) -> str:
    """The chain of a raw alert: the same row, however often the SIEM raises it, is the same chain."""
    same: Any = [raw.get(name) for name in _SAME] if raw.get("tq_finding") else raw
    text = json.dumps(same, sort_keys=True, separators=(",", ":"), default=str)
    return "a-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def store(raw: Mapping[str, Any], journal: Journal) -> Tuple[str, bool]:
    """Write the raw alert, and that it is due; its chain, and whether it is a new one: else nothing is written."""
    chain = chain_of(raw)
    if journal.head(chain) is not None:
        return chain, False
    _write(raw, chain, journal)
    return chain, True


def _write(raw: Mapping[str, Any], chain: str, journal: Journal) -> Entry:
    return journal.append(chain, "alert", {"raw": raw}, [due.document(journal, "alert", chain, journal.clock(), raw=raw)])


def handled(journal: Journal, chain: str) -> Optional[str]:
    """The containment that came of an alert, "" when it was dealt with without one, None while it is not dealt with."""
    done = _handled(journal.entries(chain))
    return None if done is None else done.handled


def journal_raw(raw: Mapping[str, Any], responder: Responder) -> Intake:
    """Write the raw alert, and that it is due. Raises Refused while another responder handles the same alert."""
    journal, chain = responder.journal, chain_of(raw)
    last = journal.known(chain)
    # An alert that we wrote a moment ago need not be read: who took it up since then has the first claim.
    entries = [last] if last is not None and last.seq == 0 else journal.tails({chain: -1})[chain]
    if not entries:
        first = _write(raw, chain, journal)
        entries = list(journal.entries(chain)) if first.seq else [first]  # another one wrote it at the same moment
    done = _handled(entries)
    if done is not None:
        return done
    why = responder.halted() if any(entry.kind == "halted" for entry in entries) else ""
    if why:
        raise Halted(f"{why}. Alert {chain} has been escalated, and waits for `tourniquet resume`")
    claimed = due.claim(journal, f"alert-{chain}", responder.timing.claim)
    if claimed is None:
        raise Refused(f"another responder is handling alert {chain} right now")
    # Who finished between our look and our claim had a claim before us.
    done = None if due.is_first(claimed) else _handled(journal.entries(chain, entries[-1].seq))
    if done is not None:
        due.release(journal, claimed)
        return done
    side = next(str(name) for name in entries[0].body["side"])
    return Intake(chain, due=_due(side, chain, entries[0].at), claim=claimed)


def _handled(entries: Iterable[Entry]) -> Optional[Intake]:
    done = next((entry for entry in entries if entry.kind == "handled"), None)
    return None if done is None else Intake(done.chain, handled=str(done.body.get("containment", "")))


def _due(key: str, chain: str, at: datetime) -> due.Due:
    return due.Due(key, "alert", chain, at, "")


def finish(intake: Intake, responder: Responder, containment: str, why: str) -> None:
    """The alert is dealt with: a repeat of it does nothing more, and resume leaves it alone."""
    journal = responder.journal
    journal.append(
        intake.chain, "handled", {"containment": containment, "why": why, "side": [intake.note] if intake.note else []}
    )
    marks = [due.done(journal, intake.due, why)] if intake.due is not None else []
    journal.put_all([*marks, *([due.released(intake.claim)] if intake.claim else [])])


def put_off(intake: Intake, responder: Responder, why: str) -> None:
    """The alert stays due while automation is halted: whoever runs after `tourniquet resume` takes it up."""
    responder.journal.append(intake.chain, "halted", {"why": why})
    if intake.claim:
        due.release(responder.journal, intake.claim)


def noted(intake: Intake, identity: str, alert: Alert) -> Intake:
    """With the name of the note that `recent_alerts` writes; the end of the alert's chain vouches for it."""
    return replace(intake, note=f"{_notes_on(identity)}{alert.completed_at:%Y%m%dT%H%M%S}/{intake.chain}")


def recent_alerts(journal: Journal, identity: str, now: datetime, alert: Alert, note: str = "") -> Tuple[Alert, ...]:
    """Alerts on an identity within the last 24 h, the one at hand last.

    It is noted first, under the key `note`, so that others are fused with it: of two at once, one sees the other at least.
    """
    prefix = _notes_on(identity)
    start = f"{prefix}{now - timedelta(hours=24):%Y%m%dT%H%M%S}"
    docs: Iterable[Side] = (
        journal.put_and_look(note, {"alert": to_json(alert)}, prefix, start) if note else journal.side(prefix, start)
    )
    found = [from_json(Alert, doc["alert"]) for _, doc in docs]
    return (*(item for item in found if item.id != alert.id), alert)


def _notes_on(identity: str) -> str:
    return f"alert/{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}/"
