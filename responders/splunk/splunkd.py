"""splunkd's management port, through splunklib: JSON in and out, bounded in time and size, errors as sentences.

Only `splunklib.binding` is loaded, and connections are kept open: the alert process starts afresh for each alert, and each
entry of the journal is one call. splunklib closes a connection after each call and has no timeout unless it is given a
handler of its own (`binding.Context(handler=…)`), which is what `_Handler` is.
"""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from io import BytesIO
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, TypeVar
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from splunklib import binding

from responders.errors import TourniquetError

T = TypeVar("T")
APP = "tourniquet"
_LARGEST = 64 * 1024 * 1024
_AT_ONCE = 64 * 1024
_IDLE = 5.0
"""Seconds after which a connection is not used again: splunkd may close it (server.conf, busyKeepAliveIdleTimeout)."""


class SplunkError(TourniquetError):
    """splunkd refused a call or did not answer. `status` 0: no answer; `sent`: what was asked may have been done."""

    def __init__(self, what: str, *, status: int = 0, sent: bool = False) -> None:
        super().__init__(f"Splunk: {what}")
        self.status = status
        self.sent = sent

    @property
    def passing(self) -> bool:
        """True when the same call may succeed a little later."""
        return self.status in (0, 429, 502, 503, 504)


class Splunkd:
    """One splunkd, as one session key sees it. Safe to share between threads. Each call raises SplunkError.

    `uri` is `server_uri` of an alert's payload, `session_key` may be an authentication token as well. `seconds` bounds each
    single read or write of the connection.
    """

    def __init__(
        self, uri: str, session_key: str, *, app: str = APP, seconds: float = 10.0, tls: Optional[ssl.SSLContext] = None
    ) -> None:
        parts = urlsplit(uri)
        try:
            port = parts.port or 8089
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or not port:
            raise SplunkError(f"{uri[:200]!r} is no URI of a splunkd")
        if not session_key or not session_key.isprintable():
            raise SplunkError("there is no session key. Splunk gives one to an alert action, and to an input with passAuth")
        self.app = app
        self._made = (uri, session_key, tls)
        self._handler = _Handler(seconds, tls)
        self._context = binding.Context(
            handler=self._handler,
            scheme=parts.scheme, host=parts.hostname, port=port, owner="nobody", app=app, sharing="app",
            **{"splunkToken" if _is_token(session_key) else "token": session_key},
        )  # fmt: skip

    def patient(self, seconds: float) -> Splunkd:
        """The same session with more time for each answer."""
        uri, session_key, tls = self._made
        return Splunkd(uri, session_key, app=self.app, seconds=seconds, tls=tls)

    def get(self, *path: str, app: str = "", query: Optional[Mapping[str, str]] = None) -> Any:
        """What a GET of a path within the app gives; each part of the path is escaped."""
        return self._call("GET", path, app, query or {}, {}, None)

    def post(
        self, *path: str, app: str = "", form: Optional[Mapping[str, str]] = None, query: Optional[Mapping[str, str]] = None
    ) -> Any:
        """POST of a form."""
        return self._call("POST", path, app, query or {}, form or {}, None)

    def post_json(self, *path: str, body: Any) -> Any:
        """POST of a JSON document."""
        text = json.dumps(body, separators=(",", ":")).encode()
        return self._call("POST", path, "", {}, {}, (text, "application/json"))

    def post_text(self, *path: str, body: str, query: Mapping[str, str]) -> Any:
        """POST of raw text."""
        return self._call("POST", path, "", query, {}, (body.encode("utf-8", "replace"), "text/plain; charset=utf-8"))

    def delete(self, *path: str, query: Optional[Mapping[str, str]] = None) -> Any:
        """DELETE of a path within the app."""
        return self._call("DELETE", path, "", query or {}, {}, None)

    def entries(self, *path: str, app: str = "", query: Optional[Mapping[str, str]] = None) -> List[Mapping[str, Any]]:
        """The entries of an answer, all of them: `name`, `content`, `acl`."""
        answer = self.get(*path, app=app, query={"count": "0", **(query or {})})
        found = answer.get("entry") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise SplunkError(f"the answer to {'/'.join(path)} has no entries")
        return found

    def close(self) -> None:
        """Close the connections that are open; it can be used afterwards."""
        self._handler.close()

    def _call(
        self,
        method: str,
        path: Tuple[str, ...],
        app: str,
        query: Mapping[str, str],
        form: Mapping[str, str],
        body: Optional[Tuple[bytes, str]],
    ) -> Any:
        name = binding.UrlEncoded("/".join(quote(part, safe="") for part in path), skip_encode=True)
        where = {"owner": "nobody", "app": app or self.app, "sharing": "app"}
        try:
            if method == "POST" and body is not None:
                headers = [("Content-Type", body[1])]
                response = self._context.post(name, headers=headers, body=body[0], output_mode="json", **where, **query)
            elif method == "POST":
                response = self._context.post(name, body={**form, "output_mode": "json"}, **where, **query)
            elif method == "DELETE":
                response = self._context.delete(name, output_mode="json", **where, **query)
            else:
                response = self._context.get(name, output_mode="json", **where, **query)
        except binding.AuthenticationError:
            what = "the session key is not valid any more, or never was. Start the search or the input anew"
            raise SplunkError(what, status=401) from None
        except binding.HTTPError as error:
            raise SplunkError(f"{'/'.join(path)}: {_said(error.body) or error.reason}", status=int(error.status)) from None
        data = response.body.read()
        try:
            return json.loads(data) if data.strip() and not data.lstrip().startswith(b"<") else None
        except ValueError:
            raise SplunkError(f"the answer to {'/'.join(path)} is not JSON", sent=True) from None


def _is_token(key: str) -> bool:
    """True for one of Splunk's authentication tokens, which are JSON web tokens and are sent as `Bearer`."""
    return key.startswith("eyJ") and key.count(".") == 2


def pauses(seconds: float) -> Iterator[float]:
    """Pauses between tries, longer and longer, that end when so much time is over."""
    end = time.monotonic() + seconds
    pause = 0.05
    while True:
        yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        if time.monotonic() >= end:
            return
        pause = min(2.0, pause * 2)


def patiently(call: Callable[[], T], seconds: float) -> T:
    """What the call gives, tried again so long while it fails in passing. Raises the last SplunkError. For reads only."""
    last: Optional[SplunkError] = None
    for pause in pauses(seconds):
        try:
            return call()
        except SplunkError as error:
            last = error
            if not error.passing:
                break
            time.sleep(pause)
    assert last is not None
    raise last


def _said(body: bytes) -> str:
    """The texts of an error, in JSON or XML, on one line."""
    try:
        messages = json.loads(body)["messages"]
        found = [str(message["text"]) for message in messages]
    except (ValueError, KeyError, TypeError):
        try:
            found = [message.text or "" for message in ET.fromstring(body).iter("msg")]  # noqa: S314 - from our own splunkd
        except ET.ParseError:
            found = []
    return " ".join(" ".join(found).split())[:500]


class _Handler:
    """Sends one request for splunklib, over a connection that is kept open for the next one."""

    def __init__(self, seconds: float, tls: Optional[ssl.SSLContext]) -> None:
        self._seconds, self._tls = seconds, tls
        self._idle: List[Tuple[float, HTTPConnection]] = []
        self._lock = threading.Lock()

    def __call__(self, url: str, message: Mapping[str, Any], **_: Any) -> Dict[str, Any]:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = message.get("body") or b""
        headers = {"Content-Length": str(len(body)), "Accept": "*/*", **dict(message["headers"])}
        connection = self._connection(parts.scheme, parts.hostname or "", parts.port or 0)
        sent = False
        try:
            if connection.sock is None:
                connection.connect()
            sent = True
            connection.request(str(message.get("method", "GET")), target, body, headers)
            response = connection.getresponse()
            data = _bounded(response)
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            why = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise SplunkError(f"splunkd at {parts.netloc} does not answer ({why})", sent=sent) from None
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append((time.monotonic(), connection))
        return {
            "status": response.status, "reason": response.reason, "headers": response.getheaders(), "body": BytesIO(data)
        }  # fmt: skip

    def _connection(self, scheme: str, host: str, port: int) -> HTTPConnection:
        with self._lock:
            while self._idle:
                since, found = self._idle.pop()
                if time.monotonic() - since < _IDLE:
                    return found
                found.close()
        if scheme == "https":
            return HTTPSConnection(host, port, timeout=self._seconds, context=self._tls)
        return HTTPConnection(host, port, timeout=self._seconds)

    def close(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop()[1].close()


def _bounded(response: HTTPResponse) -> bytes:
    """The whole answer. In parts: Python 3.9 makes room for all that is asked for, which takes longer than the call."""
    parts: List[bytes] = []
    size = 0
    while True:
        part = response.read(_AT_ONCE)
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise ValueError(f"an answer of more than {_LARGEST} bytes")
