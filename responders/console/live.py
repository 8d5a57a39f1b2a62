"""Server-sent events (WHATWG HTML, "Server-sent events"): a browser hears that something changed, and fetches its page anew.

Each stream holds a thread of the service, so there are few: two of one session, the oldest of which gives way (a page that
was left is noticed late), and half of the threads altogether (App). A stream ends by itself; browsers come again.
"""

from __future__ import annotations

import threading
import time
from typing import Iterator

from werkzeug.wrappers import Response

from responders.console.site import Site, Visit
from responders.errors import TourniquetError

_EVERY = 1.0
_LASTS = 240.0
_BEAT = 5.0
"""Seconds between signs of life: so a browser that went away is noticed, and a proxy keeps the connection."""
MOST_OF_ONE = 2


def live(visit: Visit) -> Response:
    """The stream."""
    site, name, over = visit.site, visit.session.name, threading.Event()
    with site.lock:
        mine = site.streams.setdefault(name, [])
        mine.append(over)
        for old in mine[:-MOST_OF_ONE]:
            old.set()
    found = Response(events(site, name, over, _LASTS), mimetype="text/event-stream")
    found.headers["X-Accel-Buffering"] = "no"
    found.call_on_close(lambda: _gone(site, name, over))
    return found


def events(site: Site, name: bytes, over: threading.Event, lasts: float) -> Iterator[str]:
    """One event at the start and at each change; it ends with the session, the service, its time, or when it gives way."""
    until, told, beat = time.monotonic() + lasts, "", time.monotonic()
    yield "retry: 2000\n\n"
    while time.monotonic() < until and not site.stopping.is_set() and site.sessions.again(name) is not None:
        try:
            mark = site.board.mark()
        except TourniquetError:
            mark = told  # the page says so itself when it is fetched
        if mark != told:
            told, beat = mark, time.monotonic()
            yield f"event: changed\ndata: {mark}\n\n"
        elif time.monotonic() > beat + _BEAT:
            beat = time.monotonic()
            yield ": alive\n\n"
        if over.wait(_EVERY):
            return


def _gone(site: Site, name: bytes, over: threading.Event) -> None:
    with site.lock:
        left = [found for found in site.streams.get(name, ()) if found is not over]
        if left:
            site.streams[name] = left
        else:
            site.streams.pop(name, None)
