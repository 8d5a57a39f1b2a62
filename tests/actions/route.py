"""A step of one action on the engine's own route: through a vendor's lane, and back through restore."""

from __future__ import annotations

import time
from typing import Optional

from responders.codec import to_json
from responders.containment.lane import Federation, Lane
from responders.containment.record import Record, write_intent
from responders.containment.responder import Responder
from responders.containment.restore import restore
from responders.model import Account, Alert, Decision, Identity, Outcome, Plan, State, Step, Tier


def name_of(step: Step) -> str:
    """The containment's: one of its own for each step, since tests share a journal."""
    return f"test-{step.id}"


def plan_of(step: Step) -> Plan:
    """A plan of this one step, for an identity that has no more than its account."""
    who = Identity("someone", "human", None, "normal", "production", False, (step.account,), ())
    return Plan(name_of(step), 1, Decision(who, Tier.REVOKE, 95, (step.action,), (), "test"), (step,))


def through_the_lane(responder: Responder, step: Step, seconds: float = 3.0) -> Outcome:
    """What the lane makes of the step: read, change, read back; with the guards' questions answered already."""
    account: Account = step.account
    judged = frozenset({f"{account.vendor}:{account.tenant}"})
    deadline = time.monotonic() + seconds
    record = Record(name_of(step), list(responder.journal.entries(name_of(step))))
    lane = Lane(responder, plan_of(step), account.vendor, (step,), record, {}, Federation(()), deadline, judged)
    return lane.run()[0]


def through_restore(responder: Responder, step: Step, before: Optional[State]) -> Outcome:
    """What restore makes of the step, from the plan and the pre-state that the journal holds."""
    journal, now, name = responder.journal, responder.now(), name_of(step)
    if journal.head(name) is None:
        alert = Alert("a", "test/strong", "idp", 95, (), (step.account,), frozenset(), now, now, "f")
        journal.append(name, "plan", {"plan": to_json(plan_of(step)), "alert": to_json(alert)})
    if before is not None:
        write_intent(journal, name, {step.id: before})
    return restore(responder, name, by="ida", reason="a test")[0]
