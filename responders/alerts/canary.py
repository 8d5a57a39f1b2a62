"""The alert of the canary drill: a designated identity is contained and put back, to see that every path still works.

No search may raise it, and no click either: a row that names this detection gets no further than observe unless a drill of
that very name, for that identity, stands open in the journal (containment/canary.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Mapping

from responders.model import Identity

DETECTION = "drill/canary"
BY = "canary drill"
"""Who asks, and who restores: no id of the inventory that may do anything else."""
SOURCE = "drill"
ENTRY: Mapping[str, Any] = {
    "id": "6c1c4f0a-9a57-4a4e-8a0e-2f6a6d1b7c52", "name": "Canary drill", "layer": "drill",
    "account_kind": "user", "actions": [], "parts": [], "is_correlation": False, "forgery": "outsider",
    "max_tier": "observe", "version": "1.0.0",
}  # fmt: skip
"""As an entry of the catalogue."""


def row_of_drill(identity: Identity, now: datetime, finding: str, tier: str) -> Dict[str, Any]:
    """The row. Its confidence is 0: it adds nothing to what real alerts say of this identity."""
    return {
        "tq_detection": DETECTION,
        "tq_account": [account.key for account in identity.accounts],
        "tq_account_kind": [account.kind for account in identity.accounts],
        "tq_confidence": "0",
        "tq_reasons": ["a drill with a canary identity"],
        "tq_completed_at": now.isoformat(),
        "tq_finding": finding,
        "tq_request": {"by": BY, "reason": "a drill with a canary identity", "wanted": [tier]},
    }
