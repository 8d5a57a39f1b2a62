"""A vendor that only a relay in the customer's network can reach: each call is a signed request that the relay fetches.

Who has the claim on a request decides what became of it. A relay claims before it does anything; when none did in time
the client claims the request itself, and knows that it was never done. A change that was taken and not
answered may be done: that is `OutcomeUnknown`, and the state is read.
"""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import datetime, timezone
from typing import Any, Callable, Dict, FrozenSet, Iterator, Mapping, Optional, Sequence

from responders.errors import BadAnswer, JournalError, OutcomeUnknown, Permanent, Unavailable, VendorError
from responders.settings import RELAY_KEY, Connection
from responders.vendors import relay_wire as wire
from responders.vendors.client import Response
from responders.vendors.transport import Limits

_PATIENCE = 5.0
"""Seconds until somebody must have taken a request: a relay that is there asks all the time."""
_LOOK_AGAIN = 10.0
"""Seconds for which a relay that was seen is not looked for again."""
_LARGEST = 4 * 1024 * 1024


class RelayClient:
    """A `VendorClient` through the relay that the connection names. `privileged` asks for the relay's second credential.

    `limits.total` bounds a call; the vendor's credentials are the relay's alone.
    """

    def __init__(
        self,
        queue: wire.RelayQueue,
        connection: Connection,
        *,
        privileged: bool = False,
        gate: Optional[Callable[[], None]] = None,
        on_call: Optional[Callable[[str, str, str, str], None]] = None,
        limits: Optional[Limits] = None,
    ) -> None:
        self.vendor, self.tenant, self.settings = connection.vendor, connection.tenant, connection.settings
        self.relay = connection.relay
        self.lasting: Dict[str, str] = {}
        self.clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
        self._queue, self._key, self._privileged = queue, connection.secrets[RELAY_KEY].reveal(), privileged
        self._gate, self._on_call = gate, on_call
        self._seconds = (limits or Limits()).total
        self._own: Optional[FrozenSet[str]] = None
        self._seen_until = 0.0
        self._lock = threading.Lock()
        self._answers = _Answers(queue, f"a/{connection.relay}/")

    def __repr__(self) -> str:
        return f"<RelayClient {self.vendor}:{self.tenant} through {self.relay}>"

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
        found = self._ask(wire.CALL, method, path_template, ids, query, body)
        if not isinstance(found, Mapping) or not isinstance(found.get("status"), int):
            raise BadAnswer(self.vendor, "the relay's answer has no status")
        return Response(found["status"], found.get("body"))

    def items(
        self, path_template: str, *, ids: Sequence[str] = (), query: Optional[Mapping[str, str]] = None
    ) -> Sequence[Mapping[str, Any]]:
        found = self._ask(wire.ITEMS, "GET", path_template, ids, query, None)
        if not isinstance(found, list) or not all(isinstance(item, Mapping) for item in found):
            raise BadAnswer(self.vendor, f"{path_template}: the relay's answer is no list of objects")
        return found

    def own_ids(self) -> FrozenSet[str]:
        with self._lock:
            known = self._own
        if known is None:
            found = self._ask(wire.OWN_IDS, "", "", (), None, None)
            if not isinstance(found, list):
                raise BadAnswer(self.vendor, "the relay's answer is no list of ids")
            known = frozenset(str(item) for item in found)
            with self._lock:
                self._own = known
        return known

    def warm(self) -> None:
        """Have the relay sign in, and learn its own ids."""
        self.own_ids()

    def close(self) -> None:
        """Nothing is open here: the relay has the sessions."""

    def _ask(
        self, what: str, method: str, template: str, ids: Sequence[str], query: Optional[Mapping[str, str]], body: Any
    ) -> Any:
        changes = what == wire.CALL and method not in wire.READS
        if changes and self._gate is not None:
            self._gate()
        self._there()
        now = time.time()
        ask = wire.Ask(
            wire.new_id(now), self.relay, self.vendor, self.tenant, self._privileged, now, now + self._seconds, what, method,
            template, tuple(ids), None if query is None else dict(query), body,
        )  # fmt: skip
        try:
            text = ask.text()
        except (TypeError, ValueError) as error:
            raise Permanent(self.vendor, f"{template}: not sent ({type(error).__name__}). Correct its source") from None
        if len(text) > _LARGEST:
            raise Permanent(self.vendor, f"{template}: not sent: {len(text)} characters are more than a relay takes")
        if self._on_call is not None:
            self._on_call("before", self.vendor, method, template)
        try:
            return self._exchanged(ask, text, changes)
        finally:
            if self._on_call is not None:
                self._on_call("after", self.vendor, method, template)

    def _exchanged(self, ask: wire.Ask, text: str, changes: bool) -> Any:
        with self._answers.expected(ask.id):
            return self._waited(ask, text, changes)

    def _waited(self, ask: wire.Ask, text: str, changes: bool) -> Any:
        mac = wire.sign(self._key, wire.REQUEST, text)
        began = time.monotonic()
        with contextlib.suppress(JournalError):  # whether it was stored: the claim decides
            self._queue.create(f"r/{self.relay}/{ask.id}", {"doc": text, "mac": mac})
        taken = False
        while time.monotonic() - began < self._seconds:
            answer = self._answers.of(ask.id)
            if answer is not None:
                return self._read(answer, ask, mac, changes)
            if not taken and time.monotonic() - began > min(_PATIENCE, self._seconds / 2):
                self._withdraw(ask, changes)
                taken = True
            time.sleep(0.03 if time.monotonic() - began < 2.0 else 0.1)
        if not taken:
            self._withdraw(ask, changes)
        raise self._silence(ask, changes, f"relay {self.relay} took the request and did not answer")

    def _there(self) -> None:
        """Fail at once where no relay has been seen for a minute: waiting would use up the time of the other steps."""
        if time.monotonic() < self._seen_until:
            return
        try:
            found = wire.seen(self._queue, self.relay, time.time())
        except JournalError as error:
            raise Unavailable(self.vendor, f"the queue of relay {self.relay} can't be read: {error}") from None
        if not found:
            raise self._away()
        self._seen_until = time.monotonic() + _LOOK_AGAIN

    def _away(self) -> Unavailable:
        return Unavailable(
            self.vendor,
            f"relay {self.relay} has not asked Splunk for work: start it, or look at its log on its machine "
            "(systemctl status tourniquet-relay; tourniquet serve --relay --check)",
        )

    def _withdraw(self, ask: wire.Ask, changes: bool) -> None:
        """Take the request back. Raises Unavailable when that succeeded: then nobody has done it, nor ever will."""
        try:
            mine = self._queue.create(f"c/{self.relay}/{ask.id}", {"by": "the search head"})
        except JournalError as error:
            raise self._silence(
                ask, changes, f"whether relay {self.relay} took the request is not known ({error})"
            ) from None
        if mine:
            self._seen_until = 0.0
            with contextlib.suppress(JournalError):
                self._queue.forget(f"r/{self.relay}/{ask.id}")
            raise self._away()

    def _read(self, answer: Mapping[str, Any], ask: wire.Ask, mac: str, changes: bool) -> Any:
        text = str(answer.get("doc", ""))
        if not wire.signed(self._key, wire.ANSWER, text, answer.get("mac")):
            why = (
                f"the answer of relay {self.relay} is not signed with its key: the key in the connection is another one, or "
                "somebody forged the answer. Compare the keys; look who may write the collection tourniquet_relay"
            )
            raise OutcomeUnknown(self.vendor, why) if changes else BadAnswer(self.vendor, why)
        with contextlib.suppress(JournalError):  # swept later
            self._queue.forget(f"a/{self.relay}/{ask.id}")
        return wire.read_answer(text, ask.id, mac, self.vendor)

    def _silence(self, ask: wire.Ask, changes: bool, why: str) -> VendorError:
        if changes:
            return OutcomeUnknown(self.vendor, f"{ask.template}: {why}: the state must be read")
        return Unavailable(self.vendor, f"{ask.template}: {why}")


class _Answers:
    """One look at the queue serves all threads that wait: an action may ask for thirty things at once."""

    def __init__(self, queue: wire.RelayQueue, prefix: str) -> None:
        self._queue, self._prefix = queue, prefix
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._found: Dict[str, Optional[Mapping[str, Any]]] = {}

    @contextlib.contextmanager
    def expected(self, ask_id: str) -> Iterator[None]:
        """While somebody waits for this answer."""
        with self._lock:
            self._found[ask_id] = None
        try:
            yield
        finally:
            with self._lock:
                self._found.pop(ask_id, None)

    def of(self, ask_id: str) -> Optional[Mapping[str, Any]]:
        """The answer, None when it is not there yet. Looks itself unless another thread is looking."""
        if self._turn.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._turn.release()
        with self._lock:
            return self._found.get(ask_id)

    def _look(self) -> None:
        with self._lock:
            waiting = sorted(ask_id for ask_id, answer in self._found.items() if answer is None)
        if not waiting:
            return
        oldest = self._prefix + waiting[0].partition("-")[0]
        with contextlib.suppress(JournalError):  # asked again until the time is over
            for key, doc in self._queue.scan(self._prefix, oldest):
                with self._lock:
                    if key[len(self._prefix) :] in self._found:
                        self._found[key[len(self._prefix) :]] = doc
