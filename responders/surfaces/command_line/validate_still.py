"""Is every open containment still one? Reads each back at its vendors, and leaves their rate limits to containments.

A vendor that gives no answer must not keep the others from being asked: after two containments in a row it is left for the
end, and tried there once more.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Callable, Dict, FrozenSet, List, Optional, Sequence

from responders.containment.recheck import recheck
from responders.containment.record import Record, load, load_all
from responders.containment.responder import Responder
from responders.containment.still import Looked, look
from responders.containment.validation import Check
from responders.errors import Tampered
from responders.journal.chain import Journal
from responders.model import Tier
from responders.vendors.budget import RESERVE, calling_for, rate_left

NAME = "still contained"
_SCARCE = RESERVE + 0.05
"""Part of a rate limit at which the next containment waits until the window is over."""
_PAUSE = 0.25
_SILENT = 2
"""Containments in a row about which a vendor answered nothing, until it is left alone."""
_UNDONE = "what held and was undone, somebody undid: the vendor's log says who"
_PUT_BACK = "`tourniquet validate --repair` puts back what is no longer contained, twice at most"
_NOT_PUT_BACK = (
    ". What is not put back was put back twice before, or is protected now: `tourniquet status CONTAINMENT` shows it"
)
_UNKNOWN = "what can't be read may hold or not: `tourniquet readiness` says what is wrong with a vendor; then validate again"
_WAITING = (
    "what is not contained yet is tried again by `tourniquet due`; `tourniquet status CONTAINMENT` says how to do it by hand"
)


@dataclass
class _Until:
    """When the whole look must be over, a value of time.monotonic()."""

    end: float

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.end

    def sleep(self) -> None:
        time.sleep(max(0.0, min(_PAUSE, self.end - time.monotonic())))


@dataclass
class _Found:
    """What was seen so far, in words. `silent` counts by place (`vendor:tenant`) the containments in a row about which it
    answered nothing; `later` are the places that were not asked about a containment."""

    fell: List[str] = field(default_factory=list)
    put_back: List[str] = field(default_factory=list)
    unknown: List[str] = field(default_factory=list)
    waiting: List[str] = field(default_factory=list)
    steps: int = 0
    silent: Counter[str] = field(default_factory=Counter)
    later: Dict[str, FrozenSet[str]] = field(default_factory=dict)

    def take(self, looked: Looked, places: Optional[FrozenSet[str]]) -> None:
        self.steps += len(looked.held)
        self.fell += looked.fallen
        self.unknown += looked.unknown
        self.waiting += (f"{looked.identity} ({looked.containment}): not contained yet: {what}" for what in looked.open)
        for place in looked.asked:
            self.silent[place] = self.silent[place] + 1 if place in looked.silent else 0
        unasked = looked.unasked if places is None else looked.unasked & places
        if unasked:
            self.later[looked.containment] = unasked


def still_contained(responder: Responder, seconds: float, *, repair: bool) -> Check:
    """Every containment that nobody ended, within so many seconds. What is not read by then is a problem, and no proof.

    With `repair` it is a recheck: what fell is put back, at most twice, and told.
    """
    until, found = _Until(time.monotonic() + seconds), _Found()
    names = _open(responder.journal, found)
    look_at = partial(_look_at, responder, found, until, repair)
    read = sum(look_at(name, None) for name in names)
    again, found.later, found.silent = found.later, {}, Counter()
    for name, places in again.items():
        if not look_at(name, places):
            found.later[name] = places
    return _as_check(found, len(names) - read, len(names), seconds, repair=repair)


def _look_at(
    responder: Responder, found: _Found, until: _Until, repair: bool, name: str, places: Optional[FrozenSet[str]]
) -> bool:
    """Look at one containment, only at these places where they are given; False when the time is over."""
    if until.over:
        return False

    def wanted(place: str) -> bool:
        return (places is None or place in places) and found.silent[place] < _SILENT

    looked = _patiently(responder, load(responder.journal, name), wanted, until)
    if repair and looked.fell:
        recheck(responder, name, "validation")
        before, looked = looked, _patiently(responder, load(responder.journal, name), wanted, until)
        back = before.fell.keys() & looked.held
        found.put_back += (before.words_of(step, "was undone, and is put back") for step in before.fell if step in back)
        found.fell += (before.words_of(step, "NO LONGER CONTAINED") for step in before.fell if step not in back)
    found.take(looked, places)
    return True


def _as_check(found: _Found, left: int, total: int, seconds: float, *, repair: bool) -> Check:
    """What nobody knows of in few lines, then one a step, the worst first."""
    lines = (
        [f"{left} of {total} were not read within {seconds / 60:g} min: nobody knows. Give more --minutes"] if left else []
    )
    places = Counter(place for names in found.later.values() for place in names)
    lines += [
        f"{place} answers nothing: of {count} of {total} containments it was not asked, and nobody knows whether they hold"
        for place, count in sorted(places.items())
    ]
    to_do = [_UNDONE] if found.fell or found.put_back else []
    to_do += [_NOT_PUT_BACK if repair else _PUT_BACK] if found.fell else []
    to_do += [_UNKNOWN] if places or found.unknown else []
    to_do += [_WAITING] if found.waiting else []
    lines += (*found.fell, *found.put_back, *found.unknown, *found.waiting)
    problems = tuple(dict.fromkeys(lines))
    return Check(NAME, not problems, problems, f"{total} open, {found.steps} steps hold", tuple(to_do))


def _open(journal: Journal, found: _Found) -> List[str]:
    """Every containment that nobody ended. One that somebody edited must not keep the others from being looked at."""
    broken: List[str] = []
    names = [str(doc["containment"]) for _, doc in journal.side("open/", broken=broken)]
    found.unknown += (f"{key}: the journal was edited there: nobody knows of which containment it is" for key in broken)
    try:
        return _going_on(journal, names)
    except Tampered:
        going_on: List[str] = []
        for name in names:
            try:
                going_on += _going_on(journal, [name])
            except Tampered as error:
                found.unknown.append(f"{name}: {error}")
        return going_on


def _going_on(journal: Journal, names: Sequence[str]) -> List[str]:
    return [record.containment for record in load_all(journal, names) if record.going_on and record.plan is not None]


def _patiently(responder: Responder, record: Record, wanted: Callable[[str], bool], until: _Until) -> Looked:
    """Look once a rate limit has room, and once more where it ran out on the way."""
    with calling_for(Tier.OBSERVE):
        while _scarce(responder) and not until.over:
            until.sleep()
        found = look(responder, record, wanted)
        while found.unread and _scarce(responder) and not until.over:
            until.sleep()
            if not _scarce(responder):
                found = look(responder, record, wanted)
    return found


def _scarce(responder: Responder) -> bool:
    """True while a vendor has told that its limit is nearly used up."""
    left = map(rate_left, responder.clients.all())
    return any(part is not None and part <= _SCARCE for part in left)
