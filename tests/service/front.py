"""A proxy before a real Elasticsearch that a test makes refuse, answer with an error, or be slow."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Callable, List, Optional, Tuple, Type
from urllib.parse import urlsplit

Answer = Tuple[int, bytes]


class Front:
    """Passes on what comes, unless `instead` (given method and path) gives another answer; None there passes it on.

    `down` closes each connection without an answer.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.instead: Callable[[str, str], Optional[Answer]] = lambda method, path: None
        self.down = threading.Event()
        self.slow = 0.0
        self.seen: List[Tuple[str, str]] = []
        self.url = ""
        self._server: Optional[ThreadingHTTPServer] = None

    def __enter__(self) -> Front:
        front = self

        class Bound(_Handler):
            owner = front

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: Front
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    product, kind = "", "application/json"

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def _any(self) -> None:
        owner = self.owner
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        owner.seen.append((self.command, self.path))
        if owner.slow:
            threading.Event().wait(owner.slow)
        if owner.down.is_set():
            self.close_connection = True
            return
        found = owner.instead(self.command, self.path)
        status, data = found if found is not None else self._pass_on(body)
        self.send_response(status)
        self.send_header("Content-Type", self.kind)
        if self.product:  # the official client asks for it
            self.send_header("X-Elastic-Product", self.product)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _pass_on(self, body: bytes) -> Answer:
        target = self.owner.target
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
        try:
            kept = {name: self.headers[name] for name in ("Content-Type", "Accept", "Authorization") if name in self.headers}
            connection.request(self.command, self.path, body, kept)
            answer = connection.getresponse()
            self.product = answer.headers.get("X-Elastic-Product", "")
            self.kind = answer.headers.get("Content-Type", "application/json")
            return answer.status, answer.read()
        finally:
            connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the names are http.server's
