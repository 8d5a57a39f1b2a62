"""The way of an alert, as one sentence: read `contain`.

raw alert → journal → inventory → facts → policy → plan → journal → execute → confirm → journal → escalate → recheck
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, FrozenSet, Mapping, Optional, Sequence, Tuple

from responders.alerts.kept import kept
from responders.alerts.row import alert_from_row
from responders.containment.begin import begin
from responders.containment.canary import as_drilled, drill
from responders.containment.canary_lanes import Drilled
from responders.containment.compose import Note, of_containment, preview, without_containment
from responders.containment.due import Due
from responders.containment.early import telling_early
from responders.containment.execute import execute
from responders.containment.gate import judged_places
from responders.containment.intake import Intake, finish, journal_raw, noted, put_off, store
from responders.containment.judge import Judgement, judge
from responders.containment.notify import escalate, tell_siem
from responders.containment.people import as_asked
from responders.containment.recheck import schedule_rechecks
from responders.containment.record import follow, load
from responders.containment.responder import Responder
from responders.containment.resume import resume
from responders.containment.standing import tell_standing
from responders.containment.sweep import sweep
from responders.errors import BadInput
from responders.escalation.report import Report
from responders.inventory.resolve import meant
from responders.model import Alert, Tier
from responders.parallel import Running


def contain(raw: Mapping[str, Any], responder: Responder) -> Report:
    """Take one raw alert (a row of the SIEM's results) all the way, and say what became of it.

    Raises JournalError when it can't even be recorded (the SIEM must keep it and try again), and Refused while
    another responder handles the same alert. Everything else ends in a report, an escalation, and due entries.
    """
    deadline = time.monotonic() + responder.timing.deadline
    raw = kept(raw)
    intake = journal_raw(raw, responder)
    if intake.handled is not None:
        return _handled_before(intake, responder)
    try:
        alert = alert_from_row(raw, responder.catalogue, responder.now())
    except BadInput as error:
        return _unreadable(intake, error, responder)
    if alert.left_out:
        responder.journal.append(intake.chain, "left out", {"fields": [list(pair) for pair in alert.left_out]})
    found = meant(alert, responder.inventory)
    if found.identity is None:
        return _nobody(intake, alert, found.why, responder)
    alert = as_drilled(as_asked(alert, responder), found.identity, responder)
    intake = noted(intake, found.identity.id, alert)
    judgement = judge(alert, found.identity, responder, deadline, dry_run=False, note=intake.note)
    told = Running(partial(tell_siem, alert, found.identity, responder, intake.chain))
    if not judgement.writes:
        told.value()
        return _observed(intake, judgement, responder)
    record = begin(judgement, responder)
    steps, judged = judgement.plan.steps, judged_places(judgement.facts)
    with telling_early(responder, judgement.plan.containment):
        outcomes = execute(
            responder, judgement.plan, steps, record, judgement.states, deadline, judged, judgement.running,
            asked=judgement.alert.source == "click",
        )  # fmt: skip
    schedule_rechecks(responder, record.containment)
    record = follow(responder.journal, record)
    tell_standing(responder, record.containment, record)
    created, unread = sweep(responder, judgement.plan, record.outcomes.values(), deadline)
    note = Note(created=created, open_items=(*_strange(alert), *unread), loud=alert.strange_account)
    report = escalate(responder, of_containment(responder.journal, record, outcomes, note), record.containment)
    told.value()
    finish(intake, responder, record.containment, "contained")
    return report


def keep(raw: Mapping[str, Any], responder: Responder) -> Tuple[str, bool]:
    """Write one raw alert into the journal, due at once, and do no more: `contain`, or who takes up what is due, goes on.

    Its chain there, and whether that is new. Raises JournalError when it can't be recorded.
    """
    return store(kept(raw), responder.journal)


def plan(raw: Mapping[str, Any], responder: Responder) -> Report:
    """What `contain` would do, and why. Writes nothing, neither at a vendor nor in the journal.

    Raises BadInput for a row that is no alert.
    """
    alert = alert_from_row(raw, responder.catalogue, responder.now())
    found = meant(alert, responder.inventory)
    if found.identity is None:
        title = f"nobody would be contained: {found.why}"
        return without_containment(responder.journal, "", alert, None, Note(title, True))
    deadline = time.monotonic() + responder.timing.deadline
    judgement = judge(alert, found.identity, responder, deadline, dry_run=True)
    return preview(responder.journal, judgement.plan, alert, judgement.outdated)


def drill_canary(name: str, tier: Tier, responder: Responder) -> Drilled:
    """Contain the canary identity of that id by the way above, read back that it holds, and restore it.

    Raises Refused for whoever is no canary, while halted, and within an hour of the last drill; JournalError.
    """
    return drill(name, tier, responder, contain)


def take_up(
    responder: Responder, *, leave: FrozenSet[str] = frozenset(), items: Optional[Sequence[Due]] = None
) -> Tuple[str, ...]:
    """Do all that is due: interrupted alerts, open lanes, rechecks, restores, undelivered reports, entries not mirrored.

    `leave` are kinds of due work that the caller sees to, `items` what is pending where the caller has looked already.
    """
    lines = resume(responder, contain, signal_again, leave=leave, items=items)
    listener = responder.journal.listener
    return lines if listener is None else (*lines, *listener.catch_up())


def signal_again(raw: Mapping[str, Any], responder: Responder, chain: str) -> None:
    """Write the signal of an alert whose store was out of reach."""
    alert = alert_from_row(raw, responder.catalogue, responder.now())
    found = meant(alert, responder.inventory)
    if found.identity is not None:
        tell_siem(alert, found.identity, responder, chain)


def _handled_before(intake: Intake, responder: Responder) -> Report:
    """A finding that the SIEM raised again: nothing is done twice."""
    if not intake.handled:
        note = Note("this alert was handled before, and nobody was contained for it")
        return without_containment(responder.journal, intake.chain, None, None, note)
    record = load(responder.journal, intake.handled)
    return of_containment(responder.journal, record, (), Note("this alert was handled before"))


def _unreadable(intake: Intake, error: BadInput, responder: Responder) -> Report:
    responder.journal.append(intake.chain, "rejected", {"why": str(error)})
    note = Note("an alert could not be read: nobody was contained", True, (str(error),))
    report = without_containment(responder.journal, intake.chain, None, None, note)
    escalate(responder, report, intake.chain)
    finish(intake, responder, "", str(error))
    return report


def _nobody(intake: Intake, alert: Alert, why: str, responder: Responder) -> Report:
    responder.journal.append(intake.chain, "ambiguous", {"why": why})
    note = Note("ambiguous: nobody was contained", True, (why, "correct the inventory, then raise the alert again"))
    report = without_containment(responder.journal, intake.chain, alert, None, note)
    escalate(responder, report, intake.chain)
    finish(intake, responder, "", why)
    return report


def _strange(alert: Alert) -> Tuple[str, ...]:
    """An account that could not be read may be another way in: a person must look."""
    return tuple(f"an account that the alert also names: {why}" for name, why in alert.left_out if name == "tq_account")


def _observed(intake: Intake, judgement: Judgement, responder: Responder) -> Report:
    """Nothing is written at any vendor; the identity is on the watch list, and a refusal is said loudly."""
    decision = judgement.decision
    refused = tuple(f"{action}: refused by guard {guard}" for action, guard in decision.refused)
    outdated = (f"not contained again: {judgement.outdated}",) if judgement.outdated else ()
    title = f"{decision.identity.id} is watched for 24 h; nothing was changed at any vendor"
    items = (*refused, *outdated, *_strange(judgement.alert))
    note = Note(title, bool(items), items)
    report = without_containment(responder.journal, intake.chain, judgement.alert, decision, note)
    escalate(responder, report, intake.chain)
    if any(guard == "halt" for _, guard in decision.refused):
        put_off(intake, responder, title)
    else:
        finish(intake, responder, "", title)
    return report
