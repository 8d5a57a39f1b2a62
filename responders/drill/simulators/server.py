"""The HTTP side of a simulated vendor: routes, request log, latency, rate limits, injected faults, dumps."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Type, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

_SECRET_HEADERS = ("authorization", "cookie", "x-vault-token")
_MAX_BODY = 1024 * 1024


@dataclass(frozen=True)
class Logged:
    """One request as it came in, and what was answered. `principal` is who the credential belongs to.

    `path` has the query behind it, as sent. `injected` is the kind of the fault that hit it, "" for none.
    """

    at: float
    connection: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int
    answer: Any
    principal: str
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    injected: str = ""


@dataclass
class Fault:
    """Goes wrong `times` times on matching requests.

    `kind`: status (answer `status` instead of acting), lost (act, then never answer), drop (close before acting),
    garbage (act, answer no JSON), huge (answer more than any client should take).
    """

    method: str
    pattern: str
    kind: str
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass(frozen=True)
class Request:
    """What a handler gets."""

    method: str
    path: str
    ids: Tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    form: bool = False


@dataclass(frozen=True)
class Answer:
    """What a handler gives. `body` None is an empty answer."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    principal: str = ""


class Refuse(Exception):
    """Raised by handlers: answer this instead."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


Handler = Callable[[Request], Answer]


def frozen(answer: Answer) -> Answer:
    """The answer with a body of its own, in JSON's types."""
    body = answer.body
    if body is not None:
        body = json.loads(json.dumps(body, default=sorted))
    return Answer(answer.status, body, answer.headers, answer.principal)


_Self = TypeVar("_Self", bound="Simulator")


class Simulator:
    """One simulated vendor on 127.0.0.1. Subclasses register routes and hold their state in `self.state`."""

    prefix = ""
    """What stands before every route, below the host."""
    path_flags = re.RegexFlag(0)
    """re.IGNORECASE where the vendor's server does not mind case in paths."""

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        self.latency = latency
        self.connect_latency = connect_latency
        self.clock: Callable[[], float] = time.time
        self.lock = threading.RLock()
        self.requests: List[Logged] = []
        self.faults: List[Fault] = []
        self.down = False
        self.per_minute: Optional[int] = None
        self.log_path: Optional[str] = None
        self.state: Dict[str, Any] = {}
        self._window: Tuple[float, int] = (0.0, 0)
        self._routes: List[Tuple[str, re.Pattern[str], Handler]] = []
        self._server: Optional[ThreadingHTTPServer] = None
        self._ended = threading.Event()
        self._thread = threading.Thread()
        self._connections = 0
        self.url = ""

    def route(self, method: str, template: str, handler: Handler) -> None:
        """Register a handler for an OpenAPI path template."""
        pattern = re.sub(r"\\\{[^}]*\\\}", "([^/]+)", re.escape(template))
        self._routes.append((method, re.compile(self.prefix + pattern + r"\Z", self.path_flags), handler))

    def __enter__(self: _Self) -> _Self:
        self.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1; the URL."""
        simulator = self
        self._ended = ended = threading.Event()

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def verify_request(self, request: Any, client_address: Any) -> bool:
                return not ended.is_set()

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is no news."""

        class Handler_(_Handler):  # noqa: N801 - bound to this simulator
            owner = simulator

        self._server = server = Server(("127.0.0.1", port), Handler_)

        def serve() -> None:
            while not ended.is_set():
                server.handle_request()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{self.prefix}"
        return self.url

    def stop(self) -> None:
        if self._server is not None:
            self._ended.set()
            with contextlib.suppress(OSError):  # it waits for a connection: this one lets it see that it ended
                socket.create_connection(self._server.server_address[:2], timeout=1).close()  # type: ignore[arg-type]
            self._thread.join(5)
            self._server.server_close()
            self._server = None

    def dump(self) -> Any:
        """The whole state, sorted, for before-and-after comparison."""
        with self.lock:
            return json.loads(json.dumps(self.state, sort_keys=True, default=sorted))

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a state."""
        with self.lock:
            self.state = copy.deepcopy(dict(state))

    def error(self, status: int, text: str) -> Answer:
        """An error in the vendor's own form."""
        return Answer(status, {"error": text})

    def limited(self) -> Answer:
        """A 429 in the vendor's own form."""
        return Answer(429, {"error": "too many requests"}, {"Retry-After": "1"})

    def headers_of(self, remaining: int, limit: int, reset: float) -> Mapping[str, str]:
        """Rate-limit headers of an ordinary answer."""
        return {}

    def principal(self, request: Request) -> str:
        """Who is calling, for the log."""
        return ""

    def serve(self, request: Request) -> Answer:
        """Route and handle one request."""
        known = False
        for method, pattern, handler in self._routes:
            match = pattern.match(request.path)
            if match is None:
                continue
            known = True
            if method == request.method:
                ids = tuple(unquote(part) for part in match.groups())
                try:
                    with self.lock:
                        # A copy: what is logged and sent must not change with the state afterwards.
                        return frozen(handler(Request(**{**vars(request), "ids": ids})))
                except Refuse as refused:
                    return refused.answer
        return self.error(405 if known else 404, f"no such endpoint: {request.method} {request.path}")

    def fault(self, method: str, path: str) -> Optional[Fault]:
        """The fault to inject now, counted down."""
        with self.lock:
            for found in self.faults:
                if found.times > 0 and found.method in ("*", method) and re.search(found.pattern, path):
                    found.times -= 1
                    return found
        return None

    def over_limit(self) -> Tuple[bool, Mapping[str, str]]:
        """True when the minute's calls are used up; and the headers that say how many are left."""
        if self.per_minute is None:
            return False, {}
        with self.lock:
            start, used = self._window
            now = time.time()
            if now >= start + 60:
                start, used = now, 0
            used += 1
            self._window = (start, used)
            left = max(0, self.per_minute - used)
            return used > self.per_minute, self.headers_of(left, self.per_minute, start + 60)

    def log(self, entry: Logged) -> None:
        with self.lock:
            self.requests.append(entry)
            if self.log_path:
                with open(self.log_path, "a", encoding="utf-8") as handle:
                    handle.write(json.dumps({"method": entry.method, "path": entry.path, "body": entry.body,
                                             "status": entry.status, "principal": entry.principal}) + "\n")  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    owner: Simulator
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        with self.owner.lock:
            self.owner._connections += 1
            self.number = self.owner._connections
        if self.owner.connect_latency:
            time.sleep(self.owner.connect_latency)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept in `Simulator.requests`."""

    def _any(self) -> None:
        owner = self.owner
        if owner.down:
            self.close_connection = True
            return
        announced = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
        raw = self.rfile.read(announced)
        if len(raw) < announced:
            self.close_connection = True  # the client hung up or was killed half-way: no request, and none acts
            return
        parts = urlsplit(self.path)
        fault = owner.fault(self.command, parts.path)
        if fault is not None and fault.kind == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if owner.latency:
            time.sleep(owner.latency)
        headers = {key.lower(): value for key, value in self.headers.items()}
        body, form, broken = _decode(raw, headers.get("content-type", ""))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, parts.path, (), query, headers, body, form)
        limited, extra = owner.over_limit()
        if fault is not None and fault.kind == "status":
            answer = owner.error(fault.status, "injected fault")
            answer = Answer(answer.status, answer.body, {**answer.headers, **fault.headers})
        elif limited:
            answer = owner.limited()
        elif broken:
            answer = owner.error(400, "the request body is not well-formed")
        else:
            answer = owner.serve(request)
        who = answer.principal or owner.principal(request)
        shown = {key: _without_secret(key, value) for key, value in headers.items()}
        owner.log(Logged(time.monotonic(), self.number, self.command, self.path, query, shown, body,
                         answer.status, answer.body, who, {**extra, **answer.headers},
                         fault.kind if fault is not None else ""))  # fmt: skip
        if fault is not None and fault.kind == "lost":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self._send(answer, {**extra, **answer.headers}, fault)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server's names

    def _send(self, answer: Answer, headers: Mapping[str, str], fault: Optional[Fault]) -> None:
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        if fault is not None and fault.kind == "garbage":
            data = b"<html>not json"
        if fault is not None and fault.kind == "huge":
            data = b'"' + b"x" * (9 * 1024 * 1024) + b'"'
        self.send_response(answer.status)
        for key, value in headers.items():
            self.send_header(key, value)
        if data:
            self.send_header("Content-Type", "application/json")
        if answer.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(data)


def _without_secret(name: str, value: str) -> str:
    """A header for the log: of a credential only its scheme (RFC 9110, 11.4), when it names one."""
    if name not in _SECRET_HEADERS:
        return value
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} ***" if name == "authorization" and blank else "***"


def _decode(raw: bytes, kind: str) -> Tuple[Any, bool, bool]:
    """Body, whether it was a form, whether it was broken."""
    if not raw:
        return None, False, False
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode("utf-8", "replace"))), True, False
    try:
        return json.loads(raw), False, False
    except ValueError:
        return None, False, True
