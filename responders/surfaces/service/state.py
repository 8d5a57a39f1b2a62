"""Whether the service lives, is ready, and how it does: what machines ask of it."""

from __future__ import annotations

import hmac
import threading
import time
from typing import Callable, Dict, List, Optional

from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Request, Response

from responders.surfaces.service.app import Route
from responders.surfaces.service.metrics import CONTENT_TYPE, Metrics
from responders.surfaces.service.poller import Poller

_LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")


class State:
    """Ready is who can read alerts and write the journal, and is not about to stop."""

    def __init__(self, poller: Poller, patience: float, journal: Callable[[], object]) -> None:
        self._poller, self._patience, self._journal = poller, patience, journal
        self.stopping = threading.Event()

    def unready(self) -> List[str]:
        """What keeps the service from being ready, in words that say nothing of an alert."""
        found = ["stopping"] if self.stopping.is_set() else []
        now = time.monotonic()
        for space, last in _last(self._poller).items():
            if last is None or now - last > self._patience:
                found.append(f"alerts of space {space} can't be read")
        try:
            self._journal()
        except Exception as error:
            found.append(f"the journal can't be read: {type(error).__name__}")
        return found


def routes(state: State, metrics: Metrics, secret: Optional[str]) -> List[Route]:
    """`/healthz` (the process answers), `/readyz` (it can do its work), `/metrics`."""

    def health(request: Request) -> Response:
        return Response("ok\n", mimetype="text/plain")

    def ready(request: Request) -> Response:
        found = state.unready()
        return Response("\n".join(found or ["ready"]) + "\n", status=503 if found else 200, mimetype="text/plain")

    def measured(request: Request) -> Response:
        if not _may_read(request, secret):
            raise Forbidden
        return Response(metrics.text(), content_type=CONTENT_TYPE)

    return [Route("/healthz", health), Route("/readyz", ready), Route("/metrics", measured)]


def _may_read(request: Request, secret: Optional[str]) -> bool:
    """With the secret; without one only from this machine and by no proxy: the counts tell an attacker that he was seen."""
    if secret:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {secret}".encode())
    return request.remote_addr in _LOOPBACK and not any(name in request.headers for name in _FORWARDED)


def _last(poller: Poller) -> Dict[str, Optional[float]]:
    return {space: poller.last_good.get(space) for space in poller.spaces}
