"""Asks every credential of the settings what it may do, and for what it lacks: `readiness` and `validate` show it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.parallel import run_all
from responders.readiness.check import Readiness, check
from responders.readiness.grants import configuration, wanted
from responders.settings import Connection, Settings
from responders.vendors.client import OpenClient
from responders.vendors.open import ClientPool

_SECONDS = 30.0


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


def ask(settings: Settings, used: Sequence[str]) -> List[Found]:
    """Every connection with each of its credentials, side by side, and only what these actions need."""
    pool = ClientPool(settings.connections)
    asked: Dict[Tuple[str, str, bool], OpenClient] = {}
    connections = {(c.vendor, c.tenant): c for c in settings.connections}
    try:
        for vendor, tenant in connections:
            for privileged in (False, True):
                client = pool.get(vendor, tenant, privileged=privileged)
                if client is not None and client not in asked.values():
                    asked[vendor, tenant, privileged] = client
        answers: Mapping[Tuple[str, str, bool], Any] = run_all(
            {key: partial(check, client) for key, client in asked.items()}, time.monotonic() + _SECONDS
        )
        return [_found(connections[key[:2]], key, answers[key], asked[key], used) for key in asked]
    finally:
        pool.close()


def _found(
    connection: Connection, key: Tuple[str, str, bool], answer: Any, client: OpenClient, used: Sequence[str]
) -> Found:
    if not isinstance(answer, Readiness):
        answer = Readiness(key[0], key[1], False, False, f"no answer: {answer}", {}, (), ())
    names = wanted(key[0], used)
    needs = tuple(need for need in answer.needs if need.name in names)
    budget = getattr(getattr(client, "transport", None), "budget", None)
    left = budget.left(time.time()) if budget is not None else None
    readiness = Readiness(
        answer.vendor, answer.tenant, answer.reachable, answer.authenticated, answer.problem, answer.permissions, needs,
        answer.notes,
    )  # fmt: skip
    return Found(connection, key[2], readiness, left)


def missing_grants(item: Found) -> str:
    """Configuration for what this credential lacks, "" for nothing."""
    lacks = {need.name: need.missing for need in item.readiness.needs}
    return configuration(item.connection.vendor, lacks, item.connection, privileged=item.privileged)
