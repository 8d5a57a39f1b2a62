"""A step of one action on the engine's own route: through a vendor's lane, and back through restore."""

from __future__ import annotations

import time
from typing import Dict, Optional

from responders.containment.lane import Federation, Lane
from responders.containment.record import Record
from responders.containment.responder import Responder
from responders.containment.restore import put_back
from responders.model import Account, Decision, Identity, Outcome, Plan, State, Step, Tier


def plan_of(step: Step) -> Plan:
    """A plan of this one step, for an identity that has no more than its account."""
    who = Identity("someone", "human", None, "normal", "production", False, (step.account,), ())
    return Plan("test-1", 1, Decision(who, Tier.REVOKE, 95, (step.action,), (), "test"), (step,))


def through_the_lane(responder: Responder, step: Step, seconds: float = 3.0) -> Outcome:
    """What the lane makes of the step: read, change, read back; with the guards' questions answered already."""
    account: Account = step.account
    judged = frozenset({f"{account.vendor}:{account.tenant}"})
    deadline = time.monotonic() + seconds
    lane = Lane(responder, plan_of(step), account.vendor, (step,), {}, {}, Federation(()), deadline, judged)
    return lane.run()[0]


def through_restore(responder: Responder, step: Step, before: Optional[State]) -> Outcome:
    """What restore makes of the step, from the pre-state that the journal holds."""
    known: Dict[str, State] = {} if before is None else {step.id: before}
    record = Record("test-1", plan=plan_of(step), before=known, steps={step.id: step})
    return put_back(responder, record)[0]
