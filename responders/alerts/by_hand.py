"""The alert that stands for a person's request about an identity on which no detection spoke: a call, a stolen laptop.

No search may raise it: who only hands in a row that names it gets no further than observe, whatever its confidence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Mapping

from responders.model import Identity

DETECTION = "person/asked"
ENTRY: Mapping[str, Any] = {
    "id": "b5d6f1f6-4a5e-4a08-9a53-0d8f3c1f5a11", "name": "Asked for by a person", "layer": "person",
    "account_kind": "user", "actions": [], "parts": [], "is_correlation": False, "forgery": "outsider",
    "max_tier": "observe", "version": "1.0.0",
}  # fmt: skip
"""As an entry of the catalogue."""


def row_by_hand(identity: Identity, now: datetime, request: str) -> Dict[str, Any]:
    """The row. Its confidence is 0: nothing but the request itself carries it. `request` makes it one of its own."""
    accounts = identity.accounts
    return {
        "tq_detection": DETECTION,
        "tq_account": [account.key for account in accounts],
        "tq_account_kind": [account.kind for account in accounts],
        "tq_confidence": "0",
        "tq_reasons": ["asked for by a person, without an alert"],
        "tq_completed_at": now.isoformat(),
        "tq_finding": f"{DETECTION}|{request}",
    }
