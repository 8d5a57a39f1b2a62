"""Every vendor's lane at once: a slow or dead vendor delays no other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple

from responders.containment import due
from responders.containment.lane import ENDED, Federation, Lane
from responders.containment.record import Record, write_intent
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
    fresh = _fresh(steps, record, states, running)
    record = replace(record, before={**record.before, **fresh})
    intent = Running(partial(write_intent, responder.journal, plan.containment, fresh)) if fresh else None
    tasks: Dict[str, Callable[[], Tuple[Outcome, ...]]] = {}
    for vendor, its in lanes.items():
        lane = Lane(responder, plan, vendor, its, record, states, federation, deadline, judged, running, asked)
        tasks[vendor] = partial(_claimed, responder, record.containment, vendor, lane, intent)
    outcomes: List[Outcome] = []
    ended = run_all(tasks, deadline + _GRACE)
    if intent is not None:
        intent.value()  # what can't be recorded is not done, and whoever asked must know
    for vendor, found in ended.items():
        if isinstance(found, Exception):
            outcomes.extend(Outcome(s, Status.UNKNOWN, str(found), responder.now()) for s in lanes[vendor])
        else:
            outcomes.extend(found)
    order = {step.id: place for place, step in enumerate(steps)}
    return tuple(sorted(outcomes, key=lambda item: order[item.step.id]))


def _fresh(
    steps: Tuple[Step, ...], record: Record, states: Mapping[str, State], running: Mapping[str, Running[State]]
) -> Dict[str, State]:
    """States that are read by now, and of which the journal has none yet."""
    over = {key: read.result(0.0) for key, read in running.items() if read.over}
    known = {**{key: state for key, state in over.items() if isinstance(state, State)}, **states}
    return {step.id: known[step.id] for step in steps if step.id in known and step.id not in record.before}


def _claimed(
    responder: Responder, containment: str, vendor: str, lane: Lane, intent: Optional[Running[None]]
) -> Tuple[Outcome, ...]:
    """The lane, once it is ours and the states that its first changes are made on are recorded."""
    key = due.claim(responder.journal, f"{containment}/{vendor}", responder.timing.claim)
    if key is None:
        text = f"another responder is at work at {vendor} for this containment"
        lane.federation.landed(vendor)
        return tuple(Outcome(step, Status.UNKNOWN, text, responder.now()) for step in lane.steps)
    try:
        if intent is not None:
            intent.value()
        if not lane.goes_on():
            lane.federation.landed(vendor)
            return tuple(Outcome(step, Status.REFUSED, ENDED, responder.now()) for step in lane.steps)
        return lane.run()
    finally:
        due.release(responder.journal, key)
