"""Server-sent events (WHATWG HTML, "Server-sent events"): a browser hears that something changed, and fetches its page anew.

Each stream holds a thread of the service, so there are few: two of one session, and half of the threads altogether (App).
A stream ends by itself after some minutes; browsers come again.
"""

from __future__ import annotations

import time
from typing import Iterator

from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from responders.console.site import Site, Visit
from responders.errors import TourniquetError

_EVERY = 1.0
_LASTS = 240.0
_BEAT = 5.0
"""Seconds between signs of life: so a browser that went away is noticed, and a proxy keeps the connection."""
MOST_OF_ONE = 2


def live(visit: Visit) -> Response:
    """The stream. Raises TooManyRequests."""
    site, name = visit.site, visit.session.name
    with site.lock:
        if site.streams.get(name, 0) >= MOST_OF_ONE:
            raise TooManyRequests("two pages of this session are live already")
        site.streams[name] = site.streams.get(name, 0) + 1
    found = Response(events(site, name, _LASTS), mimetype="text/event-stream")
    found.headers["X-Accel-Buffering"] = "no"
    found.call_on_close(lambda: _gone(site, name))
    return found


def events(site: Site, name: bytes, lasts: float) -> Iterator[str]:
    """One event at the start and at each change; it ends with the session, the service, or its time."""
    until, told, beat = time.monotonic() + lasts, "", time.monotonic()
    yield "retry: 2000\n\n"
    while time.monotonic() < until and not site.stopping.is_set() and site.sessions.again(name) is not None:
        try:
            mark = site.board.mark()
        except TourniquetError:
            mark = told  # the page says so itself when it is fetched
        if mark != told:
            told = mark
            yield f"event: changed\ndata: {mark}\n\n"
        elif time.monotonic() > beat + _BEAT:
            yield ": alive\n\n"
        else:
            site.stopping.wait(_EVERY)
            continue
        beat = time.monotonic()
        site.stopping.wait(_EVERY)


def _gone(site: Site, name: bytes) -> None:
    with site.lock:
        left = site.streams.get(name, 1) - 1
        if left > 0:
            site.streams[name] = left
        else:
            site.streams.pop(name, None)
