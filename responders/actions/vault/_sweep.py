"""What an entity made in Vault since the compromise."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, List, Mapping, Optional, Tuple

from responders.actions.vault._lookup import data, tokens_of
from responders.model import Account, Created
from responders.vendors.client import VendorClient

NOT_SHOWN = (
    "Vault's API shows nobody who made a policy, role, SecretID, auth mount or token without entity: search its audit log "
    "for requests that created or updated under sys/, auth/ and identity/ with this entity or accessor"
)
_MINTED = "auth/token/create"


def aliases(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Aliases the entity gained since. Source: Vault API, "Read entity by ID"."""
    if account.kind != "entity":
        return ()
    found: List[Created] = []
    for alias in data(api, "/identity/entity/id/{}", account.id).get("aliases") or ():
        at = _time(str(alias.get("creation_time", "")))
        if at >= since:
            found.append(Created("vault", "entity alias", str(alias["id"]), at, "check its auth mount"))
    return tuple(found)


def tokens(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Live tokens that its tokens minted. Source: Vault API, "Lookup a token (accessor)": `path`, `creation_time`."""
    if account.kind != "entity":
        return ()
    minted = {accessor: _minted(token) for accessor, token in tokens_of(api, account.id).items()}
    return tuple(
        Created("vault", "token", accessor, at, "revoke it by its accessor")
        for accessor, at in sorted(minted.items())
        if at is not None and at >= since.replace(microsecond=0)
    )


def _minted(token: Mapping[str, Any]) -> Optional[datetime]:
    """When a token was made by another token, None for one from a login."""
    if not str(token.get("path", "")).startswith(_MINTED):
        return None
    return datetime.fromtimestamp(int(token.get("creation_time") or 0), timezone.utc)


def _time(text: str) -> datetime:
    """Vault writes nanoseconds, which Python 3.9 can't read."""
    return datetime.fromisoformat(text[:19] + "+00:00")


PERMISSIONS = ("read on identity/entity/id/*", "list, sudo on auth/token/accessors", "update on auth/token/lookup-accessor")
READERS = (aliases, tokens)
