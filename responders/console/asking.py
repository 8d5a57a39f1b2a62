"""Preview and contain: about an identity, an account, or an alert of Elastic Security. A click lifts no guard."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from responders import pipeline
from responders.alerts.by_hand import row_by_hand
from responders.alerts.kept import kept
from responders.alerts.row import alert_from_row, with_request
from responders.console.settings import RESTRICT, REVOKE
from responders.console.site import ROOT, Visit
from responders.containment import clicks
from responders.containment.intake import handled
from responders.errors import Refused, VendorError
from responders.inventory.resolve import resolve
from responders.model import Account
from responders.policy.guards import MOST
from responders.surfaces.service.rows import is_ours, row_of

TIERS = ("policy", "restrict", "revoke")
_ACCOUNT = re.compile(r"[a-z][a-z0-9_]{0,39}:[^:\s]{1,200}:\S{1,500}\Z")
_ALERT = re.compile(r"[A-Za-z0-9_-]{1,200}\Z")


@dataclass(frozen=True)
class Wanted:
    """What the form says. `who` is an identity id or `vendor:tenant:id`; or `space` and `alert` name an alert."""

    who: str
    space: str
    alert: str
    tier: str
    reason: str


def form(visit: Visit) -> Response:
    """The empty form, or one for what the address names: a link from an alert's investigation guide."""
    visit.need(RESTRICT, REVOKE)
    query = visit.request.args
    wanted = Wanted(query.get("who", "")[:1000], query.get("space", "")[:100], query.get("alert", "")[:200], "policy", "")
    return _shown(visit, wanted)


def ask(visit: Visit) -> Response:
    """`do` is preview or contain."""
    visit.need(RESTRICT, REVOKE)
    what = visit.field("do")
    wanted = Wanted(
        visit.field("who"), visit.field("space"), visit.field("alert"), visit.field("tier"), visit.field("reason")
    )
    if wanted.tier not in TIERS:
        raise Refused("choose a tier")
    if wanted.tier == "revoke" and not visit.session.may(REVOKE):
        visit.need(REVOKE)
    if what == "preview":
        row = _row(visit, wanted, "preview")
        asked = with_request(row, visit.session.identity, wanted.reason or "preview", _tiers(visit, wanted))
        return _shown(visit, wanted, pipeline.plan(kept(asked), visit.responder))
    if what != "contain":
        raise Refused("there is no such action")
    return _contain(visit, wanted)


def _contain(visit: Visit, wanted: Wanted) -> Response:
    reason = visit.reason()
    about = {"identity": wanted.who, "space": wanted.space, "alert": wanted.alert, "tier": wanted.tier}
    with visit.acting("contain", reason, **about) as click:
        row = _row(visit, wanted, click.chain)
        raw = kept(with_request(row, click.by, reason, _tiers(visit, wanted)))
        alert_from_row(raw, visit.responder.catalogue, visit.responder.now())  # what can't be read is not kept
        chain, _ = pipeline.keep(raw, visit.responder)
        if wanted.alert:
            visit.site.taken(chain, wanted.space, wanted.alert)
        try:
            report = pipeline.contain(raw, visit.responder)
        except Refused as error:  # whoever looks for what is due was quicker
            clicks.ended(visit.responder.journal, click, str(error))
            return _of_another(visit, click, chain, str(error))
        if report.containment:
            clicks.name_on(visit.responder.journal, click, report.containment)
        clicks.ended(visit.responder.journal, click, report.title)
    if report.containment:
        return redirect(f"{ROOT}containment/{report.containment}", 303)
    return visit.show("said.html", title=report.title, text="", report=report)


def _of_another(visit: Visit, click: clicks.Click, chain: str, why: str) -> Response:
    """What another thread or replica made of it, as soon as that is known."""
    until = time.monotonic() + visit.responder.timing.deadline
    while time.monotonic() < until and not visit.site.stopping.wait(0.2):
        done = handled(visit.responder.journal, chain)
        if done:
            clicks.name_on(visit.responder.journal, click, done)
        if done is not None:
            return redirect(f"{ROOT}containment/{done}" if done else ROOT, 303)
    return visit.show("said.html", title="It stays due", text=why, report=None)


def _tiers(visit: Visit, wanted: Wanted) -> List[str]:
    """The tier, and how far the asker may go whatever the confidence says."""
    found = [wanted.tier] if wanted.tier != "policy" else []
    return found if visit.session.may(REVOKE) else [*found, f"{MOST}restrict"]


def _row(visit: Visit, wanted: Wanted, request: str) -> Mapping[str, Any]:
    """The raw alert. Raises Refused for somebody the inventory does not know and an alert that is none of ours."""
    if wanted.alert or wanted.space:
        return _of_alert(visit, wanted)
    responder = visit.responder
    identity = responder.inventory.identity(wanted.who) if wanted.who else None
    if identity is None and _ACCOUNT.match(wanted.who):
        vendor, tenant, name = wanted.who.split(":", 2)
        found = resolve(responder.inventory, (Account(vendor, tenant, "user", name),))
        if found.identity is None:
            raise Refused(found.why)
        identity = found.identity
    if identity is None:
        raise Refused(
            "the inventory has no identity of exactly this id: give the id, or an account as vendor:tenant:id"
            if wanted.who else "say who: an identity's id, an account, or an alert"
        )  # fmt: skip
    if wanted.tier == "policy" and request != "preview":
        raise Refused("without an alert policy has nothing to judge: choose restrict or revoke")
    return row_by_hand(identity, responder.now(), request)


def _of_alert(visit: Visit, wanted: Wanted) -> Mapping[str, Any]:
    if wanted.space not in visit.site.spaces or not _ALERT.match(wanted.alert):
        raise Refused("there is no such alert in the spaces that this service looks after")
    try:
        alert = visit.site.index.one(wanted.space, wanted.alert)
    except VendorError as error:
        raise Refused(f"the alert can't be read now: {error}") from None
    if alert is None:
        raise Refused("there is no such alert in the spaces that this service looks after")
    if not is_ours(alert, visit.responder.catalogue):
        raise Refused("the rule that raised this alert is none of Tourniquet's: contain the identity instead")
    return row_of(alert, visit.site.index)


def _shown(visit: Visit, wanted: Wanted, report: Any = None) -> Response:
    offered: Dict[str, str] = {"policy": "as policy says", "restrict": "restrict"}
    if visit.session.may(REVOKE):
        offered["revoke"] = "revoke"
    return visit.show("contain.html", wanted=wanted, report=report, offered=offered, spaces=visit.site.spaces)
