"""All that a running responder has in its hands."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Callable, FrozenSet, Mapping, Optional, Protocol, Sequence, Tuple

from responders.errors import Halted
from responders.escalation.report import Channel
from responders.inventory.store import InventoryStore
from responders.journal.chain import Entry, Journal
from responders.model import Alert, Identity, Standing
from responders.policy.policy import Policy
from responders.vendors.client import VendorClient

HALT_CHAIN = "halt"


@dataclass(frozen=True)
class Timing:
    """Seconds. `deadline` bounds one containment, `federation_wait` the wait of a downstream cut for the block.

    `tell_after`: when people first hear of a containment that is not over yet.
    """

    deadline: float = 20.0
    tell_after: float = 5.0
    confirm_patience: float = 3.0
    federation_wait: float = 0.5
    claim: float = 60.0
    retry_due: float = 30.0
    rechecks: Tuple[float, ...] = (10.0, 60.0, 35 * 60.0, 24 * 3600.0)


class Clients(Protocol):
    """Vendor clients by vendor and tenant; None when no responder is configured for it."""

    def get(self, vendor: str, tenant: str, *, privileged: bool = False) -> Optional[VendorClient]: ...

    def all(self) -> Sequence[VendorClient]: ...


class Signals(Protocol):
    """Where signals and the watch list go: files in the drill, the SIEM's own stores elsewhere."""

    def signal(self, alert: Alert, identity: Identity) -> None: ...

    def watch(self, identity: Identity, until: datetime, why: str) -> None: ...

    def standing(self, standing: Standing) -> None: ...


@dataclass(frozen=True)
class Responder:
    """One responder: what it knows (inventory, policy, catalogue), what it may call, and where it writes."""

    inventory: InventoryStore
    policy: Policy
    catalogue: Mapping[str, Any]
    clients: Clients
    journal: Journal
    channels: Tuple[Channel, ...]
    signals: Signals
    timing: Timing = field(default_factory=Timing)
    clock: Optional[Callable[[], datetime]] = None
    unauthenticated_ingest: FrozenSet[str] = frozenset()
    name: str = field(default_factory=lambda: f"{socket.gethostname()}/{os.getpid()}")

    def now(self) -> datetime:
        """Current time, UTC: the journal's clock."""
        return self.journal.clock()

    def halted(self) -> str:
        """Why automation is halted, "" when it is not."""
        return halted_by(self.journal.head(HALT_CHAIN))

    def refuse_when_halted(self) -> None:
        """The gate before each automatic write. Raises Halted."""
        refuse(self.halted())

    def halt(self, who: str, why: str) -> None:
        """Stop all automatic writes at once, in every responder that shares the journal."""
        self.journal.append(HALT_CHAIN, "halt", {"who": who, "why": why})

    def lift_halt(self, who: str, why: str) -> None:
        """Let automation write again."""
        self.journal.append(HALT_CHAIN, "resume", {"who": who, "why": why})

    def later(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=seconds)


def halted_by(last: Optional[Entry]) -> str:
    """Why automation is halted, by the last entry of the chain of halts; "" when it is not."""
    if last is None or last.kind != "halt":
        return ""
    return f"halted by {last.body.get('who', '?')} at {last.at:%Y-%m-%d %H:%M:%SZ}: {last.body.get('why', '')}"


def refuse(halted: str) -> None:
    """Raises Halted when there is a reason."""
    if halted:
        raise Halted(f"{halted}. `tourniquet resume` lifts it")
