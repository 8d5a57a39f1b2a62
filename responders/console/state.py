"""Pages about Tourniquet itself: halt, policy in force, readiness at the vendors, the journal's proof."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, List, Mapping, Optional, Set, Tuple

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from responders.console.settings import RESTORER
from responders.console.site import ROOT, Visit
from responders.containment import clicks
from responders.containment.responder import HALT_CHAIN
from responders.errors import Refused
from responders.parallel import run_all
from responders.readiness.check import Readiness, check

_CHECK_SECONDS = 20.0


@dataclass
class Last:
    """What was found when somebody last asked, on this replica."""

    at: Optional[datetime] = None
    found: Any = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, at: datetime, found: Any) -> None:
        with self.lock:
            self.at, self.found = at, found


class Pages:
    """The handlers; they remember the last readiness and the last verification."""

    def __init__(self) -> None:
        self._ready, self._verified = Last(), Last()

    # -- halt ---------------------------------------------------------------------------------------------

    def halt(self, visit: Visit) -> Response:
        """Whether automation is halted, and the last times it was."""
        entries = list(visit.responder.journal.entries(HALT_CHAIN))[-20:][::-1]
        return visit.show("halt.html", entries=entries, may=_may_halt(visit))

    def set_halt(self, visit: Visit) -> Response:
        """A halt is also what an attacker would like: only who may restore."""
        visit.need(RESTORER)
        what, reason = visit.field("do"), visit.reason()
        if what not in ("halt", "resume"):
            raise Refused("there is no such action")
        with visit.acting(what, reason) as click:
            if not _may_halt(visit):
                raise Refused(f"{click.by} may not {what}: only identities with can_restore in the inventory may")
            who = f"{click.by} (Elastic user {click.user})"
            if what == "halt":
                visit.responder.halt(who, reason)
            else:
                visit.responder.lift_halt(who, reason)
            clicks.ended(visit.responder.journal, click, what)
        return redirect(f"{ROOT}halt", 303)

    # -- policy -------------------------------------------------------------------------------------------

    def policy(self, visit: Visit) -> Response:
        """The policy in force."""
        return visit.show(
            "policy.html", policy=visit.responder.policy, draft="", problems=(), changes=(), version="", checked=False
        )  # fmt: skip

    # -- readiness ----------------------------------------------------------------------------------------

    def readiness(self, visit: Visit) -> Response:
        """What was found last; asking the vendors is a click, for it uses their rate limit."""
        return visit.show("readiness.html", at=self._ready.at, found=self._ready.found or [], used=_used(visit))

    def check_readiness(self, visit: Visit) -> Response:
        """Ask every vendor what the responder's credential may do."""
        _costly(visit, "readiness")
        clients: List[Any] = list(visit.responder.clients.all())
        with visit.acting("check readiness", "on demand") as click:
            tasks = {(client.vendor, client.tenant): partial(check, client) for client in clients}
            answers: Mapping[Tuple[str, str], Any] = run_all(tasks, _deadline())
            found = [
                answer if isinstance(answer, Readiness)
                else Readiness(vendor, tenant, False, False, f"no answer: {answer}", {}, (), ())
                for (vendor, tenant), answer in sorted(answers.items(), key=lambda item: item[0])
            ]  # fmt: skip
            self._ready.set(visit.responder.now(), found)
            clicks.ended(visit.responder.journal, click, f"{len(found)} vendors asked")
        return redirect(f"{ROOT}readiness", 303)

    # -- journal ------------------------------------------------------------------------------------------

    def journal(self, visit: Visit) -> Response:
        """Whether the journal is whole, as last verified."""
        return visit.show("journal.html", at=self._verified.at, findings=self._verified.found)

    def verify(self, visit: Visit) -> Response:
        """Check every entry of the journal."""
        _costly(visit, "verify")
        with visit.acting("verify the journal", "on demand") as click:
            findings = visit.responder.journal.verify()
            self._verified.set(visit.responder.now(), findings)
            clicks.ended(visit.responder.journal, click, f"{len(findings)} findings")
        return redirect(f"{ROOT}journal", 303)


def _may_halt(visit: Visit) -> bool:
    return visit.session.may(RESTORER) and visit.session.identity in visit.responder.inventory.restorers


def _costly(visit: Visit, what: str) -> None:
    """Raises Refused more than once in half a minute, whoever asks."""
    wait = visit.site.costly.wait(what)
    if wait:
        raise Refused(f"this was asked a moment ago: try again in {int(wait) + 1} s")
    visit.site.costly.count(what)


def _deadline() -> float:
    return time.monotonic() + _CHECK_SECONDS


def _used(visit: Visit) -> Set[str]:
    actions = visit.responder.policy.actions.values()
    return {name for found in actions for name in (*found.restrict, *found.revoke, *found.approval)}
