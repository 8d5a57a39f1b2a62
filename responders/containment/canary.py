"""The canary drill: contains a designated identity by the ordinary way, reads back that it holds, and puts it back.

It is a way to lock somebody out, so: the command names the identity AND the inventory marks it; it is nobody privileged,
protected, shared, depended upon or able to restore; one drill an hour whoever asks, counted in the journal; halt stops it;
and the journal owes the restore before the first change, so that a drill that dies is put back by whoever runs next.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Callable, List, Mapping, Optional, Sequence, Tuple

from responders.alerts.canary import BY, DETECTION, SOURCE, row_of_drill
from responders.containment import due
from responders.containment.canary_lanes import Drilled, lanes
from responders.containment.compose import Note, without_containment
from responders.containment.intake import chain_of, handled
from responders.containment.notify import escalate
from responders.containment.record import is_drill, latest, load
from responders.containment.responder import Responder
from responders.containment.restore import restore
from responders.containment.still import look
from responders.errors import Refused, TourniquetError
from responders.escalation.report import Report
from responders.model import Alert, Identity, Outcome, Tier

DUE = "canary"
EVERY = timedelta(hours=1)
FRESH = timedelta(minutes=10)
"""An alert of a drill that is older contains nobody any more: the drill died, and its restore is under way."""
_PREFIX = "canary/"
_FORM = "%Y%m%dT%H%M%S.%f"


def unfit(identity: Optional[Identity], responder: Responder) -> str:
    """Why this identity is no canary, "" when it is one."""
    if identity is None:
        return "the inventory does not know it"
    if not identity.canary:
        return "the inventory does not mark it as canary"
    rules = (
        (identity.privileged, "it is privileged"), (identity.protected, "it is protected"),
        (identity.break_glass, "it is a break-glass identity"), (identity.shared, "it is shared"),
        (bool(identity.dependents), "something depends on it"), (identity.unmapped, "no inventory row claims it"),
        (identity.id in responder.inventory.restorers, "it may restore"),
        (identity.doubled, "it has two accounts of one kind at one place, and one of them is somebody else's"),
    )  # fmt: skip
    return next((why for broken, why in rules if broken), "")


def as_drilled(alert: Alert, identity: Identity, responder: Responder) -> Alert:
    """The alert; without the rights of a drill unless the journal holds that drill, of this identity, begun just now."""
    if alert.source != SOURCE:
        return alert
    now = responder.now()
    known = any(
        doc["identity"] == identity.id and doc["finding"] == alert.finding and doc["tier"] in alert.requested
        for _, doc in _since(responder, now - FRESH)
    )
    if known and not unfit(identity, responder):
        return alert
    why = "no drill of this name was begun just now: judged as any alert"
    return replace(alert, source="automatic", requested=(), reasons=(*alert.reasons, why))


def drill(name: str, tier: Tier, responder: Responder, contain: Callable[[Mapping[str, Any], Responder], Report]) -> Drilled:
    """Contain and restore the canary of that id. Raises Refused, JournalError; what broke is in the result, and told."""
    identity = responder.inventory.identity(name)
    why = unfit(identity, responder)
    if why or identity is None:
        raise Refused(f"{name} can't be drilled: {why}. docs/readiness.md says what a canary is")
    responder.refuse_when_halted()
    _refuse_open(responder, name)
    chain, finding, owed = _begin(responder, identity, tier)
    began, problems = responder.now(), []
    row = row_of_drill(identity, began, finding, tier.label)
    containment = ""
    try:
        report = contain(row, responder)
        containment = report.containment
        if not containment:
            problems.append(f"nothing was contained: {report.title}")
    except TourniquetError as error:
        problems.append(f"the drill's alert was not dealt with: {error}")
    if containment:
        looked = look(responder, load(responder.journal, containment))
        problems += (*looked.fallen, *looked.unknown)
    back, since = _put_back(responder, containment, problems)
    each = lanes(identity, responder, containment, began, back, since)
    places = {(account.vendor, account.tenant) for account in identity.accounts}
    untested = tuple(f"{c.vendor}:{c.tenant}" for c in responder.clients.all() if (c.vendor, c.tenant) not in places)
    found = Drilled(name, containment, began, tier.label, each, tuple(problems), untested)
    now = latest(responder.journal, name)
    if handled(responder.journal, chain_of(row)) is not None and not (now is not None and now[1].open):
        due.finish(responder.journal, owed, "restored by the drill itself")
    _tell(responder, chain, found)
    return found


def last(responder: Responder) -> Optional[Tuple[Mapping[str, Any], Optional[Mapping[str, Any]]]]:
    """The latest drill as it was begun, and what came of it: None while it is not over. None when there never was one."""
    begun = next(reversed(list(responder.journal.side(_PREFIX))), None)
    if begun is None:
        return None
    return begun[1], _drilled(responder, _chain_of(begun[1]))


def finish(responder: Responder, item: due.Due) -> str:
    """Put back what a drill left: one that died, or whose restore failed. Raises Refused where a person must decide."""
    journal = responder.journal
    alert = next((str(doc["alert"]) for _, doc in journal.side(_PREFIX + item.note)), "")
    if journal.head(alert) is not None and handled(journal, alert) is None:
        due.add(journal, DUE, item.about, responder.later(responder.timing.retry_due), item.note)
        return "the drill's alert waits still: looked at again later"
    found = latest(responder.journal, item.about)
    _tell_dead(responder, item, found[1].containment if found is not None and found[1].open else "")
    if found is None or not found[1].open:
        return "nothing open"
    record = found[1]
    if not is_drill(record):
        raise Refused(f"{record.containment} is no mere drill any more: a person must restore {item.about}")
    restore(responder, record.containment, by=BY, reason="the drill that began it died")
    return "the canary is restored, or its restore is due"


def _tell_dead(responder: Responder, item: due.Due, containment: str) -> None:
    """A drill that never said what it showed: whoever kills drills must not keep a broken path from being seen."""
    begun = next((doc for _, doc in responder.journal.side(_PREFIX + item.note)), None)
    if begun is None:
        return
    chain = _chain_of(begun)
    if _drilled(responder, chain) is None:
        at, problem = datetime.fromisoformat(str(begun["at"])), "the drill died before it was over: it showed nothing"
        _tell(responder, chain, Drilled(item.about, containment, at, str(begun["tier"]), (), (problem,), ()))


def _chain_of(begun: Mapping[str, Any]) -> str:
    return str(begun["finding"]).rpartition("|")[2]


def _drilled(responder: Responder, chain: str) -> Optional[Mapping[str, Any]]:
    return next((entry.body for entry in responder.journal.entries(chain) if entry.kind == "drilled"), None)


def _begin(responder: Responder, identity: Identity, tier: Tier) -> Tuple[str, str, due.Due]:
    """Take the hour's one drill, and owe the restore. Raises Refused."""
    journal = responder.journal
    claimed = due.claim(journal, "canary", responder.timing.claim)
    if claimed is None:
        raise Refused("another drill is beginning right now")
    try:
        now = responder.now()
        last = max((doc["at"] for _, doc in _since(responder, now - EVERY)), default="")
        if last:
            raise Refused(f"a canary was drilled at {str(last)[:19]}Z: one an hour, whichever it is")
        stamp, chain = f"{now:{_FORM}}", f"d-{secrets.token_hex(8)}"
        finding = f"{DETECTION}|{identity.id}|{chain}"
        alert = chain_of(row_of_drill(identity, now, finding, tier.label))
        later = responder.later(responder.timing.deadline * 2 + responder.timing.retry_due)
        key = due.add(journal, DUE, identity.id, later, stamp)
        place = f"{_PREFIX}{stamp}"
        journal.put(
            place,
            {"identity": identity.id, "finding": finding, "tier": tier.label, "at": now.isoformat(), "alert": alert},
        )
        journal.append(chain, "drill", {"identity": identity.id, "tier": tier.label, "side": [place, key]})
        return chain, finding, due.Due(key, DUE, identity.id, later, stamp)
    finally:
        due.release(journal, claimed)


def _since(responder: Responder, at: datetime) -> Sequence[Tuple[str, Mapping[str, Any]]]:
    return list(responder.journal.side(_PREFIX, f"{_PREFIX}{at:{_FORM}}"))


def _refuse_open(responder: Responder, name: str) -> None:
    found = latest(responder.journal, name)
    if found is not None and found[1].open:
        raise Refused(f"{name} is contained at the moment ({found[1].containment}): it must be restored first")


def _put_back(responder: Responder, containment: str, problems: List[str]) -> Tuple[Tuple[Outcome, ...], datetime]:
    since = responder.now()
    if not containment:
        return (), since
    if not is_drill(load(responder.journal, containment)):
        problems.append("another alert, or a person, joined the drill's containment: left contained, a person must decide")
        return (), since
    try:
        return restore(responder, containment, by=BY, reason="the drill is over"), since
    except TourniquetError as error:
        problems.append(f"not restored: {error}")
        return (), since


def _tell(responder: Responder, chain: str, found: Drilled) -> None:
    """The result in the journal, and to people: loud when a path broke."""
    responder.journal.append(
        chain,
        "drilled",
        {
            "identity": found.identity, "containment": found.containment, "tier": found.tier, "works": found.works,
            "lanes": [vars(lane) for lane in found.lanes], "problems": list(found.problems),
            "untested": list(found.untested),
        },
    )  # fmt: skip
    if found.works:
        return  # the containment's and the restore's own reports have said so
    broken = tuple(f"{lane.vendor}: {lane.problem}" for lane in found.lanes if lane.problem)
    title = f"canary drill: a path is BROKEN ({found.identity})"
    report = without_containment(responder.journal, chain, None, None, Note(title, True, (*found.problems, *broken)))
    escalate(responder, report, chain)
