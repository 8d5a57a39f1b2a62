"""What a CyberArk account made since the compromise: PVWA's API shows no creator, the vault's audit log does."""

from __future__ import annotations

from typing import Tuple

NOT_SHOWN = (
    "CyberArk's API shows nobody who made a user, group member, safe, owner, account or application: search the vault's "
    "audit log for what this user added"
)
"""Only the activities of one account at a time can be read ("Get account activity"), and they are no creations."""
PERMISSIONS: Tuple[str, ...] = ()
READERS = ()
