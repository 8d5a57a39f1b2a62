"""Every vendor's lane at once: a slow or dead vendor delays no other."""

from __future__ import annotations

from functools import partial
from typing import Callable, Dict, FrozenSet, List, Mapping, Tuple

from responders.containment import due
from responders.containment.lane import Federation, Lane
from responders.containment.record import Record, still_going_on
from responders.containment.responder import Responder
from responders.model import Outcome, Plan, State, Status, Step
from responders.parallel import Running, run_all

_PROVIDERS = ("okta", "entra")
_GRACE = 1.0


def execute(
    responder: Responder,
    plan: Plan,
    steps: Tuple[Step, ...],
    record: Record,
    states: Mapping[str, State],
    deadline: float,
    judged: FrozenSet[str] = frozenset(),
    running: Mapping[str, Running[State]] = {},
    asked: bool = False,
) -> Tuple[Outcome, ...]:
    """Carry out `steps` of a plan; outcomes in the order of the steps.

    `record` is the containment as the journal held it a moment ago; `states` what was read just now, `running` reads not
    over yet (both by step id); `asked` when a person asked for it, whom halt does not stop; `deadline` is a
    time.monotonic() value; `judged` are places whose guards had all their facts already. A lane that another responder
    holds, or that hangs, gives `unknown` and stays due.
    """
    lanes: Dict[str, Tuple[Step, ...]] = {}
    for step in steps:
        lanes[step.account.vendor] = (*lanes.get(step.account.vendor, ()), step)
    downstream = {s.account.vendor for s in steps if s.account.mastered == "federated"}
    federation = Federation([vendor for vendor in lanes if vendor in _PROVIDERS and vendor not in downstream])
    tasks: Dict[str, Callable[[], Tuple[Outcome, ...]]] = {}
    for vendor, its in lanes.items():
        lane = Lane(responder, plan, vendor, its, record.before, states, federation, deadline, judged, running, asked)
        tasks[vendor] = partial(_claimed, responder, record, vendor, lane)
    outcomes: List[Outcome] = []
    for vendor, found in run_all(tasks, deadline + _GRACE).items():
        if isinstance(found, Exception):
            outcomes.extend(Outcome(s, Status.UNKNOWN, str(found), responder.now()) for s in lanes[vendor])
        else:
            outcomes.extend(found)
    order = {step.id: place for place, step in enumerate(steps)}
    return tuple(sorted(outcomes, key=lambda item: order[item.step.id]))


def _claimed(responder: Responder, record: Record, vendor: str, lane: Lane) -> Tuple[Outcome, ...]:
    name = f"{record.containment}/{vendor}"
    key = due.claim(responder.journal, name, responder.timing.claim)
    if key is None:
        text = f"another responder is at work at {vendor} for this containment"
        lane.federation.landed(vendor)
        return tuple(Outcome(step, Status.UNKNOWN, text, responder.now()) for step in lane.steps)
    try:
        if not still_going_on(responder.journal, record):
            text = "restored or closed meanwhile: nothing is changed any more"
            lane.federation.landed(vendor)
            return tuple(Outcome(step, Status.REFUSED, text, responder.now()) for step in lane.steps)
        return lane.run()
    finally:
        due.release(responder.journal, key)
