"""What the search head and a relay say to each other: one request, one answer, each signed with the key both hold.

A text is signed as it stands, and parsed only after its signature was found good. Request and answer are signed in
different words, so that neither can be played back as the other; an answer names the signature of its request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Protocol, Tuple

from responders.errors import (
    BadAnswer,
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

REQUEST, ANSWER = "request", "answer"
CALL, ITEMS, OWN_IDS = "call", "items", "own_ids"
READS = ("GET", "HEAD")
LONGEST_LIFE = 120.0
"""Seconds from a request's issue to its expiry, at most."""
SEEN_FOR = 60.0
"""Seconds after its last poll for which a relay is taken to be there."""
_ID = re.compile(r"[0-9]{13}-[0-9a-f]{32}\Z")
_ERRORS: Mapping[str, Callable[..., VendorError]] = {
    kind.__name__: kind
    for kind in (Unavailable, Unauthorized, Forbidden, NotFound, WrongState, BadAnswer, Permanent, OutcomeUnknown)
}


class RelayQueue(Protocol):
    """Where both sides meet: insert-only documents below r/ (requests), c/ (claims), a/ (answers) and s/ (who was seen)."""

    def create(self, key: str, doc: Mapping[str, Any]) -> bool:
        """False when the key exists. Raises JournalError, then nobody knows whether it was stored."""
        ...

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Mapping[str, Any]]]:
        """Documents below `prefix` with keys greater than `after`, in order. Raises JournalError."""
        ...

    def forget(self, key: str) -> None:
        """Delete one; one that is gone is no error. Raises JournalError."""
        ...


@dataclass(frozen=True)
class Ask:
    """One request. `issued` and `expires` are epoch seconds; `what` is CALL, ITEMS or OWN_IDS."""

    id: str
    relay: str
    vendor: str
    tenant: str
    privileged: bool
    issued: float
    expires: float
    what: str
    method: str = ""
    template: str = ""
    ids: Tuple[str, ...] = ()
    query: Optional[Mapping[str, str]] = None
    body: Any = None

    def text(self) -> str:
        """The text that is signed."""
        return json.dumps({**self.__dict__, "ids": list(self.ids)}, sort_keys=True, separators=(",", ":"))


def new_id(now: float) -> str:
    """Ids sort by time, so that old documents can be found by their keys."""
    return f"{stamp(now)}-{secrets.token_hex(16)}"


def is_id(text: str) -> bool:
    return bool(_ID.match(text))


def stamp(at: float) -> str:
    """Milliseconds of the epoch, as ids begin."""
    return f"{int(at * 1000):013d}"


def sign(key: str, kind: str, text: str) -> str:
    """HMAC-SHA256 in hexadecimal."""
    return hmac.new(key.encode(), f"tourniquet relay {kind} 1\n{text}".encode(), hashlib.sha256).hexdigest()


def signed(key: str, kind: str, text: str, mac: Any) -> bool:
    """Whether this signature is of this text."""
    return isinstance(mac, str) and hmac.compare_digest(sign(key, kind, text).encode(), mac.encode("utf-8", "replace"))


def read_ask(text: str) -> Ask:
    """A request from its text, whose signature was good. Raises ValueError for one that nobody of ours wrote."""
    given = json.loads(text)
    if not isinstance(given, dict) or set(given) != set(Ask.__dataclass_fields__):
        raise ValueError("its keys are not those of a request")
    if not all(isinstance(given[name], str) for name in ("id", "relay", "vendor", "tenant", "what", "method", "template")):
        raise ValueError("a text is none")
    if not is_id(given["id"]) or given["what"] not in (CALL, ITEMS, OWN_IDS) or not isinstance(given["privileged"], bool):
        raise ValueError("id, kind or privileged is none")
    for name in ("issued", "expires"):
        if isinstance(given[name], bool) or not isinstance(given[name], (int, float)) or not math.isfinite(given[name]):
            raise ValueError(f"{name} is no time")
    ids, query = given["ids"], given["query"]
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise ValueError("ids are no list of texts")
    if query is not None and not (isinstance(query, dict) and all(isinstance(value, str) for value in query.values())):
        raise ValueError("query is no object of texts")
    return Ask(**{**given, "ids": tuple(ids)})


def as_answer(ask_id: str, ask_mac: str, *, ok: Any = None, error: Optional[VendorError] = None) -> str:
    """The text of an answer: what the vendor said, or how it refused."""
    doc: Dict[str, Any] = {"id": ask_id, "to": ask_mac}
    if error is None:
        doc["ok"] = ok
    else:
        kind = "RateLimited" if isinstance(error, RateLimited) else type(error).__name__
        doc["error"] = {"kind": kind, "message": error.message, "status": error.status, "code": error.code}
        if isinstance(error, RateLimited):
            doc["error"]["retry_at"] = error.retry_at
    return json.dumps(doc, sort_keys=True, separators=(",", ":"))


def read_answer(text: str, ask_id: str, ask_mac: str, vendor: str) -> Any:
    """What the vendor said. Raises the vendor's error as the relay had it, BadAnswer for an answer to something else."""
    try:
        doc = json.loads(text)
        if doc["id"] != ask_id or doc["to"] != ask_mac:
            raise BadAnswer(vendor, "the relay's answer belongs to another request")
        if "error" not in doc:
            return doc["ok"]
        error = doc["error"]
        message, status, code = str(error["message"]), int(error["status"]), str(error["code"])
        retry_at = error.get("retry_at")
        if error["kind"] == "RateLimited":
            raise RateLimited(vendor, message, retry_at=float(retry_at) if retry_at else None, status=status, code=code)
        raise _ERRORS.get(str(error["kind"]), Permanent)(vendor, message, status=status, code=code)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadAnswer(vendor, "the relay's answer can't be read: is it of another version?") from None


def seen(queue: RelayQueue, relay: str, now: float) -> Dict[str, float]:
    """Relays of this name that polled within the last minute: instance to epoch seconds. Raises JournalError."""
    prefix = f"s/{relay}/"
    found: Dict[str, float] = {}
    for key, _ in queue.scan(prefix, f"{prefix}{stamp(now - SEEN_FOR)}"):
        at, _, instance = key[len(prefix) :].partition("-")
        found[instance] = int(at) / 1000 if at.isdigit() else 0.0
    return found
