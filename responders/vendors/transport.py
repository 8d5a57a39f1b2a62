"""The one way to a vendor: connection reuse, deadlines, safe retries, rate limits, TLS on, bounded answers.

A change is never sent twice blindly: when its answer is lost, `OutcomeUnknown` is raised and the state is read.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import random
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Type
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from responders.errors import (
    BadAnswer,
    BadSettings,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Permanent,
    RateLimited,
    Unauthorized,
    Unavailable,
    VendorError,
    WrongState,
)
from responders.settings import sound_url
from responders.vendors.budget import Budget, number
from responders.vendors.client import Response
from responders.vendors.deadline import Watch, WatchedAdapter
from responders.vendors.redact import redact

MAX_ANSWER = 8 * 1024 * 1024
_READS = ("GET", "HEAD")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_POOL = 64
_LONGEST = 3600.0
_NOT_CONNECTED = (NewConnectionError, ConnectTimeoutError)
"""No connection was made, so nothing can have arrived; NameResolutionError is a NewConnectionError."""


@dataclass(frozen=True)
class Limits:
    """Seconds. `total` bounds one call with all its retries, `attempt` one try, `wait` the wait for a full budget."""

    connect: float = 5.0
    attempt: float = 10.0
    total: float = 15.0
    retries: int = 4
    wait: float = 3600.0


@dataclass(frozen=True)
class Endpoint:
    """Where a vendor is. `ca` is a private CA bundle's path, `proxy` a URL; TLS can't be switched off.

    `http` is allowed only to loopback, and only when `allow_loopback_http` says so (the drill).
    """

    vendor: str
    base: str
    ca: str = ""
    proxy: str = field(default="", repr=False)  # its URL may hold a password
    allow_loopback_http: bool = False
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not sound_url(self.base, self.allow_loopback_http):
            raise BadSettings("the URL must be https, without credentials", place=f"{self.vendor}.url", remedy="correct it")
        if self.ca:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.ca)
            except OSError as error:
                raise BadSettings(
                    f"{self.ca} can't be used: {error.strerror or error}",
                    place=f"{self.vendor}.ca",
                    remedy="name a readable file of PEM certificates",
                ) from None


Explain = Callable[[Any], Tuple[str, str]]
"""Takes a decoded error body and gives the vendor's (code, message)."""


class Transport:
    """One vendor's HTTP. Shared by threads: a Session serves one call at a time, all use one pool of connections."""

    def __init__(
        self,
        endpoint: Endpoint,
        explain: Explain,
        *,
        gate: Optional[Callable[[], None]] = None,
        on_call: Optional[Callable[[str, str, str, str], None]] = None,
    ) -> None:
        self.endpoint = endpoint
        self.budget = Budget()
        self._explain = explain
        self._gate = gate
        self._on_call = on_call
        self._adapter = WatchedAdapter(pool_connections=4, pool_maxsize=_POOL, max_retries=0)
        self._sessions: List[requests.Session] = []
        self._secrets: Tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Transport {self.endpoint.vendor} {urlsplit(self.endpoint.base).hostname}>"

    def keep_secret(self, values: Iterable[str]) -> None:
        """Values that must never show in a message."""
        self._secrets = tuple({*self._secrets, *(value for value in values if value)})

    def path(self, template: str, ids: Sequence[str]) -> str:
        """The path with each `{}` filled by an escaped id. Raises Permanent for an id that is no id."""
        if template.count("{}") != len(ids):
            raise Permanent(self.endpoint.vendor, f"{template} takes {template.count('{}')} ids, {len(ids)} were given")
        parts = template.split("{}")
        path = parts[0]
        for text, rest in zip(ids, parts[1:]):
            if not isinstance(text, str) or not text or text in (".", "..") or len(text) > 2048 or _CONTROL.search(text):
                raise Permanent(self.endpoint.vendor, f"{redact(repr(text), limit=80)} can't be an id. Correct its source")
            path += quote(text, safe="", errors="surrogatepass") + rest
        return path

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Optional[Mapping[str, str]] = None,
        body: Optional[Any] = None,
        form: Optional[Mapping[str, str]] = None,
        template: str = "",
        gated: bool = True,
    ) -> Response:
        """One call with its retries. `path` is below the base; a full URL must have the base's origin."""
        url = self._url(path)
        if gated and method not in _READS and self._gate is not None:
            self._gate()
        deadline = time.monotonic() + self.endpoint.limits.total
        name = template or path.split("?")[0]
        attempt = 0
        while True:
            self._wait_for_budget(deadline, name)
            try:
                return self._once(method, url, dict(headers), query, body, form, name, deadline)
            except (Unavailable, RateLimited) as error:
                attempt += 1
                pause = self._pause(error, attempt)
                if attempt > self.endpoint.limits.retries or time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)

    def close(self) -> None:
        """Close every pooled connection."""
        self._adapter.close()

    def _url(self, path: str) -> str:
        base = self.endpoint.base.rstrip("/")
        if path.startswith("/"):
            return base + path
        if (
            path.startswith(("http://", "https://"))
            and sound_url(path.partition("?")[0], True)
            and _host(path) == _host(base)
        ):
            return path
        raise BadAnswer(self.endpoint.vendor, f"a next page points elsewhere ({redact(path, self._secrets, 80)})")

    def _wait_for_budget(self, deadline: float, name: str) -> None:
        pause = self.budget.wait_seconds(name)
        if pause <= 0:
            return
        with self.budget.waiting():
            while pause > 0:
                if time.monotonic() + pause > deadline or pause > self.endpoint.limits.wait:
                    raise RateLimited(
                        self.endpoint.vendor,
                        f"{name}: rate limit, free again in {pause:.0f} s",
                        retry_at=time.time() + pause,
                    )
                time.sleep(min(pause, 1.0))
                pause = self.budget.wait_seconds(name)

    def _pause(self, error: VendorError, attempt: int) -> float:
        if isinstance(error, RateLimited) and error.retry_at is not None:
            return max(0.0, error.retry_at - time.time()) + random.uniform(0, 0.05)  # noqa: S311 - jitter
        return float(min(4.0, 0.1 * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    @contextlib.contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """A Session that nobody else uses meanwhile. Making one costs as much as a call, so they are kept."""
        try:
            session = self._sessions.pop()
        except IndexError:
            session = requests.Session()
            session.trust_env = False
            session.mount("https://", self._adapter)
            session.mount("http://", self._adapter)
            session.proxies = {"https": self.endpoint.proxy, "http": self.endpoint.proxy} if self.endpoint.proxy else {}
        try:
            yield session
        finally:
            self._sessions.append(session)

    def _once(
        self,
        method: str,
        url: str,
        headers: Dict[str, str],
        query: Optional[Mapping[str, str]],
        body: Optional[Any],
        form: Optional[Mapping[str, str]],
        name: str,
        deadline: float,
    ) -> Response:
        limits = self.endpoint.limits
        self._notify("before", method, name)
        left = max(0.05, min(limits.attempt, deadline - time.monotonic()))
        with self._session() as session, Watch(left) as watch:
            try:
                answer = session.request(
                    method, url, headers=headers, params=query, json=body, data=form,
                    timeout=(min(limits.connect, left), left), allow_redirects=False,
                    verify=self.endpoint.ca or True, stream=True,
                )  # fmt: skip
            except (OSError, ValueError) as error:  # RequestException is an OSError; a bad header value is a ValueError
                raise self._silence(method, name, error) from None
            with answer:
                try:
                    content = self._content(answer, watch)
                except OSError as error:
                    raise self._silence(method, name, error, sent=True) from None
                finally:
                    self._notify("after", method, name)
        found = {key.lower(): value for key, value in answer.headers.items()}
        self.budget.learn(found, name)
        if 200 <= answer.status_code < 300:
            return Response(answer.status_code, self._decode(content, name), found)
        raise self._refusal(method, name, answer.status_code, found, content)

    def _notify(self, when: str, method: str, name: str) -> None:
        if self._on_call is not None:
            self._on_call(when, self.endpoint.vendor, method, name)

    def _content(self, answer: requests.Response, watch: Watch) -> bytes:
        parts, size = [], 0
        for part in answer.iter_content(65536):
            size += len(part)
            if size > MAX_ANSWER:
                raise BadAnswer(self.endpoint.vendor, f"an answer of more than {MAX_ANSWER} bytes was cut off")
            parts.append(part)
        if watch.late:  # an answer that ends with its connection would look complete
            raise requests.ReadTimeout("the answer came too slowly")
        return b"".join(parts)

    def _decode(self, content: bytes, name: str) -> Any:
        if not content.strip():
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise BadAnswer(self.endpoint.vendor, f"{name}: the answer is not JSON") from None

    def _silence(self, method: str, name: str, error: Exception, *, sent: bool = False) -> VendorError:
        """No answer. Not sent for certain: may be repeated. Maybe sent: only a read may."""
        vendor, kind = self.endpoint.vendor, type(error).__name__
        certain = isinstance(error, requests.exceptions.ProxyError) or _caused_by(error, _NOT_CONNECTED) is not None
        untrusted = _caused_by(error, (ssl.SSLCertVerificationError,))
        if untrusted is not None:
            why = redact(str(untrusted), self._secrets, 160)
            return Unavailable(vendor, f"{name}: TLS failed: {why}. Check the CA setting")
        unusable = isinstance(error, (ValueError, requests.exceptions.InvalidJSONError))
        if unusable or not isinstance(error, requests.RequestException):
            # Refused by requests itself: a URL, header, body or CA path that can't be used.
            return Permanent(vendor, f"{name}: not sent ({redact(str(error), self._secrets, 160)}). Correct the settings")
        if method in _READS or (certain and not sent):
            return Unavailable(vendor, f"{name}: no answer ({kind})")
        return OutcomeUnknown(vendor, f"{name}: sent, and no answer came ({kind}): the state must be read")

    def _refusal(self, method: str, name: str, status: int, headers: Mapping[str, str], content: bytes) -> VendorError:
        vendor = self.endpoint.vendor
        code, said = self._said(content)
        text = f"{name}: {status} {code} {said}".rstrip()
        if status == 429:
            until = retry_at(headers)
            self.budget.refused(until if until is not None else time.time() + 1.0)
            return RateLimited(vendor, text, retry_at=until, status=status, code=code)
        if status == 503 and retry_at(headers) is not None:
            return RateLimited(vendor, text, retry_at=retry_at(headers), status=status, code=code)
        if status == 503 or (status >= 500 and method in _READS):
            return Unavailable(vendor, text, status=status, code=code)
        if status >= 500:
            return OutcomeUnknown(vendor, text, status=status, code=code)
        kinds = {400: WrongState, 401: Unauthorized, 403: Forbidden, 404: NotFound, 409: WrongState, 412: WrongState}
        return kinds.get(status, Permanent)(vendor, text, status=status, code=code)

    def _said(self, content: bytes) -> Tuple[str, str]:
        try:
            code, said = self._explain(json.loads(content))
        except Exception:  # an error page of any shape: there is nothing to tell
            return "", ""
        return redact(code, self._secrets, 60), redact(said, self._secrets)


def retry_at(headers: Mapping[str, str]) -> Optional[float]:
    """Epoch seconds from Retry-After (seconds or date) or X-Rate-Limit-Reset; None when neither says.

    Never further away than an hour: one absurd header must not silence a vendor for good.
    Source: RFC 9110, 10.2.3; Okta, "Rate limits".
    """
    now = time.time()
    after = headers.get("retry-after")
    seconds, until = number(after), number(headers.get("x-rate-limit-reset"))
    if seconds is not None:
        until = now + seconds
    elif after is not None:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            until = email.utils.parsedate_to_datetime(after).timestamp()
    return None if until is None else min(max(until, now), now + _LONGEST)


def _caused_by(error: BaseException, kinds: Tuple[Type[BaseException], ...]) -> Optional[BaseException]:
    """The error of one of these kinds that `error` wraps, as requests and urllib3 wrap them; None when there is none."""
    seen: Any = error
    for _ in range(6):
        if isinstance(seen, kinds):
            return seen
        seen = getattr(seen, "reason", None) or next((arg for arg in getattr(seen, "args", ()) if _is_error(arg)), None)
        if not _is_error(seen):
            return None
    return None


def _host(url: str) -> Tuple[str, Optional[str], int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]


def _is_error(value: object) -> bool:
    return isinstance(value, BaseException)
