"""Every route of the console, for the service's App."""

from __future__ import annotations

import threading
from typing import Callable, List, Optional, Sequence

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from responders.console import acts, asking, containments
from responders.console.board import Board
from responders.console.coverage import CoveragePage
from responders.console.door import Door
from responders.console.draft import check_draft
from responders.console.live import live
from responders.console.sessions import Sessions
from responders.console.settings import ConsoleSettings
from responders.console.signing import SignIn, sign_out
from responders.console.site import ROOT, Site
from responders.console.state import Pages
from responders.console.static_files import StaticFiles
from responders.console.way import Page, page
from responders.containment.responder import Responder
from responders.settings import ElasticSettings
from responders.surfaces.service.app import Route
from responders.surfaces.service.index import AlertIndex
from responders.surfaces.service.log import Log


def open_site(
    settings: ConsoleSettings,
    elasticsearch: ElasticSettings,
    responder: Callable[[], Responder],
    index: AlertIndex,
    log: Log,
    *,
    stopping: threading.Event,
    taken: Callable[[str, str, str], None],
    spaces: Sequence[str],
    sessions: Optional[Sessions] = None,
) -> Site:
    """What the pages share."""
    return Site(
        settings, responder, index, Door(elasticsearch, settings), sessions or Sessions(settings.idle, settings.lifetime),
        log, stopping, Board(responder), taken, tuple(spaces),
    )  # fmt: skip


def console_routes(site: Site) -> List[Route]:
    """The list."""
    state, found = Pages(), []

    def get(rule: str, handler: Page) -> None:
        found.append(Route(ROOT + rule, page(site, handler)))

    def post(rule: str, handler: Page) -> None:
        found.append(Route(ROOT + rule, page(site, handler), ("POST",)))

    get("", containments.listed)
    get("containment/<containment>", containments.one)
    post("containment/<containment>/agree", acts.agree)
    post("containment/<containment>/<what>", acts.act)
    get("contain", asking.form)
    post("contain", asking.ask)
    get("inventory", CoveragePage())
    get("policy", state.policy)
    post("policy", check_draft)
    get("readiness", state.readiness)
    post("readiness", state.check_readiness)
    get("halt", state.halt)
    post("halt", state.set_halt)
    get("journal", state.journal)
    post("journal", state.verify)
    post("sign-out", sign_out)
    found.append(Route(f"{ROOT}live", page(site, live, lasting=True), lasting=True))
    found.append(Route(f"{ROOT}sign-in", SignIn(site), ("GET", "POST")))
    found.append(Route(f"{ROOT}static/<name>", StaticFiles()))
    found.append(Route("/console", _home))
    found.append(Route("/", _home))
    return found


def _home(request: Request) -> Response:
    return redirect(ROOT, 303)
