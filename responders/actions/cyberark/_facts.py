"""Who administers the vault."""

from __future__ import annotations

from typing import Any, FrozenSet, Mapping, Sequence, Set

from responders.actions.cyberark._read import thing
from responders.model import Account
from responders.vendors.client import VendorClient

_RIGHTS = ("ManageUsers", "AddUpdateUsers")


def usable_administrators(api: VendorClient, accounts: Sequence[Account], break_glass: FrozenSet[str]) -> FrozenSet[str]:
    """Ids of enabled users who may manage users, not break-glass, when one of `accounts` is one; else nothing."""
    mine = [thing(api, "/API/Users/{}", account.id) for account in accounts if account.kind == "user"]
    if not any(_manages(user) for user in mine):
        return frozenset()
    found: Set[str] = set()
    for user in api.items("/API/Users", query={"ExtendedDetails": "true"}):
        if _manages(user) and user.get("enableUser") and str(user["id"]) not in break_glass:
            found.add(str(user["id"]))
    return frozenset(found)


def _manages(user: Mapping[str, Any]) -> bool:
    rights = user.get("vaultAuthorization")
    return isinstance(rights, list) and any(right in _RIGHTS for right in rights)
