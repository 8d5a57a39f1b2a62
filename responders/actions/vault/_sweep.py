"""What an entity made in Vault since the compromise."""

from __future__ import annotations

from datetime import datetime
from typing import Tuple

from responders.actions.vault._lookup import data
from responders.model import Account, Created
from responders.vendors.client import VendorClient


def created_since(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Aliases the entity gained since. Vault records no creator of policies, roles or tokens: the audit log does."""
    if account.kind != "entity":
        return ()
    found = data(api, "/identity/entity/id/{}", account.id)
    aliases = found.get("aliases") or ()
    return tuple(
        Created("vault", "entity alias", str(alias["id"]), _time(str(alias["creation_time"])), "check its auth mount")
        for alias in aliases
        if _time(str(alias.get("creation_time", ""))) >= since
    )


def _time(text: str) -> datetime:
    """Vault writes nanoseconds, which Python 3.9 can't read."""
    return datetime.fromisoformat(text[:19] + "+00:00")
