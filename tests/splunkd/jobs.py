"""A search head's job endpoints over real HTTP; what it answers, each test says by a class of its own."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, Tuple
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-no-worth"


class JobServer:
    """Asks `answer` for every request that carries the token, and refuses the others."""

    def __init__(self) -> None:
        jobs = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def do_DELETE(self) -> None:
                self._answer("DELETE")

            def _answer(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                parts = urlsplit(self.path)
                signed = self.headers.get("Authorization") == f"Splunk {TOKEN}"
                status, answer = (
                    jobs.answer(method, parts.path, parse_qs(parts.query), parse_qs(body)) if signed else (401, {})
                )
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, method: str, path: str, query: Dict[str, List[str]], form: Dict[str, List[str]]) -> Tuple[int, Any]:
        """The status and the JSON of one request."""
        raise NotImplementedError
