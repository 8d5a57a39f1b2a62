"""What the identity made since the compromise: listed with the containment; removing it needs approval."""

from __future__ import annotations

import importlib
import time
from functools import partial
from typing import Callable, Dict, FrozenSet, Iterable, List, Sequence, Set, Tuple

from responders.containment import due
from responders.containment.compose import Note, of_containment
from responders.containment.facts import client_for
from responders.containment.notify import escalate
from responders.containment.record import load
from responders.containment.responder import Responder
from responders.errors import OutcomeUnknown, Retryable, Unavailable
from responders.model import Account, Created, Outcome, Plan, Status
from responders.parallel import Late, run_all
from responders.vendors.budget import calling_for

DUE = "sweep"
_AT_LEAST = 2.0
_PASSING = (Retryable, OutcomeUnknown, Late)


def sweep(
    responder: Responder, plan: Plan, outcomes: Iterable[Outcome], deadline: float
) -> Tuple[Tuple[Created, ...], Tuple[str, ...]]:
    """Things created at each vendor since the compromise, and in words what could not be read, or is nowhere to be read.

    A vendor that answered no step of the containment is not asked here as well: people wait for the report. It is asked
    later, as one is that does not answer now.
    """
    deadline = max(deadline, time.monotonic() + _AT_LEAST)
    silent = _silent(tuple(outcomes))
    created, failed, unseen = _read(responder, plan, deadline, silent)
    words = [f"sweep of {account.key}: not read: {error}" for account, error in failed]
    words += [
        f"sweep of {a.key}: not read: no step could be done at {a.vendor} in the containment; it is asked again later"
        for a in plan.decision.identity.accounts
        if a.vendor in silent
    ]
    later = {*silent, *(account.vendor for account, error in failed if isinstance(error, _PASSING))}
    _ask_later(responder, plan, later)
    return created, (*dict.fromkeys(words), *unseen)


def sweep_later(responder: Responder, containment: str, vendor: str) -> str:
    """Ask one vendor that could not be asked at first; what it shows is escalated. Raises Unavailable while it is down."""
    record = load(responder.journal, containment)
    if not record.open or record.plan is None:
        return "nothing open"
    plan = record.plan
    others = frozenset(account.vendor for account in plan.decision.identity.accounts) - {vendor}
    created, failed, _ = _read(responder, plan, time.monotonic() + responder.timing.deadline, others)
    if any(isinstance(error, _PASSING) for _, error in failed):
        raise Unavailable(vendor, f"still not read: {failed[0][1]}")
    unread = tuple(f"sweep of {account.key}: not read: {error}" for account, error in failed)
    if created or unread:
        title = f"{plan.decision.identity.id}: {len(created)} things made at {vendor} since the compromise"
        note = Note(title, True, unread, created)
        escalate(responder, of_containment(responder.journal, record, (), note), containment)
    return f"{len(created)} things found at {vendor}"


def _read(
    responder: Responder, plan: Plan, deadline: float, leave_out: FrozenSet[str]
) -> Tuple[Tuple[Created, ...], List[Tuple[Account, Exception]], Tuple[str, ...]]:
    """What was found, what could not be read, and what a vendor's API does not show to anybody."""
    tasks: Dict[Tuple[Account, int], Callable[[], Tuple[Created, ...]]] = {}
    unseen: List[str] = []
    for account in plan.decision.identity.accounts:
        client = client_for(responder, plan.decision.identity, account)
        if client is None or plan.since is None or account in plan.unsupported or account.vendor in leave_out:
            continue
        module = importlib.import_module(f"responders.actions.{account.vendor}._sweep")
        if module.NOT_SHOWN:
            unseen.append(f"sweep of {account.key}: {module.NOT_SHOWN}")
        for number, reader in enumerate(module.READERS):
            tasks[account, number] = partial(reader, client, account, plan.since)
    with calling_for(plan.decision.tier):
        answers = run_all(tasks, deadline)
    found: Dict[Tuple[str, str, str], Created] = {}
    failed: List[Tuple[Account, Exception]] = []
    for (account, _), answer in answers.items():
        if isinstance(answer, Exception):
            failed.append((account, answer))
        else:
            for item in answer:  # two readers may both see one thing
                found.setdefault((item.vendor, item.thing, item.id), item)
    return tuple(found.values()), failed, tuple(unseen)


def _silent(outcomes: Sequence[Outcome]) -> FrozenSet[str]:
    """Vendors none of whose steps is known to hold, to be accepted or refused: they cost the containment its time."""
    spoke = {o.step.account.vendor for o in outcomes if o.status not in (Status.FAILED, Status.UNKNOWN)}
    return frozenset(o.step.account.vendor for o in outcomes) - spoke


def _ask_later(responder: Responder, plan: Plan, vendors: Set[str]) -> None:
    waiting = {(d.about, d.note) for d in due.pending(responder.journal) if d.what == DUE} if vendors else set()
    for vendor in sorted(vendors):
        if (plan.containment, vendor) not in waiting:
            key = due.add(responder.journal, DUE, plan.containment, responder.later(responder.timing.retry_due), vendor)
            responder.journal.append(plan.containment, "sweep put off", {"vendor": vendor, "side": [key]})
