"""Is it still contained? Reads every step of an open containment back at its vendor, and changes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Callable, Dict, FrozenSet, Mapping, Tuple

from responders.actions import registry
from responders.containment.facts import client_for
from responders.containment.record import Record
from responders.containment.responder import Responder
from responders.errors import OutcomeUnknown, Unavailable
from responders.model import Outcome, Step
from responders.parallel import Late, run_all

_NO_ANSWER = (Late, Unavailable, OutcomeUnknown)
"""Of a read the last one is of the sign-in before it."""


def everywhere(place: str) -> bool:
    """At which `vendor:tenant` to look."""
    return True


@dataclass(frozen=True)
class Looked:
    """What one containment looks like at its vendors right now.

    Steps that `held` do hold; `fell`, with what was read, held once and do not any more; `unread`, in words, could not be
    read (which is not the same); `open`, in words, never held.
    `asked` are the places (`vendor:tenant`) where it looked, `silent` those of them that answered nothing, `unasked` those
    where it was not wanted to look.
    """

    containment: str
    identity: str
    held: FrozenSet[Step]
    fell: Mapping[Step, str]
    unread: Tuple[str, ...]
    open: Tuple[str, ...]
    asked: FrozenSet[str]
    silent: FrozenSet[str]
    unasked: FrozenSet[str]

    @property
    def fallen(self) -> Tuple[str, ...]:
        """The steps that do not hold any more, in words."""
        return tuple(self.words_of(step, "NO LONGER CONTAINED") for step in self.fell)

    def words_of(self, step: Step, how: str) -> str:
        """One of them, in words that begin with how it is."""
        return f"{self.identity} ({self.containment}): {how}: {_words(step)}: {self.fell[step]}"

    @property
    def unknown(self) -> Tuple[str, ...]:
        """Those that could not be read, in words."""
        return tuple(f"{self.identity} ({self.containment}): can't be read: {what}" for what in self.unread)


def look(responder: Responder, record: Record, wanted: Callable[[str], bool] = everywhere) -> Looked:
    """Confirm every step that held, vendors side by side, within the responder's deadline. Writes nothing anywhere.

    Only at the places that are `wanted`.
    """
    identity = record.plan.decision.identity if record.plan is not None else None
    tasks: Dict[Step, Callable[[], Outcome]] = {}
    missing, waiting = [], []
    unasked = set()
    for step in record.steps.values():
        words = _words(step)
        known = record.outcomes.get(step.id)
        if known is None or not known.status.holds or step.id not in record.before:
            waiting.append(words)
            continue
        if not wanted(step.account.place):
            unasked.add(step.account.place)
            continue
        client = client_for(responder, identity, step.account) if identity is not None else None
        if client is None:
            missing.append(f"{words}: the settings have no connection to it any more")
        else:
            tasks[step] = partial(registry.load(step.action).confirm, client, step, record.before[step.id])
    found = run_all(tasks, time.monotonic() + responder.timing.deadline)
    read = {step: outcome for step, outcome in found.items() if isinstance(outcome, Outcome)}
    unread = tuple(f"{_words(step)}: {error}" for step, error in found.items() if not isinstance(error, Outcome))
    held = frozenset(step for step, outcome in read.items() if outcome.status.holds)
    fell = {step: outcome.proof for step, outcome in read.items() if step not in held}
    name = identity.id if identity is not None else record.containment
    heard = {step.account.place for step, error in found.items() if not isinstance(error, _NO_ANSWER)}
    asked = frozenset(step.account.place for step in found)
    return Looked(
        record.containment, name, held, fell, (*missing, *unread), tuple(waiting), asked, asked - heard, frozenset(unasked)
    )


def _words(step: Step) -> str:
    return f"{step.action} on {step.account.key}"
