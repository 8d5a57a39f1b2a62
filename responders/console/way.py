"""The way of a request to its page: host, session, person; for a form, where it came from, and how fresh the sign-in is."""

from __future__ import annotations

import hmac
from typing import Callable, Mapping, Optional
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from responders.console import show
from responders.console.door import NoAnswer
from responders.console.headers import HEADERS, address_of, own_origin, refuse_foreign
from responders.console.site import ROOT, Site, Visit
from responders.errors import BadInput, BadInputs, Refused, TourniquetError
from responders.settings import Secret

_LOOK = 60.0
"""Seconds after which a person is looked at again: are they still known, and not contained."""

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
    found = visit.site.known("" if session.how == "api_key" else session.user, secret, visit.address, session)
    if found.user != session.user or found.how != session.how or not found.roles:
        visit.site.sessions.end(session)
        raise Refused("this is somebody else, or somebody without a role of the console: sign in again")
    visit.session = visit.site.sessions.confirmed(session, found.roles)
