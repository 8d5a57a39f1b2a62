"""What is known last of something, found by one page of a scan however long the journal is: a side document a change.

Its key counts time backwards, so the newest document is the first that a scan gives. What vouches for it is the entry that
it is written with: whoever deletes the newest to have an older one count is found by `verify`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Mapping, Optional

from responders.journal.chain import Journal, Side

_SKEW = timedelta(hours=1)
"""A document of a later time than this is of a clock that was wrong: it must not count until that time has come."""


def newest_first(at: datetime) -> str:
    """A key that sorts before those of all earlier times, UTC."""
    return f"{10**20 - int(f'{at.astimezone(timezone.utc):%Y%m%d%H%M%S%f}'):020d}"


def document(prefix: str, at: datetime, doc: Mapping[str, Any]) -> Side:
    """A side document that is the newest from now on; hand it to `Journal.append`."""
    return f"{prefix}{newest_first(at)}", doc


def newest(journal: Journal, prefix: str) -> Optional[Mapping[str, Any]]:
    """The newest document, None when there is none. Raises JournalError.

    One that was edited, or written without the key, is as if it were not there: `verify` names it.
    """
    after = f"{prefix}{newest_first(journal.clock() + _SKEW)}"
    return next((doc for _, doc in journal.side(prefix, after, broken=[])), None)
