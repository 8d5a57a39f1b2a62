"""A way to Elasticsearch that a test can break: refuse, drop answers that were given, or be slow."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, List, Optional, Type
from urllib.parse import urlsplit


class Way:
    """`with Way(url) as way: Cluster(way.url)`. `refuse` and `drop` count down the next requests; `seen` are all paths.

    A refused request never reaches Elasticsearch; of a dropped one the answer is lost on the way back. `hang` (if clear)
    keeps answers back.
    """

    def __init__(self, url: str) -> None:
        self.refuse = self.drop = 0
        self.hang = threading.Event()
        self.hang.set()
        self.seen: List[str] = []
        self.lock = threading.Lock()
        way, target = self, urlsplit(url).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with way.lock:
                    way.seen.append(f"{self.command} {self.path.partition('?')[0]}")
                    refused, way.refuse = way.refuse > 0, max(0, way.refuse - 1)
                if refused:
                    self.close_connection = True
                    return
                connection = http.client.HTTPConnection(target, timeout=30)
                connection.request(self.command, self.path, body or None, dict(self.headers))
                answer = connection.getresponse()
                data = answer.read()
                connection.close()
                way.hang.wait(30)
                with way.lock:
                    dropped, way.drop = way.drop > 0, max(0, way.drop - 1)
                if dropped:
                    self.close_connection = True
                    return
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)
                self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                return  # a client that gave up is what the tests are about

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Way:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.hang.set()
        self._server.shutdown()
        self._server.server_close()
