"""The one fixture of the bench: what an alert says, and a responder or a settings folder over the company."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence

from responders.containment.responder import Responder, Timing
from responders.containment.signals import FileSignals
from responders.drill.world import Person
from responders.inventory.resolve import Inventory
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.policy.policy import Policy
from responders.surfaces.assemble import read_catalogue, read_policy
from responders.vendors.open import ClientPool
from tests.bench.company import Company

KEY = "bench-journal-key-of-no-worth-0123456789"
VENDORS = ("okta", "entra", "cyberark", "vault")


@dataclass(frozen=True)
class Spread:
    """Median, least and most of several runs."""

    median: float
    least: float
    most: float
    runs: int

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.least:.3g}–{self.most:.3g}, n={self.runs})"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values), len(values))


def alert(person: Person, vendor: str = "okta", confidence: int = 95, number: int = 0) -> Dict[str, Any]:
    """A row as the SIEM gives it: a replayed Okta session, and the password that was checked out with it."""
    now = datetime.now(timezone.utc)
    account = person.account(vendor)
    row = {
        "tq_detection": "okta/session_replay",
        "tq_account": account.key,
        "tq_account_kind": account.kind,
        "tq_confidence": str(confidence),
        "tq_reasons": "a session used from a second network",
        "tq_events": f"event-{person.name}-{number}",
        "tq_started_at": (now - timedelta(minutes=5)).isoformat(),
        "tq_completed_at": now.isoformat(),
        "tq_finding": f"bench|{person.name}|{number}",
    }
    if "cyberark account" in person.held:
        row["tq_evidence"] = f"cyberark.account_id={person.held['cyberark account']}"
    return row


def inventory(people: Sequence[Person]) -> Inventory:
    return Inventory([person.identity() for person in people], {}, frozenset())


def responder(
    company: Company,
    people: Sequence[Person],
    folder: Path,
    *,
    timing: Optional[Timing] = None,
    on_call: Optional[Callable[[str, str, str, str], None]] = None,
) -> Responder:
    """A responder in this process, as a service beside a SIEM would hold one."""
    store = SqliteStore(str(folder / "journal.db"))
    journal = Journal(store, KEY.encode(), anchor=str(folder / "journal.anchor"))
    pool = ClientPool(company.connections, on_call=on_call)
    signals = FileSignals(str(folder / "signals"), journal.clock)
    return Responder(inventory(people), unlimited(), read_catalogue(), pool, journal, (), signals, timing or Timing())


def unlimited() -> Policy:
    """The default policy with a blast radius that lets the bench through: it measures speed, not this guard."""
    policy = read_policy("")
    limits = replace(
        policy.limits, revokes=100_000, restricts=100_000, population_share=1.0, never_under=100_000, guarded=100_000,
        detection_share=1.0, kept_for_clicks=0.0, kept_for_automation=0.0,
    )  # fmt: skip
    return replace(policy, limits=limits)
