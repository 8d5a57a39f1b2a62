"""One search head's management port: session keys, routing, error shapes.

Sources: 401 `call not properly authenticated` and the namespace in paths, Splunk REST API User Manual, "Basic concepts";
`%2F` inside a segment stays part of it (splunklib encodes names so).
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, List, Mapping, Optional, Tuple, Type
from urllib.parse import parse_qs, unquote, urlsplit

from tests.splunkd import confs, identity, kvstore, passwords, receivers, system
from tests.splunkd.answer import Answer, Logged, Refuse, Request, error, feed
from tests.splunkd.deployment import Deployment, User

_ROUTES = (*kvstore.ROUTES, *passwords.ROUTES, *confs.ROUTES, *identity.ROUTES, *receivers.ROUTES, *system.ROUTES)
_SECRET = ("password", "body")


class Splunkd:
    """`lag`: seconds by which reads of the KV store are behind what was written (a member that is not its captain).

    `certificate` (a PEM file with key and certificate) turns TLS on, as it always is in a real splunkd. `refuse_next`: parts
    of a path and a status, each for one request; `lose_next`: parts of a path whose next request is done and not answered.
    """

    def __init__(self, deployment: Deployment, *, lag: float = 0.0, certificate: Optional[Path] = None) -> None:
        self.deployment = deployment
        self.lag = lag
        self.requests: List[Logged] = []
        self.refuse_next: List[Tuple[str, int]] = []
        self.lose_next: List[str] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.splunkd = self
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def uri(self) -> str:
        """`server_uri` of an alert's payload."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def session(self, user: str) -> str:
        """A session key of this user."""
        return self.deployment.session(user)

    def close(self) -> None:
        """Stop answering: from now on a connection is refused."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Splunkd:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Tuple[int, str, bytes]:
        """Status, content type and body of one request."""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        json_body = "application/json" in headers.get("Content-Type", "")
        as_json = "json" in query.get("output_mode", []) or "/storage/collections/data/" in parts.path
        user = "-"
        form: Mapping[str, List[str]] = {}
        try:
            owner, app, path = _split(parts.path)
            if method == "POST" and not json_body and path[:1] != ("receivers",):
                form = parse_qs(body.decode("utf-8"), keep_blank_values=True)
                as_json = as_json or "json" in form.get("output_mode", [])
            found = self._user(headers, path)
            user = found.name
            for number, (name, status) in enumerate(self.refuse_next):
                if name in parts.path:
                    del self.refuse_next[number]
                    raise Refuse(status, "The server is busy.")
            request = Request(method, owner, app, path, query, form, body, json_body, found, self.lag)
            with self.deployment.lock:
                given = self._dispatch(request)
            status = given.status
            kind, data = _shown(given, request)
        except Refuse as refused:
            status = refused.status
            kind, data = error(status, refused.text, refused.kind, as_json)
        except (ValueError, KeyError, TypeError, UnicodeDecodeError) as wrong:  # what this fake did not expect
            status = 500
            kind, data = error(status, f"{type(wrong).__name__}: {wrong}", "FATAL", as_json)
        said = {name: values[-1] for name, values in {**query, **form}.items() if name not in _SECRET}
        self.requests.append(Logged(method, parts.path, user, status, said))
        return status, kind, data

    def _user(self, headers: Mapping[str, str], path: Tuple[str, ...]) -> User:
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        fits = scheme == ("Bearer" if key.startswith("eyJ") else "Splunk")  # a token is no session key
        name = self.deployment.sessions.get(key.strip()) if fits else None
        if name is None:
            if path == ("server", "info") or path == ("auth", "login"):
                return User("-")
            raise Refuse(401, "call not properly authenticated", "WARN")
        return self.deployment.users[name]

    def _dispatch(self, request: Request) -> Answer:
        for method, pattern, handler in _ROUTES:
            if method == request.method and _fits(pattern, request.path):
                return handler(self.deployment, request)
        if any(_fits(pattern, request.path) for _, pattern, _ in _ROUTES):
            raise Refuse(405, "Method Not Allowed")
        raise Refuse(404, "Not Found")


def _fits(pattern: Tuple[str, ...], path: Tuple[str, ...]) -> bool:
    return len(pattern) == len(path) and all(want in ("*", have) for want, have in zip(pattern, path))


def _split(path: str) -> Tuple[str, str, Tuple[str, ...]]:
    """Namespace and the rest, by segments: decoded after they were split. A slash at the end counts for nothing."""
    segments = [unquote(part) for part in path.strip("/").split("/")]
    if segments[0] == "services":
        return "-", "-", tuple(segments[1:])
    if segments[0] == "servicesNS" and len(segments) > 3:
        return segments[1], segments[2], tuple(segments[3:])
    raise Refuse(404, "Not Found")


def _shown(given: Answer, request: Request) -> Tuple[str, bytes]:
    if given.entries is not None:
        return feed(given.entries, given.title, request)
    if isinstance(given.body, bytes):
        return "text/xml; charset=UTF-8", given.body
    return "application/json; charset=UTF-8", json.dumps(given.body).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    splunkd: Splunkd

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or is killed, is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        splunkd = self.server.splunkd
        status, kind, data = splunkd.answer(self.command, self.path, self.headers, body)
        for part in splunkd.lose_next:
            if part in self.path:
                splunkd.lose_next.remove(part)
                self.close_connection = True
                return
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "Close" if self.close_connection else "Keep-Alive")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names of http.server

    def log_message(self, *_: Any) -> None:
        """Requests are in Splunkd.requests."""
