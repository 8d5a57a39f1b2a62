"""Asks every credential of the connections what it may do, side by side: commands, pages and Splunk's input show it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Dict, List, Optional, Sequence, Tuple

from responders.parallel import run_all
from responders.readiness.check import Readiness, check
from responders.readiness.grants import wanted
from responders.settings import Connection
from responders.vendors.budget import rate_left
from responders.vendors.client import OpenClient
from responders.vendors.open import ClientPool

Key = Tuple[str, str, bool]
"""Vendor, tenant, and whether it is the credential for privileged targets."""


@dataclass(frozen=True)
class Found:
    """What was found of one credential. `budget` is the part of the tightest rate limit that is left, None when not told."""

    connection: Connection
    privileged: bool
    readiness: Readiness
    budget: Optional[float]

    @property
    def ready(self) -> bool:
        """True unless something is known to be missing. What the vendor does not tell is shown, and no failure."""
        return self.readiness.authenticated and all(need.ready is not False for need in self.readiness.needs)

    @property
    def credential(self) -> str:
        return "privileged" if self.privileged else "ordinary"


def ask(pool: ClientPool, connections: Sequence[Connection], used: Sequence[str], seconds: float) -> List[Found]:
    """Every connection with each of its credentials, and only what these actions need. One that can't be opened, or does not
    answer within so many seconds, is not reachable."""
    deadline = time.monotonic() + seconds
    known = {(c.vendor, c.tenant, privileged): c for c in connections for privileged in credentials(c)}
    opened = run_all({key: partial(_open, pool, *key) for key in known}, deadline)
    clients = {key: client for key, client in opened.items() if not isinstance(client, Exception)}
    answers: Dict[Key, Any] = {
        **opened,
        **run_all({key: partial(check, client) for key, client in clients.items()}, deadline),
    }
    return [found_of(c, key[2], answers[key], clients.get(key), used) for key, c in known.items()]


def credentials(connection: Connection) -> Tuple[bool, ...]:
    """By `privileged`: the ordinary one, and the one for privileged targets where it is set."""
    return (False, True) if connection.privileged is not None else (False,)


def found_of(
    connection: Connection, privileged: bool, answer: Any, client: Optional[OpenClient], used: Sequence[str]
) -> Found:
    """What a credential was found to be, as far as these actions need it. `answer`: its Readiness, or why there is none."""
    if not isinstance(answer, Readiness):
        answer = Readiness(connection.vendor, connection.tenant, False, False, f"no answer: {answer}", {}, (), ())
    names = wanted(connection.vendor, used)
    needs = tuple(need for need in answer.needs if need.name in names)
    left = rate_left(client) if client is not None else None
    return Found(connection, privileged, replace(answer, needs=needs), left)


def _open(pool: ClientPool, vendor: str, tenant: str, privileged: bool) -> OpenClient:
    client = pool.get(vendor, tenant, privileged=privileged)
    assert client is not None
    return client
