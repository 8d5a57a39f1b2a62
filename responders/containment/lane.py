"""One vendor's lane: read → block new sign-in → cut live access → confirm, again until it holds or time is up."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import Callable, Dict, FrozenSet, Mapping, Optional, Sequence, Set, Tuple

from responders.actions import registry
from responders.actions.action import outcome, told
from responders.containment.facts import client_for
from responders.containment.gate import Gate
from responders.containment.record import Record, followed, write_intent, write_outcomes
from responders.containment.responder import HALT_CHAIN, Responder, halted_by, refuse
from responders.errors import Halted, OutcomeUnknown, Permanent, Refused, Retryable, TourniquetError
from responders.model import Outcome, Phase, Plan, State, Status, Step
from responders.parallel import Late, Running, finish_all, run_all, start_all
from responders.vendors.budget import calling_for
from responders.vendors.client import VendorClient
from responders.vendors.shared import SharedReads

Wave = Callable[[Step], VendorClient]
_MARGIN = 1.0
"""Seconds in which a read or block that came too late is noted as such, by itself."""
_POLL = (0.2, 0.4, 0.8, 1.6)
ENDED = "restored or closed meanwhile: nothing is changed any more"
_RACES = 4
"""Rounds for a step that was applied and does not hold: a login may have slipped in between read and block."""


class Federation:
    """Lets a cut downstream wait, briefly, for the block at the identity provider it federates to."""

    def __init__(self, providers: Sequence[str]) -> None:
        self._landed = {vendor: threading.Event() for vendor in providers}

    def landed(self, vendor: str) -> None:
        """The block phase of this vendor is over."""
        if vendor in self._landed:
            self._landed[vendor].set()

    def wait(self, vendor: str, until: float) -> bool:
        """True once every other provider's block has landed; False when `until` (time.monotonic()) came first."""
        return all(event.wait(max(0.0, until - time.monotonic())) for name, event in self._landed.items() if name != vendor)


class Lane:
    """The steps of one plan at one vendor.

    `record` is the containment with its pre-states, `states` what was read just now, `running` what is being read; `asked`
    when a person asked for it, whom halt does not stop.
    """

    def __init__(
        self,
        responder: Responder,
        plan: Plan,
        vendor: str,
        steps: Tuple[Step, ...],
        record: Record,
        states: Mapping[str, State],
        federation: Federation,
        deadline: float,
        judged: FrozenSet[str] = frozenset(),
        running: Mapping[str, Running[State]] = {},
        asked: bool = False,
    ) -> None:
        self.responder, self.plan, self.vendor, self.steps = responder, plan, vendor, steps
        self._record = record
        self.before: Dict[str, State] = dict(record.before)
        self.states: Dict[str, State] = dict(states)
        self._running: Dict[str, Running[State]] = dict(running)
        self.federation, self.deadline, self.asked = federation, deadline, asked
        self.outcomes: Dict[str, Outcome] = {}
        self._halted, self._looked = "", False
        self._transient: Set[str] = set()
        self._hopeless: Set[str] = set()
        self._rounds: Dict[str, int] = {}
        self.gate = Gate(responder, plan, judged)
        self.downstream = any(step.account.mastered == "federated" for step in steps)

    def goes_on(self) -> bool:
        """False once somebody has ended the containment, or begun to. Reads that, what else came since `record` was read,
        and whether automation is halted: asked before a lane begins, and before its changes."""
        head, fresh = self.responder.journal.head_and_tail(HALT_CHAIN, self._record.containment, self._record.last)
        self._record = followed(self._record, fresh)
        self.before.update(self._record.before)
        self._halted, self._looked = halted_by(head), True
        return self._record.going_on

    def run(self) -> Tuple[Outcome, ...]:
        """Carry the lane out and journal its outcomes. Raises nothing that a vendor causes."""
        try:
            with calling_for(self.plan.decision.tier):
                self._rounds_until_done()
        finally:
            self.gate.close()
            self.federation.landed(self.vendor)
        outcomes = tuple(self.outcomes[step.id] for step in self.steps)
        write_outcomes(self.responder.journal, self.plan.containment, outcomes)
        return outcomes

    def _rounds_until_done(self) -> None:
        due, pause = self.steps, 0.1
        while True:
            self._round(due)
            due = tuple(step for step in due if self._again(step))
            if not due or time.monotonic() + pause > self.deadline:
                return
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
            self.states = {key: value for key, value in self.states.items() if key not in {s.id for s in due}}

    def _round(self, steps: Tuple[Step, ...]) -> None:
        errors: Dict[str, Exception] = {}
        blocks = tuple(step for step in steps if step.phase is Phase.BLOCK)
        others = tuple(step for step in steps if step.phase is not Phase.BLOCK)
        self._begin_reading(steps)
        self._read(blocks)
        blocks = tuple(step for step in blocks if self._may(step))
        # What the cuts must know is read, and recorded, while the vendor blocks.
        looked, self._looked = self._looked, False
        work: Dict[str, Callable[[], None]] = {
            "block": partial(self._apply, blocks, errors, looked),
            "read": partial(self._read, others),
        }
        for problem in run_all(work, self.deadline + _MARGIN).values():
            if problem is not None:
                raise problem
        self.federation.landed(self.vendor)
        others = tuple(step for step in others if self._may(step))
        cuts = tuple(step for step in others if step.phase is Phase.CUT)
        late = self.downstream and not self._upstream_blocked()
        self._apply(cuts, errors)
        if late and self.federation.wait(self.vendor, self.deadline):
            # A session opened between our cut and the provider's block would have outlived the cut.
            self.states = {k: v for k, v in self.states.items() if k not in {step.id for step in cuts}}
            self._read(cuts)
            self._apply(cuts, errors)
        self._confirm((*blocks, *cuts), errors)
        rotate = tuple(step for step in others if step.phase is Phase.ROTATE)
        self._apply(rotate, errors)
        self._confirm(rotate, errors)

    def _may(self, step: Step) -> bool:
        """False for a step that the guards hold back at this vendor, or whose facts can't be read: it stays open."""
        if step.id not in self.states or self.states[step.id].contained:
            return True
        self._looked = self._looked and self.gate.knows(step)
        try:
            why = self.gate.objection(step, self.deadline)
        except TourniquetError as error:
            self.outcomes[step.id] = self._failed(step, error)
            return False
        if why:
            self.outcomes[step.id] = self._failed(step, Refused(why))
        return not why

    def _upstream_blocked(self) -> bool:
        limit = min(self.deadline, time.monotonic() + self.responder.timing.federation_wait)
        return self.federation.wait(self.vendor, limit)

    def _begin_reading(self, steps: Tuple[Step, ...]) -> None:
        missing = [step for step in steps if step.id not in self.states and step.id not in self._running]
        wave = self._wave()
        self._running.update(start_all({step.id: partial(self._check, step, wave) for step in missing}))

    def _read(self, steps: Tuple[Step, ...]) -> None:
        self._begin_reading(steps)
        reads = {step: self._running.pop(step.id) for step in steps if step.id not in self.states}
        self._looked = self._looked and not reads
        for step, state in finish_all(reads, self.deadline).items():
            if isinstance(state, State):
                self.states[step.id] = state
            else:
                self.outcomes[step.id] = self._failed(step, state)
        fresh = {s.id: self.states[s.id] for s in steps if s.id in self.states and s.id not in self.before}
        if fresh:
            write_intent(self.responder.journal, self.plan.containment, fresh)
            self.before.update(fresh)

    def _apply(self, steps: Tuple[Step, ...], errors: Dict[str, Exception], looked: bool = False) -> None:
        """Apply what does not hold yet; an error is kept for `_confirm`, which reads what really happened.

        `looked`: `goes_on` was asked this very moment.
        """
        todo = {
            step: partial(self._apply_one, step)
            for step in steps
            if step.id in self.states and not self.states[step.id].contained and not self.states[step.id].wrong
        }
        try:
            if todo and not looked and not self.goes_on():
                raise Refused(ENDED)
            if not self.asked:
                refuse(self._halted if todo else "")
        except TourniquetError as refused:
            errors.update(dict.fromkeys((step.id for step in todo), refused))
            return
        for step, error in run_all(todo, self.deadline).items():
            if error is not None:
                errors[step.id] = error

    def _apply_one(self, step: Step) -> None:
        action = registry.load(step.action)
        if action.hands_over and not self._blocked(step):
            raise Refused(f"{step.action} could hand the account over: it waits for a confirmed block")
        action.apply(self._client(step), step, self.states[step.id])

    def _blocked(self, step: Step) -> bool:
        blocks = [s for s in self.plan.steps if s.account == step.account and s.phase is Phase.BLOCK and s != step]
        held = [self.outcomes.get(s.id) for s in blocks]
        return any(found is not None and found.status.holds for found in held)

    def _confirm(self, steps: Tuple[Step, ...], errors: Mapping[str, Exception]) -> None:
        wave = self._wave()
        todo = {s: partial(self._confirm_one, s, errors.get(s.id), wave) for s in steps if s.id in self.states}
        for step, found in run_all(todo, self.deadline).items():
            self.outcomes[step.id] = found if isinstance(found, Outcome) else self._failed(step, found)

    def _confirm_one(self, step: Step, error: Optional[Exception], wave: Wave) -> Outcome:
        if isinstance(error, Refused):
            return self._failed(step, error)
        action, client = registry.load(step.action), self._client(step)
        patience = min(self.deadline, time.monotonic() + self.responder.timing.confirm_patience)
        found = action.confirm(wave(step), step, self.before[step.id])
        for pause in _POLL:
            settled = found.status.holds or found.residual_until is not None or error is not None
            if settled or self.states[step.id].wrong or time.monotonic() + pause > patience:
                break
            time.sleep(pause)
            found = action.confirm(client, step, self.before[step.id])
        if found.status is Status.CONFIRMED and self.states[step.id].contained and self.before[step.id].contained:
            return outcome(client, step, Status.ALREADY, found.proof, found.residual_until)
        self._note(step, error)
        if not found.status.holds and error is not None:
            return outcome(client, step, Status.FAILED, f"{told(action, error)}; {found.proof}", found.residual_until)
        return found

    def _again(self, step: Step) -> bool:
        """True while another round may help: what was transient, and what the attacker raced us on, a few times."""
        found = self.outcomes[step.id]
        if found.status.holds or found.status is Status.ACCEPTED or step.id in self._hopeless:
            return False
        self._rounds[step.id] = self._rounds.get(step.id, 0) + 1
        return step.id in self._transient or self._rounds[step.id] < _RACES

    def _failed(self, step: Step, error: object) -> Outcome:
        status = Status.FAILED
        if isinstance(error, Refused) and not isinstance(error, Halted):  # what a halt stopped stays due
            status = Status.REFUSED
        elif isinstance(error, (Late, OutcomeUnknown)):
            status = Status.UNKNOWN
        self._note(step, error)
        return Outcome(step, status, told(registry.load(step.action), error), self.responder.now())

    def _note(self, step: Step, error: object) -> None:
        """Remember whether trying again may help."""
        if isinstance(error, (Late, OutcomeUnknown, Retryable)):
            self._transient.add(step.id)
        else:
            self._transient.discard(step.id)
        if isinstance(error, (Permanent, Refused)) or (step.id in self.states and self.states[step.id].wrong):
            self._hopeless.add(step.id)

    def _check(self, step: Step, wave: Wave) -> State:
        return registry.load(step.action).check(wave(step), step)

    def _wave(self) -> Wave:
        """Clients that ask once what several steps ask: for one wave of reads, since an earlier answer is old."""
        shared: Dict[int, VendorClient] = {}
        lock = threading.Lock()

        def wave(step: Step) -> VendorClient:
            client = self._client(step)
            with lock:
                return shared.setdefault(id(client), SharedReads(client))

        return wave

    def _client(self, step: Step) -> VendorClient:
        client = client_for(self.responder, self.plan.decision.identity, step.account)
        if client is None:
            raise Refused(f"no responder is configured for {step.account.place}")
        return client
