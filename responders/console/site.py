"""What all pages share, and the way of a request to its page: host, session, person; for a form, where it came from too."""

from __future__ import annotations

import hmac
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from responders.console import show
from responders.console.board import Board
from responders.console.door import Door, Known, NoAnswer, WrongCredential
from responders.console.headers import HEADERS, address_of, own_origin, refuse_foreign
from responders.console.limits import Gate, Tries
from responders.console.sessions import Session, Sessions
from responders.console.settings import ConsoleSettings
from responders.containment import clicks
from responders.containment.askers import person_of
from responders.containment.responder import Responder
from responders.errors import BadInput, BadInputs, Refused, TourniquetError
from responders.settings import Secret
from responders.surfaces.service.index import AlertIndex
from responders.surfaces.service.log import Log

ROOT = "/console/"
_LOOK = 60.0
"""Seconds after which a person is looked at again: are they still known, and not contained."""
_LONGEST_REASON = 500


@dataclass
class Site:
    """Shared by all requests. `taken` hears of an alert of Elastic Security that somebody acted on: chain, space, id."""

    settings: ConsoleSettings
    responder: Callable[[], Responder]
    index: AlertIndex
    door: Door
    sessions: Sessions
    log: Log
    stopping: threading.Event
    board: Board
    taken: Callable[[str, str, str], None]
    spaces: Sequence[str] = ("default",)

    def __post_init__(self) -> None:
        self.gate = Gate(self.sessions.clock)
        self.posts = Tries(40, 60, clock=self.sessions.clock)
        self.costly = Tries(1, 30, clock=self.sessions.clock)
        self.streams: Dict[bytes, List[threading.Event]] = {}
        self.lock = threading.Lock()

    @property
    def cookie(self) -> str:
        """`__Host-` binds it to this host and to https (RFC 6265bis); plain http is loopback only and can't have it."""
        return "__Host-tourniquet" if self.settings.secure else "tourniquet"

    def person(self, user: str) -> str:
        """The identity of a user of Elasticsearch. Raises Refused."""
        return person_of(self.responder(), "elastic", self.settings.tenant, user)

    def known(self, user: str, secret: Secret, address: str) -> Known:
        """Ask Elasticsearch, unless it was wrong too often. Raises WrongCredential, NoAnswer, Refused."""
        wait = self.gate.wait(user, address)
        if wait:
            raise Refused(f"too many wrong sign-ins: try again in {int(wait) + 1} s")
        self.gate.begin(user, address)
        try:
            found = self.door.ask(user, secret)
        except NoAnswer:
            self.gate.void(user, address)
            raise
        except WrongCredential:
            self.log.warn("console: wrong sign-in", user=user or "API key", address=address)
            raise
        self.gate.right(user, address)
        return found


@dataclass
class Visit:
    """One request of somebody who is signed in."""

    site: Site
    request: Request
    session: Session
    address: str

    @property
    def responder(self) -> Responder:
        return self.site.responder()

    def field(self, name: str) -> str:
        """A form's field: one line, nothing that does not print."""
        value = self.request.form.get(name, "")
        return "".join(c if c.isprintable() else " " for c in value).strip()

    def reason(self) -> str:
        """Raises Refused without one."""
        found = self.field("reason")
        if not found or len(found) > _LONGEST_REASON:
            raise Refused(f"give a reason, of {_LONGEST_REASON} characters at most: it is recorded")
        return found

    def need(self, *roles: str) -> None:
        """Raises Refused without any of these roles."""
        if not self.session.may(*roles):
            names = " or ".join(roles)
            raise Refused(f"{self.session.user} lacks the console role {names}: the administrator of Elasticsearch gives it")

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page."""
        return self._page(template, status, values)

    def _page(self, template: str, status: int, values: Mapping[str, Any]) -> Response:
        try:
            halted = self.responder.halted()
        except TourniquetError as error:
            halted = f"not known: {error}"
        text = show.page(template, session=self.session, halted=halted, here=self.request.path, **values)
        return Response(text, status=status, mimetype="text/html")

    @contextmanager
    def acting(self, what: str, reason: str, **about: Any) -> Iterator[clicks.Click]:
        """The click is in the journal before anything is done, and what became of it afterwards. Raises JournalError."""
        journal = self.responder.journal
        more = {"roles": sorted(self.session.roles), "address": self.address, **about}
        click = clicks.clicked(journal, self.session.user, self.session.identity, what, reason, more)
        self.site.log.info(
            "console: click", user=self.session.user, identity=self.session.identity, what=what, click=click.chain
        )
        try:
            yield click
        except Exception as error:
            why = str(error) if isinstance(error, TourniquetError) else type(error).__name__
            clicks.ended(journal, click, why, refused=True)
            raise
        finally:
            self.site.board.soon()


Page = Callable[..., Response]


def page(site: Site, handler: Page, *, lasting: bool = False) -> Callable[..., Response]:
    """A route's handler around a page that needs somebody signed in. The page takes a Visit and the rule's values."""

    def handle(request: Request, **values: str) -> Response:
        try:
            own_origin(site.settings, request)
            if request.method == "POST":
                refuse_foreign(site.settings, request)
            found = _answer(site, request, handler, values, lasting)
        except HTTPException as error:
            found = Response(show.alone("Refused", error.description or error.name), status=error.code, mimetype="text/html")
        return sealed(site, found)

    return handle


def sealed(site: Site, response: Response) -> Response:
    """With the headers that every page has."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    if site.settings.secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _answer(site: Site, request: Request, handler: Page, values: Mapping[str, str], lasting: bool) -> Response:
    session = site.sessions.find(request.cookies.get(site.cookie, ""), touch=not lasting)
    if session is None:
        return Response("sign in\n", status=401, mimetype="text/plain") if lasting else _stranger(request)
    visit = Visit(site, request, session, address_of(site.settings, request))
    try:
        _look(visit)
        if request.method == "POST":
            asked_again = _may_post(visit)
            if asked_again is not None:
                return asked_again
        return handler(visit, **values)
    except (BadInput, BadInputs) as error:
        return visit.show("refused.html", 400, why=str(error))
    except Refused as error:
        return visit.show("refused.html", 403, why=str(error))
    except TourniquetError as error:
        site.log.error("console: can't answer", path=request.path, why=error)
        return visit.show("refused.html", 503, why=str(error))


def _stranger(request: Request) -> Response:
    """To the sign-in; but a browser that follows a link from elsewhere sends a strict cookie only at its second request."""
    here = request.full_path.rstrip("?") if request.method == "GET" else ROOT
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and request.method == "GET":
        return Response(show.bare("again.html", here=here), mimetype="text/html")
    return redirect(f"{ROOT}sign-in?next={quote(here, safe='')}", 303)


def _look(visit: Visit) -> None:
    """The person is still the same, known and not contained; else the session ends. Raises Refused."""
    site, session = visit.site, visit.session
    if visit.request.method != "POST" and site.sessions.clock() < session.checked + _LOOK:
        return
    try:
        if site.person(session.user) != session.identity:
            raise Refused(f"{session.user} is somebody else now: sign in again")
    except Refused:
        site.sessions.end(session)
        raise
    site.sessions.checked(session)


def _may_post(visit: Visit) -> Optional[Response]:
    """Raises Refused without the session's token, or too often; gives the page that asks for the credential again."""
    site, session, form = visit.site, visit.session, visit.request.form
    if not hmac.compare_digest(form.get("csrf", "").encode("utf-8", "replace"), session.csrf.encode()):
        raise Refused("this form is not of your session: open the page again, then send it")
    if site.posts.wait(session.user):
        raise Refused("more than 40 clicks in a minute: wait a little")
    site.posts.count(session.user)
    if site.sessions.clock() <= session.confirmed + site.settings.confirm or visit.request.path == f"{ROOT}sign-out":
        return None
    why = ""
    if form.get("credential"):
        try:
            confirm(visit, Secret(form["credential"]))
            return None
        except (Refused, NoAnswer) as error:
            why = str(error)
    kept = [(name, value) for name, value in form.items(multi=True) if name not in ("csrf", "credential")]
    return visit.show("confirm.html", 401, kept=kept, why=why)


def confirm(visit: Visit, secret: Secret) -> None:
    """Elasticsearch is asked again who this is and what roles they have. Raises WrongCredential, Refused, NoAnswer."""
    session = visit.session
    found = visit.site.known("" if session.how == "api_key" else session.user, secret, visit.address)
    if found.user != session.user or found.how != session.how or not found.roles:
        visit.site.sessions.end(session)
        raise Refused("this is somebody else, or somebody without a role of the console: sign in again")
    visit.session = visit.site.sessions.confirmed(session, found.roles)
