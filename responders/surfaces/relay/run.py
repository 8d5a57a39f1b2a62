"""The relay, put together: one thread asks Splunk for work, workers carry it out, and what was begun is ended at a stop."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any, Deque, Dict, FrozenSet, Mapping, TextIO

from responders.errors import (
    Forbidden,
    NotFound,
    Permanent,
    RateLimited,
    TourniquetError,
    Unauthorized,
    Unavailable,
    VendorError,
)
from responders.escalation.report import Report
from responders.escalation.send import send
from responders.surfaces.relay.admit import Gate, Quieter, Turned
from responders.surfaces.relay.config import Config, load_config
from responders.surfaces.relay.rule import Broken
from responders.surfaces.relay.state import State
from responders.surfaces.relay.uplink import WAIT, Uplink
from responders.surfaces.relay.work import as_refusal, carry_out
from responders.surfaces.service.log import Log
from responders.vendors import relay_wire as wire
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits

LIMITS = Limits(connect=4.0, attempt=7.0, total=9.0, retries=3)
"""At the vendor: over before the search head, which waits 15 s, gives up."""
_BUSY_FOR = 10.0
_LONGEST_PAUSE = 30.0
_FOR_OTHERS = 2.0
"""Seconds for which a request to give something back is left to the relay that took it; the search head waits 5 s."""
_MOST_LEFT = 1000
_BEHIND = 0.1
"""Seconds until splunkd is asked again when it still shows what was claimed: its reads may be behind."""


class Relay:
    """One relay process. Raises BadInputs, BadSettings."""

    def __init__(self, config: Config, stream: TextIO = sys.stderr, *, wait: float = WAIT) -> None:
        self.config, self._wait = config, wait
        self.log = Log(stream, config.secrets())
        self.state = State(config.state)
        self.clients = ClientPool(config.connections, limits=LIMITS)
        self.gate = Gate(config, self.state, self._own)
        self.uplink = Uplink(config)
        self._told = Quieter()
        self._stopping = threading.Event()
        self._changed, self._in_hand = threading.Condition(), 0
        self._claiming = threading.Lock()
        self._tried: Deque[str] = deque(maxlen=1000)
        self._first_seen: Dict[str, float] = {}
        self._workers = ThreadPoolExecutor(config.workers, thread_name_prefix="relay")
        self._poller = threading.Thread(target=self._run, name="poll", daemon=True)
        self._busy_until = 0.0

    def start(self) -> None:
        self._poller.start()
        served = [f"{c.vendor}:{c.tenant}" for c in self.config.connections]
        self.log.info(
            "relay", name=self.config.name, instance=self.config.instance, serves=served, splunk=self.config.splunk
        )

    def stop(self) -> None:
        """Ask for no more, and end what was begun."""
        with self._claiming:  # what was claimed is ours, and is carried out
            self._stopping.set()
        self._workers.shutdown(wait=True)
        self.uplink.close()
        self.clients.close()
        self.state.close()
        self.log.info("stopped")

    def _run(self) -> None:
        pause, problem = 1.0, ""
        while not self._stopping.is_set():
            try:
                took = self._poll()
            except TourniquetError as error:
                if self._stopping.is_set():
                    return
                if str(error) != problem:
                    self.log.error("Splunk gives no work", why=error, do=remedy(error))
                problem = str(error)
                self._stopping.wait(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
                continue
            if problem:
                self.log.info("Splunk answers again")
            pause, problem = 1.0, ""
            if took:
                self._busy_until = time.monotonic() + _BUSY_FOR

    def _poll(self) -> int:
        """Claim no more than there are workers for: a request in a queue here would only grow old."""
        with self._changed:
            self._changed.wait_for(lambda: self._in_hand < self.config.workers)
            free = self.config.workers - self._in_hand
        found = self.uplink.poll(busy=time.monotonic() < self._busy_until, wait=self._wait)
        wanted = {str(item.get("id", "")): item for item in found if not self._left(item)}
        if found and not wanted:
            time.sleep(_BEHIND)
        with self._claiming:
            if self._stopping.is_set() or not wanted:
                return 0
            asked = list(wanted)[:free]
            mine = self.uplink.claim(asked)
            self._tried.extend(asked)
            with self._changed:
                self._in_hand += len(mine)
            for ask_id in mine:
                self._workers.submit(self._handled, wanted[ask_id])
        return len(mine)

    def _left(self, item: Mapping[str, Any]) -> bool:
        """Whether a request is left alone for now: claimed before, or to give back what another relay may have taken."""
        ask_id = str(item.get("id", ""))
        if ask_id in self._tried:
            return True
        if not self.gate.others(item):
            return False
        self._first_seen[ask_id] = self._first_seen.get(ask_id, time.monotonic())
        while len(self._first_seen) > _MOST_LEFT:
            self._first_seen.pop(next(iter(self._first_seen)))
        return time.monotonic() - self._first_seen[ask_id] < _FOR_OTHERS

    def _handled(self, item: Mapping[str, Any]) -> None:
        try:
            self._answer(item, self.result(item))
        except Exception as error:  # a mistake of ours must not end a worker
            self.log.error("internal error", why=type(error).__name__)
        finally:
            with self._changed:
                self._in_hand -= 1
                self._changed.notify()

    def result(self, item: Mapping[str, Any]) -> str:
        """The text of the answer to one fetched request. Raises nothing of the vendor's or the request's."""
        ask_id, mac = str(item.get("id", "")), str(item.get("mac", ""))
        vendor = "relay"
        try:
            ask = self.gate.known(item, time.time())
            vendor = ask.vendor
            rule = self.gate.allowed(ask, time.time())
            client = self.clients.get(ask.vendor, ask.tenant, privileged=ask.privileged)
            if client is None:
                raise Turned(f"this relay does not speak for {ask.vendor}:{ask.tenant}")
            began = time.monotonic()
            ok = carry_out(ask, rule, client, self.state, self.config.never)
            if rule.changes:
                seconds = round(time.monotonic() - began, 3)
                self.log.info(
                    "changed", id=ask.id, vendor=vendor, method=ask.method, path=ask.template, ids=ask.ids, seconds=seconds
                )
            return wire.as_answer(ask_id, mac, ok=ok)
        except (Turned, Broken) as error:
            loud = not isinstance(error, Turned) or error.loud
            self._refused(item, str(error), loud)
            return wire.as_answer(ask_id, mac, error=as_refusal(vendor, self.config.name, Broken(str(error))))
        except RateLimited as error:
            if "changes_an_hour" in error.message:
                self._tell("limit", error.message, "Raise changes_an_hour, or find out who contains so many")
            return wire.as_answer(ask_id, mac, error=error)
        except VendorError as error:
            self.log.warn("the vendor refused, or did not answer", id=ask_id, why=error)
            return wire.as_answer(ask_id, mac, error=error)

    def _refused(self, item: Mapping[str, Any], why: str, loud: bool) -> None:
        write = self.log.error if loud else self.log.warn
        write("REFUSED a request of Splunk", id=str(item.get("id", ""))[:80], why=why)
        if loud:
            self._tell(
                "refused", f"relay {self.config.name} refused a request of Splunk: {why}",
                "Somebody may use the relay's key or Splunk's storage: look who administers Splunk; in doubt stop the relay",
            )  # fmt: skip

    def _tell(self, kind: str, title: str, remedy: str) -> None:
        missed = self._told.now(kind)
        if missed is None or not self.config.channels:
            return
        more = f" ({missed} more since the last message)" if missed else ""
        report = Report("", title + more, True, None, None, None, (), (remedy,), (), (), "", "", datetime.now(timezone.utc))
        for name, why in send(self.config.channels, report, 10.0):
            self.log.error("people could not be told", channel=name, why=why)

    def _answer(self, item: Mapping[str, Any], text: str) -> None:
        mac = wire.sign(self.config.key.reveal(), wire.ANSWER, text)
        for pause in (0.2, 1.0, 3.0, 0.0):
            try:
                self.uplink.answer(str(item.get("id", "")), text, mac)
                return
            except Permanent as error:
                self.log.error(
                    "Splunk does not take an answer", id=str(item.get("id", ""))[:80], why=error, do=remedy(error)
                )
                return
            except VendorError as error:  # lost answers too: the first that arrived stays
                last = error
                time.sleep(pause)
        self.log.error(
            "an answer could not be handed in: Splunk will read the state anew", id=str(item["id"])[:80], why=last
        )

    def _own(self, vendor: str, tenant: str) -> FrozenSet[str]:
        clients = [self.clients.get(vendor, tenant, privileged=other) for other in (False, True)]
        names = {
            str(one.plain.get("username", ""))
            for c in self.config.connections
            if (c.vendor, c.tenant) == (vendor, tenant)
            for one in (c, c.privileged)
            if one is not None
        } - {""}
        return frozenset({*names, *(own for client in clients if client is not None for own in client.own_ids())})


def remedy(error: Exception) -> str:
    """What the relay's administrator does about Splunk's refusal."""
    if isinstance(error, Unauthorized):
        return "make a new token for the relay's Splunk user, and put it into the file of relay.token"
    if isinstance(error, Forbidden):
        return "give the relay's Splunk user the role tourniquet_relay"
    if isinstance(error, NotFound):
        return "install the app tourniquet on that search head, or correct relay.splunk"
    if isinstance(error, Unavailable):
        return (
            "let this machine reach relay.splunk (in Splunk Cloud: its address in the allow list of the search head's API)"
        )
    return "look at splunkd.log of the search head"


def serve(path: str) -> int:
    """Run until SIGTERM or SIGINT. The exit code."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    relay = Relay(load_config(path))
    relay.start()
    ended.wait()
    relay.stop()
    return 0
