"""Is somebody else using the responder's own credentials? The vendors' logs of them are held against the journal.

The logs are asked for at the vendor itself: what anybody sends to the SIEM can't halt automation, nor hide anything here.
"""

from __future__ import annotations

import hashlib
import importlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import Callable, Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from responders.codec import from_json, to_json
from responders.containment.compose import Note, without_containment
from responders.containment.notify import escalate
from responders.containment.own_work import work_at
from responders.containment.record import all_containments
from responders.containment.responder import Responder
from responders.errors import Permanent
from responders.escalation.report import Report
from responders.journal.chain import Journal
from responders.model import Account, Alert, OwnChange, Tier
from responders.parallel import run_all
from responders.vendors.budget import calling_for
from responders.vendors.client import VendorClient

CHAIN = "own"
DETECTION = "tourniquet/own_credential"
WATCHED = ("okta", "entra")
"""Vendors whose API shows who changed what. CyberArk's and Vault's do not: docs/settings.md has searches for the SIEM."""
EVERY = timedelta(minutes=3)
BLIND = timedelta(hours=1)
"""So long may a log stay unread before people are told."""
_SECONDS = 5.0
_RECENT, _OLDEST = timedelta(hours=2), timedelta(days=7)
_SHOWN = 20


@dataclass(frozen=True)
class _Place:
    """One credential at one vendor; its log was read up to `since`. Nothing before `begin` is in this journal."""

    name: str
    client: VendorClient
    reader: ModuleType
    since: datetime
    begin: datetime

    def read(self) -> Tuple[OwnChange, ...]:
        """What its log holds since, and what may have come late."""
        start = max(self.begin, self.since - self.reader.LAG)
        found: Tuple[OwnChange, ...] = self.reader.own_changes(self.client, start)
        return found


def watch(responder: Responder) -> Tuple[str, ...]:
    """Read what is due to be read, side by side. A line for each foreign change, and for each log that can't be read.

    A foreign change halts automation and is escalated as an alert at 99. Restores and clicks go on.
    """
    now, lines = responder.now(), []
    places = {place.name: place for place in _due_places(responder, now)}
    tasks: Dict[str, Callable[[], Tuple[OwnChange, ...]]] = {name: place.read for name, place in places.items()}
    with calling_for(Tier.RESTRICT):  # an alert's calls go first
        answers = run_all(tasks, time.monotonic() + _SECONDS)
    for name, found in answers.items():
        place = places[name]
        if isinstance(found, Exception):
            lines.append(f"own credential at {name}: its log could not be read: {found}")
            _unread(responder, place, found, now)
            continue
        foreign = _foreign(responder, place, found)
        if foreign:
            lines.append(_alarm(responder, place, foreign))
        _remember(responder.journal, name, now)
    return tuple(lines)


def _due_places(responder: Responder, now: datetime) -> Iterator[_Place]:
    for client in responder.clients.all():
        if client.vendor not in WATCHED:
            continue
        reader = importlib.import_module(f"responders.actions.{client.vendor}._own_changes")
        name = f"{client.vendor}:{client.tenant}"
        second = responder.clients.get(client.vendor, client.tenant, privileged=True)
        credentials = {name: client}
        if second is not None and second is not client:
            credentials[f"{name} (privileged)"] = second
        for place, credential in credentials.items():
            read, begin = _read_until(responder.journal, place, now), _begin(responder.journal, place, now)
            if read is None or now - read >= EVERY:
                yield _Place(place, credential, reader, read or begin, begin)


def _foreign(responder: Responder, place: _Place, found: Sequence[OwnChange]) -> Tuple[OwnChange, ...]:
    """Changes that no lane of ours explains, and that people were not told of before."""
    if not found:
        return ()
    known = _told(responder.journal)
    new = [change for change in found if change.id not in known]
    work = work_at(responder, place.client.vendor, min((change.at for change in new), default=responder.now()))
    return tuple(change for change in new if not any(lane.explains(change) for lane in work))


def _alarm(responder: Responder, place: _Place, changes: Sequence[OwnChange]) -> str:
    """Halt first: it is what must not be lost. Whoever crashes before the escalation finds the change again."""
    names = ", ".join(sorted({change.what for change in changes}))
    why = f"a change by the responder's own credential at {place.name} has no journal step: {names}"
    if not responder.halted():
        responder.halt(DETECTION, why)
    alert = _alert(place, changes)
    responder.journal.append(CHAIN, "alert", {"alert": to_json(alert)})
    items = [f"{c.what} on {', '.join(c.touched) or 'nothing named'} at {c.at.isoformat()} (event {c.id})" for c in changes]
    more = [f"and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    remedy = (
        f"somebody else may hold the credential of {place.name}: replace it, undo the change, then `tourniquet resume`. "
        "Clicks, approvals and restores go on meanwhile"
    )
    note = Note(f"automation is halted: {why}", True, (*items[:_SHOWN], *more, remedy))
    escalate(responder, without_containment(responder.journal, CHAIN, alert, None, note), CHAIN)
    return why


def _alert(place: _Place, changes: Sequence[OwnChange]) -> Alert:
    ids = frozenset(change.id for change in changes)
    name = hashlib.sha256("\0".join(sorted(ids)).encode()).hexdigest()[:24]
    client = place.client
    accounts = tuple(Account(client.vendor, client.tenant, "responder", own) for own in sorted(client.own_ids()))
    times = [change.at for change in changes]
    return Alert(
        f"own-{name}", DETECTION, "responder", 99, ("the responder's own credential, used by somebody else",), accounts,
        ids, max(times), min(times), f"{DETECTION}|{place.name}|{name}",
    )  # fmt: skip


def _unread(responder: Responder, place: _Place, error: Exception, now: datetime) -> None:
    """Tell people once when a log stays unread for long, or can't be read at all."""
    if now - place.since < BLIND and not isinstance(error, Permanent):
        return
    told = {"place": place.name, "since": place.since.isoformat()}
    if any(entry.kind == "not watched" and entry.body == told for entry in responder.journal.entries(CHAIN)):
        return
    needs = ", ".join(place.reader.PERMISSIONS)
    items = (f"{error}", f"it needs {needs}; what happens meanwhile is found as soon as the log can be read again")
    title = f"the responder's own credential at {place.name} is not watched since {place.since:%Y-%m-%d %H:%M:%SZ}"
    escalate(responder, without_containment(responder.journal, CHAIN, None, None, Note(title, True, items)), CHAIN)
    responder.journal.append(CHAIN, "not watched", told)


def _told(journal: Journal) -> FrozenSet[str]:
    """Ids of the changes that people were told of."""
    reports = (from_json(Report, e.body["report"]) for e in journal.entries(CHAIN) if e.kind == "escalated")
    return frozenset(event for report in reports if report.alert is not None for event in report.alert.events)


# -- how far each log was read: one small document a reading, found by its time --------------------------


def _prefix(place: str) -> str:
    return f"own/{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def _remember(journal: Journal, place: str, until: datetime) -> None:
    journal.put(f"{_prefix(place)}/{until:%Y%m%dT%H%M%S.%f}", {"place": place, "until": until.isoformat()})


def _read_until(journal: Journal, place: str, now: datetime) -> Optional[datetime]:
    """The last reading that is not in the future (another responder's clock may be wrong), None when there is none."""
    prefix = f"{_prefix(place)}/"
    for back in (_RECENT, _OLDEST):
        found: List[datetime] = [
            datetime.fromisoformat(str(doc["until"]))
            for _, doc in journal.side(prefix, f"{prefix}{now - back:%Y%m%dT%H%M%S}")
        ]
        past = [until for until in found if until <= now]
        if past:
            return max(past)
    return None


def _begin(journal: Journal, place: str, now: datetime) -> datetime:
    """Where the first reading starts: at the first containment of this journal, else at the first watch."""
    key = f"{_prefix(place)}.begin"
    for _, doc in journal.side(key):
        return max(datetime.fromisoformat(str(doc["at"])), now - _OLDEST)
    # A containment that was interrupted between its open marker and its plan has no entry yet.
    opened = (entry.at for name, _ in all_containments(journal) for entry in journal.entries(name))
    start = next(opened, now)
    journal.put(key, {"place": place, "at": start.isoformat()})
    return max(start, now - _OLDEST)
