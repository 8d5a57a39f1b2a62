"""What all pages share, and one request of somebody who is signed in."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from werkzeug.wrappers import Request, Response

from responders.console import show
from responders.console.board import Board
from responders.console.door import Door, Known, NoAnswer, WrongCredential
from responders.console.limits import Gate, Tries
from responders.console.sessions import Session, Sessions
from responders.console.settings import ConsoleSettings
from responders.containment import clicks
from responders.containment.askers import person_of
from responders.containment.responder import Responder
from responders.errors import Refused, TourniquetError
from responders.settings import Secret
from responders.surfaces.service.index import AlertIndex
from responders.surfaces.service.log import Log

ROOT = "/console/"
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
        self.within = Gate(self.sessions.clock)
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

    def known(self, user: str, secret: Secret, address: str, session: Optional[Session] = None) -> Known:
        """Ask Elasticsearch, unless it was wrong too often. Raises WrongCredential, NoAnswer, Refused.

        Within a session its own tries count and no others: who guesses at the sign-in from the same address, which an
        office shares, must not keep those from acting who are signed in.
        """
        gate, place = (self.gate, address) if session is None else (self.within, session.name.hex())
        wait = gate.wait(user, place)
        if wait:
            raise Refused(f"too many wrong sign-ins: try again in {int(wait) + 1} s")
        gate.begin(user, place)
        try:
            found = self.door.ask(user, secret)
        except NoAnswer:
            gate.void(user, place)
            raise
        except WrongCredential:
            self.log.warn("console: wrong sign-in", user=user or "API key", address=address)
            raise
        gate.right(user, place)
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
        if "containment" in about:
            clicks.name_on(journal, click, str(about["containment"]))
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
