"""What the four clients share: authenticated calls, one re-authentication after a 401, pages, time."""

from __future__ import annotations

import abc
import threading
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadAnswer, Forbidden, Unauthorized, WrongState
from responders.vendors.budget import number
from responders.vendors.client import Response
from responders.vendors.transport import Transport

MAX_PAGES = 200
_NO_NEW_SIGN_IN = 20.0
"""Seconds without another try after a refused sign-in: each step trying anew would lock the responder's user out."""
Page = Tuple[Sequence[Mapping[str, Any]], Optional[str]]
"""Items of one page, and the URL or path of the next one."""


class BaseClient(abc.ABC):
    """A `VendorClient` over a transport. Subclasses say how to sign in and how pages look."""

    vendor: str

    def __init__(self, transport: Transport, tenant: str, settings: Mapping[str, str]) -> None:
        self.transport = transport
        self.tenant = tenant
        self.settings = settings
        self.lasting: Dict[str, str] = {}
        self._auth: Optional[Dict[str, str]] = None
        self._refused: Tuple[float, Optional[Unauthorized]] = (0.0, None)
        self._own: Optional[FrozenSet[str]] = None
        self._lock = threading.Lock()
        self.clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.vendor}:{self.tenant}>"

    def now(self) -> datetime:
        return self.clock()

    def call(
        self,
        method: str,
        path_template: str,
        *,
        ids: Sequence[str] = (),
        query: Optional[Mapping[str, str]] = None,
        body: Optional[Any] = None,
    ) -> Response:
        path = self.transport.path(path_template, ids)
        return self._authorized(method, path, query, body, path_template)

    def read(self, path: str, *, name: str) -> Response:
        """GET a path, or a URL that the vendor gave for its next page. `name` is its template, for limits and messages.

        Raises like `call`, and BadAnswer for a URL of another host.
        """
        return self._authorized("GET", path, None, None, name)

    def items(
        self, path_template: str, *, ids: Sequence[str] = (), query: Optional[Mapping[str, str]] = None
    ) -> Sequence[Mapping[str, Any]]:
        found: List[Mapping[str, Any]] = []
        path: Optional[str] = self.transport.path(path_template, ids)
        for _ in range(MAX_PAGES):
            if path is None:
                return found
            answer = self._authorized("GET", path, query, None, path_template)
            page, path = self.page(answer)
            if not all(isinstance(item, Mapping) for item in page):
                raise BadAnswer(self.vendor, f"{path_template}: a list of something else than objects")
            found.extend(page)
            query = None
        raise BadAnswer(self.vendor, f"{path_template}: more than {MAX_PAGES} pages")

    def warm(self) -> None:
        """Sign in and learn the own ids in advance, so that the first containment need not."""
        self._headers()
        self.own_ids()

    def own_ids(self) -> FrozenSet[str]:
        with self._lock:
            known = self._own
        if known is None:
            known = self.read_own_ids()
            with self._lock:
                self._own = known
        return known

    def close(self) -> None:
        """Sign out where the vendor keeps sessions, and close connections."""
        self.transport.close()

    @abc.abstractmethod
    def sign_in(self) -> Dict[str, str]:
        """Headers that authenticate a call. Raises VendorError."""

    @abc.abstractmethod
    def page(self, answer: Response) -> Page:
        """Items of an answer and the next page. Raises BadAnswer."""

    @abc.abstractmethod
    def read_own_ids(self) -> FrozenSet[str]:
        """Ask the vendor who we are."""

    def expired(self) -> bool:
        """True when the headers should be renewed before the next call."""
        return False

    def ended(self, headers: Dict[str, str]) -> bool:
        """True when a 403 means that what `headers` carry is not accepted any more. Most vendors say 401 for that."""
        return False

    def _headers(self) -> Dict[str, str]:
        with self._lock:
            if self._auth is None or self.expired():
                self._auth = self._signed_in()
            return self._auth

    def _signed_in(self) -> Dict[str, str]:
        again, refusal = self._refused
        if refusal is not None and time.monotonic() < again:
            raise Unauthorized(self.vendor, refusal.message, status=refusal.status, code=refusal.code)
        try:
            return self.sign_in()
        except (Unauthorized, WrongState, Forbidden) as error:
            # At the door, 400 and 403 too are about our own credential, never about the object of the call.
            found = Unauthorized(self.vendor, f"sign-in refused: {error.message}", status=error.status, code=error.code)
            self._refused = (time.monotonic() + _NO_NEW_SIGN_IN, found)
            raise found from None

    def _authorized(
        self, method: str, path: str, query: Optional[Mapping[str, str]], body: Optional[Any], template: str
    ) -> Response:
        headers = self._headers()
        try:
            return self.transport.send(method, path, headers=headers, query=query, body=body, template=template)
        except (Unauthorized, Forbidden) as error:
            if isinstance(error, Forbidden) and not self.ended(headers):
                raise
            # Refused before anything was done: sign in anew, once. Another thread may have done so already.
            with self._lock:
                if self._auth is headers:
                    self._auth = None
        return self.transport.send(method, path, headers=self._headers(), query=query, body=body, template=template)


def seconds(vendor: str, value: Any, default: float) -> float:
    """How long a credential lasts, `default` when the vendor did not say. Raises BadAnswer for what is no number."""
    if value is None:
        return default
    found = number(str(value)) if isinstance(value, (int, float, str)) else None
    if found is None:
        raise BadAnswer(vendor, "the sign-in gave a lifetime that is no number")
    return found


def listed(vendor: str, body: Any, *names: str) -> Sequence[Mapping[str, Any]]:
    """The list under the first of `names` that the body has. Raises BadAnswer when there is none."""
    if isinstance(body, Mapping):
        for name in names:
            if isinstance(body.get(name), list):
                found: Sequence[Mapping[str, Any]] = body[name]
                return found
    raise BadAnswer(vendor, f"no list {' or '.join(names)} in the answer")
