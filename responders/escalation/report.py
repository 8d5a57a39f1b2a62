"""What an escalation says, as data. Channels render it; nothing here is vendor-specific."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Optional, Protocol, Tuple

from responders.model import Alert, Created, Decision, Outcome, Plan


@dataclass(frozen=True)
class Report:
    """One escalation. `loud` when something that should be contained is not, or nobody was contained at all.

    `open_items` says in words what is not contained and what to do; `manual` are the same steps by hand;
    `undo` is the command that restores; `head` is chain:seq:mac of the journal at this moment.
    """

    containment: str
    title: str
    loud: bool
    alert: Optional[Alert]
    decision: Optional[Decision]
    plan: Optional[Plan]
    outcomes: Tuple[Outcome, ...]
    open_items: Tuple[str, ...]
    created: Tuple[Created, ...]
    manual: Tuple[str, ...]
    undo: str
    head: str
    at: datetime
    detected_at: Optional[datetime] = None
    contained_at: Optional[datetime] = None
    residual_until: Optional[datetime] = None
    dry_run: bool = False


class Channel(Protocol):
    """One way to tell people. `name` is unique within the settings."""

    @property
    def name(self) -> str: ...

    def send(self, report: Report, deadline: float) -> None:
        """Deliver before `deadline` (time.monotonic() seconds). Raises VendorError when it could not."""
        ...
