"""Who may send a webhook: somebody who holds the secret, now, and not the same thing twice.

Kibana's webhook connector can send headers that it keeps as secrets, or a user and a password (Elastic, "Webhook connector
and action"); it can't sign. So a shared secret is taken as `Authorization: Bearer` or as the password of Basic, with the
time in the body (`{{date}}`). Who can sign sends `X-Tourniquet-Timestamp` (epoch seconds) and `X-Tourniquet-Signature:
v1=<hex>`, the HMAC-SHA256 of `<timestamp>.<body>`: then the secret itself is on no wire.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from datetime import datetime
from typing import Callable, Optional, Sequence

from werkzeug.datastructures import Headers

from responders.settings import Secret

_MOST = 100_000


class Refusal(Exception):
    """A webhook that is not taken: `status` for the sender, `why` for our log. The sender learns nothing more."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class Door:
    """Checks webhooks. Shared by threads."""

    def __init__(self, secrets: Sequence[Secret], window: float, clock: Callable[[], float] = time.time) -> None:
        self._secrets = [secret.reveal().encode() for secret in secrets]
        self._window, self._clock = window, clock
        self._taken: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def authenticate(self, headers: Headers, body: bytes) -> Optional[float]:
        """The time that a signature vouches for, None when a secret was sent. Raises Refusal."""
        signature = headers.get("X-Tourniquet-Signature", "")
        if signature:
            return self._signed(signature, headers.get("X-Tourniquet-Timestamp", ""), body)
        scheme, _, value = headers.get("Authorization", "").partition(" ")
        given = value.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode("utf-8").partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        elif scheme.lower() != "bearer":
            raise Refusal(401, "no secret was sent")
        if not given or not self._known(given.encode("utf-8", "surrogateescape")):
            raise Refusal(401, "a wrong secret was sent")
        return None

    def fresh(self, at: Optional[float]) -> None:
        """Raises Refusal for a time outside the window, or none."""
        if at is None:
            raise Refusal(401, "no time was sent")
        if abs(self._clock() - at) > self._window:
            raise Refusal(401, "its time is outside the window: a replay, or a clock that is wrong")

    def once(self, body: bytes) -> None:
        """Raises Refusal for a body that was taken before."""
        name = hashlib.sha256(body).hexdigest()
        with self._lock:
            if name in self._taken:
                raise Refusal(409, "the same webhook was taken before")

    def taken(self, body: bytes) -> None:
        """This body was dealt with; before that, its sender may try again."""
        now = self._clock()
        with self._lock:
            self._taken[hashlib.sha256(body).hexdigest()] = now
            # Twice the window: a time may lie ahead as well as behind.
            while self._taken and (len(self._taken) > _MOST or next(iter(self._taken.values())) < now - 2 * self._window):
                self._taken.popitem(last=False)

    def _signed(self, signature: str, stamp: str, body: bytes) -> float:
        try:
            at = float(int(stamp))
        except (ValueError, OverflowError):
            raise Refusal(401, "a signature without a time") from None
        text = stamp.encode("utf-8", "replace") + b"." + body
        good = [f"v1={hmac.new(secret, text, hashlib.sha256).hexdigest()}" for secret in self._secrets]
        given = signature.encode("utf-8", "replace")
        if not any(hmac.compare_digest(given, one.encode()) for one in good):
            raise Refusal(401, "a wrong signature was sent")
        return at

    def _known(self, given: bytes) -> bool:
        return any(hmac.compare_digest(given, secret) for secret in self._secrets)


def seconds(text: str) -> Optional[float]:
    """Epoch seconds of an ISO 8601 time with an offset, as Kibana's `{{date}}` is one; None when it is none."""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo is not None else None
