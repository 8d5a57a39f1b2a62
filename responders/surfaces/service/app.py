"""What the server serves: routes to handlers, with limits and safe headers. A part of the service brings its own routes.

A handler takes the request and the values of its rule's variables, and gives a response. It may raise HTTPException.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Sequence, Tuple

from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator

from responders.surfaces.service.log import Log

MOST_BODY = 64 * 1024
"""Bytes of a body, where a route does not say another limit."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Unless the handler sets them itself."""

Handler = Callable[..., Response]
"""Called as handler(request, **values of the rule's variables)."""


@dataclass(frozen=True)
class Route:
    """`lasting` responses (server-sent events) hold a thread as long as they last: half of the threads at most.

    Whoever gives one writes something every few seconds, for only a write shows that the reader has gone, and ends it once
    the service is stopping (`Service.state.stopping`).
    """

    rule: str
    handler: Handler
    methods: Tuple[str, ...] = ("GET",)
    most_body: int = MOST_BODY
    lasting: bool = False


class App:
    """A WSGI application over routes."""

    def __init__(self, routes: Sequence[Route], log: Log, threads: int) -> None:
        self._map = Map([Rule(route.rule, endpoint=route, methods=route.methods) for route in routes])
        self._log = log
        self._lasting = threading.BoundedSemaphore(max(1, threads // 2))

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        held = False
        try:
            route, values = self._map.bind_to_environ(environ).match()
            request.max_content_length = route.most_body
            held = route.lasting and self._room()
            response = route.handler(request, **values)
        except HTTPException as error:
            response = Response(f"{error.code} {error.name}\n", status=error.code or 500, mimetype="text/plain")
            if error.code == 405 and getattr(error, "valid_methods", None):
                response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        except Exception as error:  # nothing of our inside is told to whoever asks
            self._log.error("internal error", path=request.path, why=f"{type(error).__name__}: {error}")
            response = Response("500 internal error, see the log\n", status=500, mimetype="text/plain")
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        parts = response(environ, start_response)
        # Around the parts themselves: a response that passes its iterator on as it is calls no hooks of its own.
        return ClosingIterator(parts, self._lasting.release) if held else parts

    def _room(self) -> bool:
        if not self._lasting.acquire(blocking=False):
            raise ServiceUnavailable
        return True
