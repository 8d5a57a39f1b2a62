"""Containments, rechecks, approvals and restores in processes that die at a given point; started by test_kill.py.

One JSON object a line on stdin is one such process: forked from this one, which has imported all and opened nothing, so
that no case pays for the start of an interpreter. Its exit code is one line on stdout.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any, Dict

from responders import pipeline
from responders.actions import registry
from responders.containment.approve import approve
from responders.containment.recheck import recheck
from responders.containment.responder import Responder, Timing
from responders.containment.restore import restore
from responders.containment.signals import FileSignals
from responders.inventory.resolve import Inventory
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.model import Account, Identity
from responders.settings import Connection, Secret
from responders.surfaces.assemble import read_policy
from responders.vendors.open import ClientPool
from tests.catalogue import CATALOGUE

_SECONDS = 60
lock = threading.Lock()
count = 0
last = -1


def point(*_: Any) -> None:
    """One more place where a crash could come."""
    global count
    with lock:
        if count == last:
            os._exit(99)
        count += 1


class Dying(SqliteStore):
    """A store that may die before and after each write."""

    def create(self, key: str, doc: Any) -> bool:
        point()
        found = super().create(key, doc)
        point()
        return found


def work(given: Dict[str, Any]) -> None:
    """One containment, recheck, approval or restore, to its end or to its point."""
    global last
    last = given["point"]
    folder = Path(given["folder"])
    connections = tuple(
        Connection(
            c["vendor"],
            c["tenant"],
            c["url"],
            {k: Secret(v) for k, v in c["secrets"].items()},
            c["plain"],
            c["settings"],
            allow_loopback_http=True,
        )
        for c in given["connections"]
    )
    accounts = tuple(Account(**a) for a in given["accounts"])
    identity = Identity(given["person"], "human", "boss", "normal", "production", False, accounts, ())
    journal = Journal(Dying(str(folder / "journal.db")), given["key"].encode(), anchor=str(folder / "journal.anchor"))
    responder = Responder(
        Inventory([identity], {}, frozenset({"ida", "ivo"})),
        read_policy(""),
        CATALOGUE,
        ClientPool(connections, on_call=point),
        journal,
        (),
        FileSignals(str(folder / "signals"), journal.clock),
        Timing(deadline=10.0, confirm_patience=given["patience"]),
    )
    what, about = given["what"], given["containment"]
    if what == "contain":
        pipeline.contain(given["row"], responder)
    elif what == "recheck":
        recheck(responder, about, "10 s")
    elif what == "approve":
        approve(responder, about, given["approve"], by="ida", reason="a drill")
    else:
        restore(responder, about, by="ida", reason="a drill")
    (folder / "points").write_text(str(count))


def forked(given: Dict[str, Any]) -> int:
    """The exit code of a process that does `given`: 0 for its end, 99 for its point, else what went wrong is on stderr."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    code = 1
    try:
        signal.alarm(_SECONDS)
        work(given)
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    for name in registry.names():
        registry.load(name)
    for line in sys.stdin:
        print(forked(json.loads(line)), flush=True)
