"""Signing in and out."""

from __future__ import annotations

import re

from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from responders.console import show
from responders.console.door import NoAnswer
from responders.console.headers import address_of, own_origin, refuse_foreign
from responders.console.site import ROOT, Site, Visit
from responders.console.way import sealed
from responders.containment import clicks
from responders.errors import Refused, TourniquetError
from responders.settings import Secret

_NEXT = re.compile(r"/console/[A-Za-z0-9/_.?=&%:-]{0,1000}\Z")
"""A page of ours; no `//`, no backslash, nothing that a browser would read as another host."""


class SignIn:
    """The form, and its answer."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def __call__(self, request: Request) -> Response:
        try:
            own_origin(self._site.settings, request)
            if request.method == "POST":
                refuse_foreign(self._site.settings, request)
            found = self._post(request) if request.method == "POST" else self._form(request, "", 200)
        except HTTPException as error:
            found = Response(show.alone("Refused", error.description or error.name), status=error.code, mimetype="text/html")
        return sealed(self._site, found)

    def _form(self, request: Request, why: str, status: int) -> Response:
        wanted = request.values.get("next", "")
        text = show.bare(
            "sign_in.html", why=why, next=wanted if _ours(wanted) else ROOT, user=request.form.get("user", "")[:200]
        )
        return Response(text, status=status, mimetype="text/html")

    def _post(self, request: Request) -> Response:
        site, form = self._site, request.form
        user = "" if form.get("how") == "api_key" else form.get("user", "").strip() or "?"
        address = address_of(site.settings, request)
        try:
            known = site.known(user, Secret(form.get("credential", "")), address)
            if not known.roles:
                raise Refused(f"{known.user} has no role of the console: docs/console.md says how it is given")
            identity = site.person(known.user)
            about = {"roles": sorted(known.roles), "address": address, "realm": known.realm}
            journal = site.responder().journal
            click = clicks.clicked(journal, known.user, identity, "sign in", "sign in", about)
        except Refused as error:
            return self._form(request, str(error), 403)
        except (NoAnswer, TourniquetError) as error:
            return self._form(request, str(error), 503)
        old = site.sessions.find(request.cookies.get(site.cookie, ""))
        if old is not None:
            site.sessions.end(old)
        cookie, session = site.sessions.begin(known.user, identity, known.roles, known.how)
        clicks.ended(journal, click, "signed in")
        site.log.info("console: signed in", user=session.user, identity=identity, roles=sorted(known.roles), address=address)
        wanted = form.get("next", "")
        found = redirect(wanted if _ours(wanted) else ROOT, 303)
        found.set_cookie(
            site.cookie, cookie, path="/", secure=site.settings.secure, httponly=True, samesite="Strict"
        )  # fmt: skip
        return found


def sign_out(visit: Visit) -> Response:
    """End the session, here and in the browser."""
    visit.site.sessions.end(visit.session)
    visit.site.log.info("console: signed out", user=visit.session.user)
    found = redirect(f"{ROOT}sign-in", 303)
    found.delete_cookie(
        visit.site.cookie, path="/", secure=visit.site.settings.secure, httponly=True, samesite="Strict"
    )  # fmt: skip
    found.headers["Clear-Site-Data"] = '"cache"'
    return found


def _ours(path: str) -> bool:
    return bool(_NEXT.match(path)) and "//" not in path and "sign-" not in path
