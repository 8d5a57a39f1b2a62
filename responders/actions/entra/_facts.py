"""Who administers the tenant."""

from __future__ import annotations

from typing import FrozenSet, Sequence, Set

from responders.actions.entra._read import thing
from responders.errors import NotFound
from responders.model import Account
from responders.vendors.client import VendorClient

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""Role template id. Source: Microsoft Entra, "built-in roles"."""


def usable_administrators(api: VendorClient, accounts: Sequence[Account], break_glass: FrozenSet[str]) -> FrozenSet[str]:
    """Ids of enabled Global Administrators who are not break-glass, when one of `accounts` is one; else nothing.

    Only users count: a service principal can't sign in to restore anything.
    """
    query = {"$filter": f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"}
    holders = {str(item["principalId"]) for item in api.items("/roleManagement/directory/roleAssignments", query=query)}
    if not holders & {account.id for account in accounts}:
        return frozenset()
    usable: Set[str] = set()
    for holder in sorted(holders - break_glass):
        try:
            found = thing(api, "/users/{}", holder, select="id,accountEnabled")
        except NotFound:
            continue  # a service principal or a group, not a person
        if found.get("accountEnabled"):
            usable.add(holder)
    return frozenset(usable)
