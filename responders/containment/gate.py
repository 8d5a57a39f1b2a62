"""The guards' last word at one vendor, right before the first change there.

Facts read while judging let a lane pass at once. A vendor that could not answer then, one that is taken up again after a
crash, and every lane that touches an administrator come through here: administrators are contained one at a time, so that
two responders can't each take the other's last one.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterator, Optional, Tuple

from responders.containment import due
from responders.containment.facts import administrators, break_glass, client_for, own_ids
from responders.containment.responder import Responder
from responders.errors import Refused, Unavailable
from responders.model import Facts, Phase, Plan, Step

_POLL = 0.1


@dataclass(frozen=True)
class Objection:
    """Why steps of these phases may not be applied. The last administrator may lose sessions, never the way in."""

    why: str
    phases: Tuple[Phase, ...]


NONE = Objection("", ())


def judged_places(facts: Facts) -> FrozenSet[str]:
    """Places where the guards had all their facts, and none of our accounts is an administrator."""
    return frozenset(place for place, found in facts.administrators.items() if not found and place in facts.own_read)


class Gate:
    """Holds the serialising claims of one lane until `close`."""

    def __init__(self, responder: Responder, plan: Plan, judged: FrozenSet[str]) -> None:
        self._responder, self._plan = responder, plan
        self._passed: Dict[str, Objection] = dict.fromkeys(judged, NONE)
        self._claims = contextlib.ExitStack()

    def knows(self, step: Step) -> bool:
        """True when nothing need be read to answer for this step."""
        return step.account.place in self._passed

    def objection(self, step: Step, deadline: float) -> str:
        """Why this step may not be applied, "" when it may. Facts are read once for each place.

        Raises a vendor's error when they can't be read, Unavailable while another administrator is being contained.
        """
        place = step.account.place
        if place not in self._passed:
            self._passed[place] = self._judge(place, step, deadline)
        found = self._passed[place]
        return found.why if step.phase in found.phases else ""

    def close(self) -> None:
        """Let the next administrator's containment go on."""
        self._claims.close()

    def _judge(self, place: str, step: Step, deadline: float) -> Objection:
        responder, identity = self._responder, self._plan.decision.identity
        accounts = tuple(account for account in identity.accounts if account.place == place)
        client = client_for(responder, identity, step.account)
        if client is None:
            raise Refused(f"no responder is configured for {place}")
        own = [account.key for account in accounts if account.id in own_ids(responder, client)]
        if own:
            return Objection(f"guard own credentials: the responder signs in as {', '.join(own)}", tuple(Phase))
        exempt = break_glass(responder, place)
        if not administrators(responder, client, accounts, exempt):
            return NONE
        self._claims.enter_context(alone(responder, f"administrators/{place}", deadline))
        usable = administrators(responder, client, accounts, exempt)
        if usable and not usable - {account.id for account in accounts}:
            why = f"guard last administrator: {place} would have no usable administrator left"
            return Objection(why, (Phase.BLOCK, Phase.ROTATE))
        return NONE


@contextlib.contextmanager
def alone(responder: Responder, name: str, deadline: float) -> Iterator[None]:
    """Hold a claim, waiting for it until `deadline` (time.monotonic()). Raises Unavailable."""
    key: Optional[str] = due.claim(responder.journal, name, responder.timing.claim)
    while key is None:
        if time.monotonic() + _POLL > deadline:
            raise Unavailable(name, "another responder is at work there right now; this one stays due")
        time.sleep(_POLL)
        key = due.claim(responder.journal, name, responder.timing.claim)
    try:
        yield
    finally:
        due.release(responder.journal, key)
