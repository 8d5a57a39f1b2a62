"""What browsers are told about every page, and what of a browser's request shows that our own page made it."""

from __future__ import annotations

from typing import Mapping
from urllib.parse import urlsplit

from werkzeug.exceptions import Forbidden, MisdirectedRequest
from werkzeug.wrappers import Request

from responders.console.settings import LOOPBACK, ConsoleSettings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    # Not no-referrer: with it a browser sends `Origin: null` with our own forms (Fetch standard, "append a request Origin").
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def own_origin(settings: ConsoleSettings, request: Request) -> str:
    """How this browser reaches us. Raises MisdirectedRequest for a Host that is not ours (DNS rebinding, a stray proxy)."""
    host = request.headers.get("Host", "").lower()
    if settings.origin:
        scheme, _, own = settings.origin.partition("://")
        default = ":80" if scheme == "http" else ":443"
        if host not in (own, own + default):
            raise MisdirectedRequest
        return settings.origin
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in LOOPBACK:
        raise MisdirectedRequest
    return f"http://{host}"


def refuse_foreign(settings: ConsoleSettings, request: Request) -> None:
    """Raises Forbidden unless a page of ours sent this form, as the browser says (W3C, Fetch Metadata; Fetch, Origin)."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = own_origin(settings, request)
    if site not in (None, "same-origin") or origin not in (None, own) or (site is None and origin is None):
        raise Forbidden("this form was not sent by a page of the console")


def address_of(settings: ConsoleSettings, request: Request) -> str:
    """Who is asking: behind a proxy on this machine, what that proxy put last into X-Forwarded-For."""
    address = request.remote_addr or "?"
    if address in ("127.0.0.1", "::1", "::ffff:127.0.0.1") and settings.secure:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()[:64] or address
    return address
