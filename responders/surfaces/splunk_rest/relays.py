"""Where relays in customers' networks ask for work and answer. What they say is signed, and read elsewhere.

A relay's token opens these endpoints and nothing else: it shows signed requests of one queue, and puts answers whose
signature the responder checks. It can keep requests from being done; it can't make one.

A poll only shows; a claim is a call of its own. splunkd does not tell that a relay hung up, and a poll that nobody reads any
more must not take requests.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from typing import Any, Dict, List, Mapping, Tuple

from responders.errors import JournalError
from responders.settings import RELAY_NAME
from responders.splunk.relay_queue import KvRelayQueue
from responders.splunk.splunkd import Splunkd
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.fields import Fields
from responders.surfaces.splunk_rest.wire import Status
from responders.vendors.relay_wire import LONGEST_LIFE, is_id, seen, stamp

LONGEST_WAIT = 25.0
_IDLE, _BUSY = 0.2, 0.05
"""Seconds between two looks at the queue; busy when the relay was given work a moment ago, for one call follows another."""
_SEEN_EVERY = 15.0
_MOST = 32
_LONGEST_ANSWER = 6 * 1024 * 1024
_INSTANCE = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_swept: Dict[str, float] = {}


def poll(context: Context, names: Tuple[str, ...]) -> Mapping[str, Any]:
    """GET relay_poll/NAME?wait&busy&instance: requests that nobody has claimed, none after `wait` seconds."""
    relay, query = _name(names), context.request.query
    wait = _number(query, "wait", LONGEST_WAIT)
    instance = query.get("instance", "")
    if not _INSTANCE.match(instance):
        raise Status(400, "instance must be a name of at most 64 letters, digits, _ . -")
    queue = KvRelayQueue(context.splunkd)
    _say_seen(queue, relay, instance)
    if time.monotonic() - _swept.get(relay, -60.0) >= 60.0:
        _swept[relay] = time.monotonic()
        with contextlib.suppress(JournalError):  # tried again in a minute
            queue.sweep(relay, time.time())
    until = time.monotonic() + wait
    while True:
        found = _waiting(queue, relay)
        left = until - time.monotonic()
        if found or left <= 0:
            return {"requests": found}
        time.sleep(min(left, _BUSY if query.get("busy") == "1" else _IDLE))


def claim(context: Context, names: Tuple[str, ...]) -> Mapping[str, Any]:
    """POST relay_work/NAME/claims {"ids", "instance"}: which of these requests are this relay's alone from now on."""
    relay = _name(names)
    fields = Fields(context.request.body(), ("ids", "instance"))
    instance, ids = fields.text("instance", needed=True), fields.items("ids", most=_MOST)
    if not all(isinstance(item, str) and is_id(item) for item in ids):
        fields.error("ids", "holds what is no id of a request", "send those that were fetched")
    fields.done()
    queue, mine = KvRelayQueue(context.splunkd), []
    for ask_id in ids:
        if queue.create(f"c/{relay}/{ask_id}", {"by": instance[:64]}):
            mine.append(ask_id)
            queue.forget(f"r/{relay}/{ask_id}")
    return {"mine": mine}


def answer(context: Context, names: Tuple[str, ...]) -> Mapping[str, Any]:
    """POST relay_work/NAME/answers {"id", "doc", "mac"}. The first answer to a request stays."""
    relay = _name(names)
    fields = Fields(context.request.body(), ("id", "doc", "mac"))
    ask_id, mac = fields.text("id", needed=True), fields.text("mac", needed=True)
    doc = fields.given.get("doc")
    if ask_id and not is_id(ask_id):
        fields.error("id", "is no id of a request", "send the one that was fetched")
    if not isinstance(doc, str) or len(doc) > _LONGEST_ANSWER:
        fields.error("doc", f"is no text of at most {_LONGEST_ANSWER} characters", "correct it")
    fields.done()
    stored = KvRelayQueue(context.splunkd).create(f"a/{relay}/{ask_id}", {"doc": doc, "mac": mac})
    return {"stored": stored}


def shown(splunkd: Splunkd, relay: str) -> Mapping[str, Any]:
    """The relay of a connection, and the instances that asked for work within the last minute."""
    try:
        found = seen(KvRelayQueue(splunkd), relay, time.time())
    except JournalError:
        found = {}
    return {"relay": relay, "relay_seen": sorted(found)}


def _waiting(queue: KvRelayQueue, relay: str) -> List[Mapping[str, Any]]:
    prefix = f"r/{relay}/"
    found = queue.scan(prefix, prefix + stamp(time.time() - LONGEST_LIFE))
    return [
        {"id": key[len(prefix) :], "doc": doc.get("doc"), "mac": doc.get("mac")}
        for key, doc in itertools.islice(found, _MOST)
    ]


def _say_seen(queue: KvRelayQueue, relay: str, instance: str) -> None:
    """One document each 15 seconds, whichever search head was asked."""
    slot = time.time() // _SEEN_EVERY * _SEEN_EVERY
    queue.create(f"s/{relay}/{stamp(slot)}-{instance}", {})


def _name(names: Tuple[str, ...]) -> str:
    if not RELAY_NAME.match(names[0]):
        raise Status(400, "the name of a relay has small letters, digits, - and _")
    return names[0]


def _number(query: Mapping[str, str], name: str, most: float) -> float:
    try:
        return max(0.0, min(most, float(query.get(name, most))))
    except ValueError:
        raise Status(400, f"{name} must be a number") from None
