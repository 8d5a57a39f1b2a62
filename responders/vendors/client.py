"""What an action sees of a vendor: calls with ids apart from the path, and answers already judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Callable, Dict, FrozenSet, Mapping, Optional, Protocol, Sequence


@dataclass(frozen=True)
class Response:
    """A 2xx answer. `body` is the decoded JSON (None when empty); header names are lower case."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class VendorClient(Protocol):
    """One vendor with one credential. Safe to share between threads.

    `settings` are the connection's non-secret settings (`quarantine_group`, `quarantine_policy` ...). `lasting` keeps
    what was read once and never changes (whose token an accessor is), so that it need not be asked for again.
    """

    vendor: str
    tenant: str
    settings: Mapping[str, str]
    lasting: Dict[str, str]

    def call(
        self,
        method: str,
        path_template: str,
        *,
        ids: Sequence[str] = (),
        query: Optional[Mapping[str, str]] = None,
        body: Optional[Any] = None,
    ) -> Response:
        """Send one request. Each `{}` of the template takes one of `ids`, percent-escaped here and only here.

        Raises a `VendorError` for everything but 2xx: `Retryable` (after retries within the deadline),
        `Permanent`, or `OutcomeUnknown` when a change was sent and no answer came.
        """
        ...

    def items(
        self,
        path_template: str,
        *,
        ids: Sequence[str] = (),
        query: Optional[Mapping[str, str]] = None,
    ) -> Sequence[Mapping[str, Any]]:
        """All items of a paginated GET, every page read. Raises like `call`, `BadAnswer` past the page limit."""
        ...

    def own_ids(self) -> FrozenSet[str]:
        """Account ids at this vendor that the responder itself signs in with."""
        ...

    def now(self) -> datetime:
        """Current time, UTC; a test or the drill may speed it up."""
        ...


class OpenClient(VendorClient, Protocol):
    """A client as the pool keeps it: it can sign in ahead of the first call, and sign out."""

    clock: Callable[[], datetime]

    def warm(self) -> None:
        """Sign in and learn the own ids in advance, so that the first containment need not. Raises VendorError."""
        ...

    def close(self) -> None:
        """Sign out where the vendor keeps sessions, and close connections."""
        ...
