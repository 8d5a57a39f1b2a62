"""Replicas of a responder over one Elasticsearch journal; started by test_replicas.py.

One JSON object a line on stdin is one replica more: forked from this process, which has imported all and opened nothing. On
stdout each says its process id, and a line for each write to the journal, for `idle` when it has handled all its alerts, or
for what went wrong.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from responders import pipeline
from responders.actions import registry
from responders.containment.responder import Responder, Timing
from responders.containment.signals import FileSignals
from responders.elastic.cluster import Cluster
from responders.errors import Refused
from responders.inventory.resolve import from_compiled
from responders.journal.chain import Journal
from responders.journal.elasticsearch import ElasticStore
from responders.settings import Connection, ElasticSettings, Secret
from responders.vendors.open import ClientPool
from tests.bench.fixture import unlimited
from tests.catalogue import CATALOGUE

_WORKERS = 3


def say(what: str) -> None:
    """One line, whole, whoever else writes."""
    os.write(1, f"{os.getpid()} {what}\n".encode())


class Telling(ElasticStore):
    """A store that says each of its writes."""

    def create_all(self, docs: Sequence[Tuple[str, Mapping[str, Any]]]) -> Tuple[bool, ...]:
        found = super().create_all(docs)
        say("wrote")
        return found


def opened(given: Mapping[str, Any]) -> Responder:
    """A responder with connections of its own."""
    connections = tuple(
        Connection(
            c["vendor"], c["tenant"], c["url"], {name: Secret(value) for name, value in c["secrets"].items()}, c["plain"],
            c["settings"], allow_loopback_http=True,
        )
        for c in given["connections"]
    )  # fmt: skip
    journal = Journal(Telling(Cluster(ElasticSettings((given["url"],))), given["index"]), given["key"].encode())
    return Responder(
        from_compiled(given["inventory"], "inventory"), unlimited(), CATALOGUE, ClientPool(connections), journal, (),
        FileSignals(str(Path(given["folder"]) / "signals"), journal.clock), Timing(deadline=10.0, confirm_patience=0.2),
    )  # fmt: skip


def work(given: Mapping[str, Any]) -> None:
    """Every alert is given to every replica, in one order, so that they meet; what another handles is asked for again."""
    responder = opened(given)
    left: List[Dict[str, Any]] = list(given["rows"])
    lock = threading.Lock()
    again: List[Dict[str, Any]] = []

    def some() -> None:
        while True:
            with lock:
                if not left:
                    return
                row = left.pop()
            try:
                pipeline.contain(row, responder)
            except Refused:
                with lock:
                    again.append(row)
            except BaseException:
                say(f"failed {traceback.format_exc()!r}")

    while left:
        threads = [threading.Thread(target=some) for _ in range(_WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if again:
            time.sleep(0.1)
        left, again[:] = list(again), []
        pipeline.take_up(responder)
    say("idle")
    signal.pause()


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a dead replica is gone at once, and so are its claims
    for name in registry.names():
        registry.load(name)
    print("ready", flush=True)
    for line in sys.stdin:
        if not os.fork():
            try:
                signal.alarm(300)
                say("began")
                work(json.loads(line))
            except BaseException:
                say(f"failed {traceback.format_exc()!r}")
            finally:
                os._exit(1)
