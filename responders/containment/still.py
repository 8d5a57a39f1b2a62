"""Is it still contained? Reads every step of an open containment back at its vendor, and changes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Callable, Dict, Tuple

from responders.actions import registry
from responders.containment.facts import client_for
from responders.containment.record import Record
from responders.containment.responder import Responder
from responders.model import Outcome, Step
from responders.parallel import run_all


@dataclass(frozen=True)
class Looked:
    """What one containment looks like at its vendors right now.

    `fell` steps held once and do not any more; `unread` could not be read (which is not the same); `open` never held.
    """

    containment: str
    identity: str
    held: int
    fell: Tuple[str, ...]
    unread: Tuple[str, ...]
    open: Tuple[str, ...]

    @property
    def problems(self) -> Tuple[str, ...]:
        """What a person must know, in words. Steps that are still open are said by the containment itself."""
        return (
            *(f"{self.identity}: no longer contained: {what}" for what in self.fell),
            *(f"{self.identity}: can't be read: {what}" for what in self.unread),
        )


def look(responder: Responder, record: Record) -> Looked:
    """Confirm every step that held, vendors side by side, within the responder's deadline. Writes nothing anywhere."""
    identity = record.plan.decision.identity if record.plan is not None else None
    tasks: Dict[Step, Callable[[], Outcome]] = {}
    missing, waiting = [], []
    for step in record.steps.values():
        words = f"{step.action} on {step.account.key}"
        known = record.outcomes.get(step.id)
        if known is None or not known.status.holds or step.id not in record.before:
            waiting.append(words)
            continue
        client = client_for(responder, identity, step.account) if identity is not None else None
        if client is None:
            missing.append(f"{words}: no responder is configured for it any more")
        else:
            tasks[step] = partial(registry.load(step.action).confirm, client, step, record.before[step.id])
    found = run_all(tasks, time.monotonic() + responder.timing.deadline)
    fell = tuple(
        f"{step.action} on {step.account.key}: {outcome.proof}"
        for step, outcome in found.items()
        if isinstance(outcome, Outcome) and not outcome.status.holds
    )
    unread = tuple(
        f"{step.action} on {step.account.key}: {error}" for step, error in found.items() if not isinstance(error, Outcome)
    )
    held = len(found) - len(fell) - len(unread)
    name = identity.id if identity is not None else record.containment
    return Looked(record.containment, name, held, fell, (*missing, *unread), tuple(waiting))
