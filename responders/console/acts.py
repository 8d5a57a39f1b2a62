"""Restore, approve, close, and agreeing to what a colleague asked for. Who may is decided by people.py."""

from __future__ import annotations

from typing import Optional, Tuple

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from responders.console import containments
from responders.console.settings import RESTORER
from responders.console.site import ROOT, Visit
from responders.containment import approve as approving
from responders.containment import clicks
from responders.containment import restore as restoring
from responders.containment.people import entitled
from responders.containment.record import Record
from responders.errors import Refused
from responders.model import Status

ACTS = ("restore", "approve", "close")
_MOST_NAMES = 50


def act(visit: Visit, containment: str, what: str) -> Response:
    """A form of the containment's page."""
    visit.need(RESTORER)
    if what not in ACTS:
        raise Refused("there is no such action")
    record = containments.found(visit, containment)
    reason = visit.reason()
    names = tuple(name[:200] for name in visit.request.form.getlist("action"))[:_MOST_NAMES] if what == "approve" else ()
    if what == "approve" and not names:
        raise Refused("choose at least one action to approve")
    with visit.acting(what, reason, containment=containment, actions=list(names)) as click:
        identity = entitled(record, visit.responder, what, click.by, reason)
        if identity.privileged:
            clicks.wait(visit.responder.journal, click, containment, names)
            became = f"{what} waits for a second person: a colleague opens this page and agrees"
        else:
            became = carry_out(visit, record, what, names, click.by, reason, None)
        clicks.ended(visit.responder.journal, click, became)
    return _back(containment)


def agree(visit: Visit, containment: str) -> Response:
    """The second person's click: what the first one asked for is done, with both names on it."""
    visit.need(RESTORER)
    record = containments.found(visit, containment)
    request, reason = visit.field("request"), visit.reason()
    with visit.acting("agree", reason, containment=containment, agree=request) as click:
        responder = visit.responder
        found = next((w for w in clicks.waiting(record, responder.now()) if w.request == request), None)
        entitled(record, responder, found.what if found else "agree", click.by, reason)
        first = clicks.agree(responder.journal, record, request, click, responder.now())
        became = carry_out(visit, record, first.what, first.names, first.by, first.reason, click.by)
        clicks.ended(responder.journal, click, became)
    return _back(containment)


def carry_out(
    visit: Visit, record: Record, what: str, names: Tuple[str, ...], by: str, reason: str, second: Optional[str]
) -> str:
    """Do it, and say what became of it. Raises Refused."""
    responder, containment = visit.responder, record.containment
    if what == "restore":
        outcomes = restoring.restore(responder, containment, by=by, reason=reason, approved_by=second)
        left = sum(o.status in (Status.FAILED, Status.UNKNOWN) for o in outcomes)
        return f"NOT wholly restored: {left} steps failed and stay due" if left else "restored"
    if what == "approve":
        return approving.approve(responder, containment, names, by=by, reason=reason, approved_by=second).title
    restoring.close(responder, containment, by=by, reason=reason, approved_by=second)
    return "closed"


def _back(containment: str) -> Response:
    return redirect(f"{ROOT}containment/{containment}", 303)
