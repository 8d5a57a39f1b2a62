"""Is every open containment still one? Reads each back at its vendors, and leaves their rate limits to containments."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import List

from responders.containment.recheck import recheck
from responders.containment.record import Record, all_containments, load, load_all
from responders.containment.responder import Responder
from responders.containment.still import Looked, look
from responders.containment.validation import Check
from responders.model import Tier
from responders.vendors.budget import RESERVE, calling_for, rate_left

NAME = "still contained"
_SCARCE = RESERVE + 0.05
"""Part of a rate limit at which the next containment waits until the window is over."""
_PAUSE = 0.25


@dataclass
class _Until:
    """When the whole look must be over, a value of time.monotonic()."""

    end: float

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.end

    def sleep(self) -> None:
        time.sleep(max(0.0, min(_PAUSE, self.end - time.monotonic())))


def still_contained(responder: Responder, seconds: float, *, repair: bool) -> Check:
    """Every containment that nobody ended, within so many seconds. What is not read by then is a problem, and no proof.

    With `repair` it is a recheck: what fell is put back, at most twice, and told.
    """
    until = _Until(time.monotonic() + seconds)
    names = _open(responder)
    problems: List[str] = []
    looked = steps = 0
    for name in names:
        if until.over:
            break
        record = load(responder.journal, name)
        found = _patiently(responder, record, until)
        if repair and found.fell:
            recheck(responder, name, "validation")
            problems += [f"{problem} (put back, or escalated)" for problem in found.problems]
            found = _patiently(responder, load(responder.journal, name), until)
        problems += found.problems
        problems += [f"{found.identity}: not contained yet: {what}" for what in found.open]
        looked += 1
        steps += found.held
    left = len(names) - looked
    if left:
        why = f"{left} of {len(names)} were not read within {seconds / 60:g} min: nobody knows. Give more --minutes"
        problems.insert(0, why)
    return Check(NAME, not problems, tuple(dict.fromkeys(problems)), f"{len(names)} open, {steps} steps hold")


def _open(responder: Responder) -> List[str]:
    names = [name for name, _ in all_containments(responder.journal)]
    return [
        record.containment for record in load_all(responder.journal, names) if record.going_on and record.plan is not None
    ]


def _patiently(responder: Responder, record: Record, until: _Until) -> Looked:
    """Look once a rate limit has room, and once more where it ran out on the way."""
    with calling_for(Tier.OBSERVE):
        while _scarce(responder) and not until.over:
            until.sleep()
        found = look(responder, record)
        while found.unread and _scarce(responder) and not until.over:
            until.sleep()
            if not _scarce(responder):
                found = look(responder, record)
    return found


def _scarce(responder: Responder) -> bool:
    """True while a vendor has told that its limit is nearly used up."""
    left = map(rate_left, responder.clients.all())
    return any(part is not None and part <= _SCARCE for part in left)
