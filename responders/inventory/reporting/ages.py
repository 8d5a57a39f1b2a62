"""Times as vendors write them, and how old a secret is. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Optional

from responders.inventory.reporting.coverage import AGES, OLDER, UNKNOWN

_FRACTION = re.compile(r"\.\d+")
"""Vault writes nine digits, which Python before 3.11 does not read."""


def time_of(stamp: str) -> Optional[datetime]:
    """A time in ISO 8601, of UTC unless it says otherwise; None for what is none."""
    try:
        at = datetime.fromisoformat(_FRACTION.sub("", stamp).replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)


def days_since(since: str, now: datetime) -> Optional[int]:
    """Whole days; 0 for a time to come, None when it is not known."""
    at = time_of(since)
    return None if at is None else max(0, (now - at) // timedelta(days=1))


def bucket(days: Optional[int]) -> str:
    """One of BUCKETS."""
    if days is None:
        return UNKNOWN
    return next((name for name, most in AGES if days <= most), OLDER)
