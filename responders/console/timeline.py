"""A containment's chain in words, one line an entry: what happened, and who did it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Mapping, Sequence, Sized, Tuple

from responders.journal.chain import Entry
from responders.model import Status

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """`tone` is "", good, warn or bad."""

    at: datetime
    seq: int
    text: str
    tone: str = ""


def lines(entries: Sequence[Entry]) -> Tuple[Line, ...]:
    """Newest last. A kind of entry that has no words here is named as it is."""
    return tuple(Line(entry.at, entry.seq, *_WORDS.get(entry.kind, _plain(entry.kind))(entry.body)) for entry in entries)


def _plain(kind: str) -> Callable[[Body], Tuple[str, str]]:
    return lambda body: (kind, "")


def _steps(found: Sized) -> str:
    return f"{len(found)} step{'' if len(found) == 1 else 's'}"


def _by(body: Body) -> str:
    second = f" and {body['approved_by']}" if body.get("approved_by") else ""
    return f"{body.get('by', '?')}{second}"


def _plan(body: Body) -> Tuple[str, str]:
    decision = body["plan"]["decision"]
    tier = {0: "observe", 1: "restrict", 2: "revoke"}.get(decision["tier"], decision["tier"])
    alert = body["alert"]
    asked = next((name[3:] for name in alert.get("requested", ()) if name.startswith("by=")), "")
    why = f"asked for by {asked}" if asked else f"alert {alert['detection']}"
    return f"Plan: {tier}, {_steps(body['plan']['steps'])}; {why}, confidence {decision['confidence']}", ""


def _outcome(body: Body) -> Tuple[str, str]:
    found = body["outcomes"]
    bad = [item for item in found if not Status(item["status"]).holds]
    told = ", ".join(f"{item['step']['action']} {item['status']}" for item in found[:6])
    more = f", and {len(found) - 6} more" if len(found) > 6 else ""
    return f"{told}{more}", "warn" if bad else "good"


def _waits(body: Body) -> Tuple[str, str]:
    return f"{body['what']} waits for a second person, asked for by {body['by']}: {body['reason']}", "warn"


_WORDS: Mapping[str, Callable[[Body], Tuple[str, str]]] = {
    "plan": _plan,
    "intent": lambda body: (f"State before recorded for {_steps(body['before'])}", ""),
    "outcome": _outcome,
    "rechecks": lambda body: ("Rechecks are due", ""),
    "recheck again": lambda body: ("Rechecks are due again", ""),
    "put back": lambda body: (f"Undone at the {body['at']} recheck, done again: {_steps(body['steps'])}", "warn"),
    "left to a person": lambda body: (f"Left to a person, undone too often: {_steps(body['steps'])}", "bad"),
    "still open": lambda body: (f"Still open, tried again later: {_steps(body['steps'])}", "warn"),
    "escalated": lambda body: (f"Told to people: {body['report']['title']}", "warn" if body["report"]["loud"] else ""),
    "delivery failed": lambda body: (f"Channel {body['channel']} did not take the report: {body['why']}", "warn"),
    "undelivered": lambda body: (f"Given up on channel {body['channel']}: {body['why']}", "bad"),
    "approved": lambda body: (f"Approved by {_by(body)}: {body['reason']}", ""),
    "restoring": lambda body: (f"Restore begun by {_by(body)}: {body['reason']}", ""),
    "undone": lambda body: _undone(body),
    "restored": lambda body: (f"Restored by {_by(body)}: {body['reason']}", "good"),
    "closed": lambda body: (f"Closed by {_by(body)}, nothing undone: {body['reason']}", ""),
    "click": lambda body: (f"{body['by']} ({body['user']}) asked to {body['what']}: {body['reason']}", ""),
    "waits for a second person": _waits,
    "agreed": lambda body: (f"{body['by']} ({body['user']}) agreed to request {body['request']}", ""),
    "standing not told": lambda body: (f"The SIEM was not told how it stands: {body['why']}", "warn"),
    "sweep put off": lambda body: (f"What was created at {body['vendor']} could not be read: looked for later", "warn"),
}  # fmt: skip


def _undone(body: Body) -> Tuple[str, str]:
    found = body["outcomes"]
    bad = sum(item["status"] in ("failed", "unknown") for item in found)
    return f"Undone: {len(found) - bad} of {len(found)} steps put back, or never changed", "warn" if bad else "good"
