"""One containment, recheck, approval or restore in a process that dies at a given point; started by test_kill.py."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from responders import pipeline
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

given = json.load(sys.stdin)
folder = Path(given["folder"])
lock = threading.Lock()
count = 0


def point(*_: Any) -> None:
    """One more place where a crash could come."""
    global count
    with lock:
        if count == given["point"]:
            os._exit(99)
        count += 1


class Dying(SqliteStore):
    """A store that may die before and after each write."""

    def create(self, key: str, doc: Any) -> bool:
        point()
        found = super().create(key, doc)
        point()
        return found


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
identity = Identity(
    given["person"], "human", "boss", "normal", "production", False, tuple(Account(**a) for a in given["accounts"]), ()
)
journal = Journal(Dying(str(folder / "journal.db")), given["key"].encode(), anchor=str(folder / "journal.anchor"))
responder = Responder(
    Inventory([identity], {}, frozenset({"ida", "ivo"})),
    read_policy(""),
    CATALOGUE,
    ClientPool(connections, on_call=point),
    journal,
    (),
    FileSignals(str(folder / "signals"), journal.clock),
    Timing(deadline=10.0, confirm_patience=1.0),
)
what, about = given["what"], given["containment"]
if what == "contain":
    pipeline.contain(given["row"], responder)
elif what == "recheck":
    recheck(responder, about, "10 s")
elif what == "approve":
    approve(responder, about, ("okta.reset_factors",), by="ida", reason="a drill")
else:
    restore(responder, about, by="ida", reason="a drill")
(folder / "points").write_text(str(count))
os._exit(0)
