"""A small splunkweb on loopback: a host page with the view in it, the app's static files, and the way to splunkd.

It checks what the real one does, as far as published code shows it: the session is in cookie `splunkd_<port>`, HttpOnly;
every request but GET needs header `X-Splunk-Form-Key` with the value of cookie `splunkweb_csrf_token_<port>`, <port> being
Splunk Web's own; only what web.conf exposes is passed on; paths have the locale in front. The page's policy refuses every
foreign host, every inline script and every text that is made into HTML (`require-trusted-types-for`): stricter than Splunk.
"""

from __future__ import annotations

import html
import re
import secrets
import threading
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Dict, List, Optional, Tuple, Type
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from tests.splunk_rest.office import APP, Office

OWN_PORT = 8000
"""What Splunk Web calls its port; a proxy in front of it has another one."""
_POLICY = (
    "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'"
)
_KINDS = {".js": "application/javascript", ".css": "text/css"}
_CONFIG = f'window.$C = {{ MRSPARKLE_PORT_NUMBER: {OWN_PORT}, LOCALE: "en-US", MRSPARKLE_ROOT_PATH: "/" }};'
Reply = Tuple[int, str, bytes, List[str]]


class SplunkWeb:
    """In front of an office. `asked` are the requests that reached splunkd, `refused` those that did not, and why."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.asked: List[Tuple[str, str, int]] = []
        self.refused: List[str] = []
        self._forms: Dict[str, str] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.web = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def signed_in(self, user: str, theme: str = "light") -> str:
        """An address that signs in and leads to the setup page."""
        return f"{self.url}/sign-in?user={user}&theme={theme}"

    def forget(self) -> None:
        """Every session has ended."""
        self._forms.clear()

    def __enter__(self) -> SplunkWeb:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # -- answers ------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Reply:
        parts = urlsplit(target)
        cookies = {name: found.value for name, found in SimpleCookie(headers.get("Cookie", "")).items()}
        session = cookies.get(f"splunkd_{OWN_PORT}", "")
        if parts.path == "/sign-in":
            return self._sign_in(parse_qs(parts.query))
        if parts.path == "/config.js":
            return 200, "application/javascript", _CONFIG.encode(), []
        static = re.fullmatch(r"/en-US/static/app/tourniquet/([\w.-]+)", parts.path)
        if static:
            path = APP / "appserver" / "static" / static[1]
            return (200, _KINDS[path.suffix], path.read_bytes(), []) if path.is_file() else _plain(404, "not found")
        if session not in self._forms:
            return _plain(401, "not signed in")
        if parts.path == "/en-US/app/tourniquet/setup":
            theme = parse_qs(parts.query).get("theme", ["light"])[0]
            return 200, "text/html; charset=utf-8", _page(theme).encode(), []
        raw = re.fullmatch(r"/en-US/splunkd/__raw(/servicesNS/nobody/tourniquet/(.+))", parts.path)
        return self._pass_on(method, raw, parts.query, headers, body, session) if raw else _plain(404, "not found")

    def _pass_on(self, method: str, raw: Any, query: str, headers: Any, body: bytes, session: str) -> Reply:
        if method != "GET" and headers.get("X-Splunk-Form-Key") != self._forms[session]:
            self.refused.append(f"{method} {raw[2]}: form key")
            return _plain(403, "CSRF validation failed")
        if not self._exposed(method, raw[2]):
            self.refused.append(f"{method} {raw[2]}: not exposed")
            return _plain(404, "not found")
        sent = {"Authorization": f"Splunk {session}", "Content-Type": headers.get("Content-Type", "")}
        target = raw[1] + (f"?{query}" if query else "")
        status, kind, data = self.office.splunkd.answer(method, target, sent, body)
        self.asked.append((method, raw[2], status))
        return status, kind, data, []

    def _exposed(self, method: str, path: str) -> bool:
        """web.conf.spec [expose:…]: `*` one part of a path, `**` any number. The KV store's data Splunk exposes itself."""
        if path.startswith("storage/collections/data/"):
            return True
        for keys in self.office.deployment.merged("tourniquet", "web").values():
            pattern = re.escape(keys["pattern"]).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
            if re.fullmatch(pattern, path) and method in re.split(r",\s*", keys["methods"]):
                return True
        return False

    def _sign_in(self, query: Dict[str, List[str]]) -> Reply:
        session = self.office.deployment.session(query["user"][0])
        self._forms[session] = secrets.token_hex(8)
        set_cookies = [
            f"splunkd_{OWN_PORT}={session}; Path=/; HttpOnly",
            f"splunkweb_csrf_token_{OWN_PORT}={self._forms[session]}; Path=/",
            "splunkweb_csrf_token_9999=of-another-splunk-on-this-host; Path=/",
        ]
        where = f"/en-US/app/tourniquet/setup?theme={query['theme'][0]}"
        return 302, "text/plain", b"", [*(f"Set-Cookie: {one}" for one in set_cookies), f"Location: {where}"]


def _plain(status: int, text: str) -> Reply:
    return status, "text/html", f"<html><body>{html.escape(text)}</body></html>".encode(), []


def _page(theme: str) -> str:
    """What Splunk makes of the view, in short: its <html> panel in a page, and the files that it names."""
    root = ElementTree.parse(APP / "default" / "data" / "ui" / "views" / "setup.xml").getroot()  # noqa: S314 - ours
    panel = root.find("row/panel/html")
    assert panel is not None
    inner = "".join(ElementTree.tostring(child, encoding="unicode", method="html") for child in panel)
    base = "/en-US/static/app/tourniquet"
    scripts = "".join(f'<script src="{base}/{name.strip()}" async></script>' for name in root.get("script", "").split(","))
    styles = "".join(
        f'<link rel="stylesheet" href="{base}/{name.strip()}">' for name in root.get("stylesheet", "").split(",")
    )
    back = {"light": "#f2f4f5", "dark": "#0b0c0e"}[theme]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Setup</title>'
        f'<meta name="viewport" content="width=device-width"><script src="/config.js"></script>{styles}'
        f"<style>body{{margin:0;padding:16px;background:{back};font-family:sans-serif}}h1{{font-size:24px;"
        f"color:{'#1f2a30' if theme == 'light' else '#fff'}}}</style></head>"
        f"<body><h1>{html.escape(root.findtext('label') or '')}</h1>{inner}{scripts}</body></html>"
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    web: SplunkWeb

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, kind, data, more = self.server.web.answer(self.command, self.path, self.headers, body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", _POLICY)
        for line in more:
            name, _, value = line.partition(": ")
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PUT = _serve  # noqa: N815 - names of http.server

    def log_message(self, *_: Any) -> None:
        """Requests are in SplunkWeb.asked."""
