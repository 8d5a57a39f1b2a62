"""Tells the SIEM how a containment stands, so that a detection sees who is active after it: each account, since when."""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

from responders.containment import due
from responders.containment.record import Record, load
from responders.containment.responder import Responder
from responders.errors import TourniquetError
from responders.model import Outcome, Standing, Tier

DUE = "standing"


def tell_standing(responder: Responder, containment: str, record: Optional[Record] = None) -> None:
    """Write a line an account. `record` is the containment as it was read a moment ago.

    A store that can't take it keeps nobody from being contained: it stays due.
    """
    try:
        for standing in standings(record or load(responder.journal, containment)):
            responder.signals.standing(standing)
    except TourniquetError as error:
        key = due.add(responder.journal, DUE, containment, responder.later(responder.timing.retry_due))
        responder.journal.append(containment, "standing not told", {"why": str(error), "side": [key]})


def standings(record: Record) -> Tuple[Standing, ...]:
    """How each account stands, from the journal alone.

    Only a revoke counts, and only an account on which every step holds: who is restricted may go on working, and what
    is open is said elsewhere.
    """
    if record.plan is None:
        return ()
    identity = record.plan.decision.identity.id
    accounts = sorted({step.account.key for step in record.steps.values()})
    if record.ended is not None:
        kind, at = record.ended.kind, record.ended.at
        return tuple(Standing(kind, record.containment, identity, account, at) for account in accounts)
    if record.plan.decision.tier is not Tier.REVOKE:
        return ()
    found: Dict[str, List[Optional[Outcome]]] = {}
    for step in record.steps.values():
        found.setdefault(step.account.key, []).append(record.outcomes.get(step.id))
    return tuple(_contained(record.containment, identity, a, sound) for a in accounts if (sound := _all_hold(found[a])))


def _all_hold(outcomes: List[Optional[Outcome]]) -> List[Outcome]:
    """The outcomes when every one holds, else none."""
    sound = [outcome for outcome in outcomes if outcome is not None and outcome.status.holds]
    return sound if len(sound) == len(outcomes) else []


def _contained(containment: str, identity: str, account: str, outcomes: List[Outcome]) -> Standing:
    residual = max((o.residual_until for o in outcomes if o.residual_until is not None), default=None)
    return Standing("contained", containment, identity, account, max(o.at for o in outcomes), residual)
