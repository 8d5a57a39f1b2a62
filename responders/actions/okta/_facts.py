"""Who administers the Okta org."""

from __future__ import annotations

from typing import FrozenSet, Sequence, Set

from responders.actions.okta._read import user_status
from responders.model import Account
from responders.vendors.client import VendorClient

_SUPER = "SUPER_ADMIN"


def usable_administrators(api: VendorClient, accounts: Sequence[Account], break_glass: FrozenSet[str]) -> FrozenSet[str]:
    """Ids of super administrators who are ACTIVE and not break-glass, when one of `accounts` is one; else nothing.

    Source: Okta API, "Role Assignments": GET /api/v1/iam/assignees/users lists users with any role.
    """
    users = [account.id for account in accounts if account.kind == "user"]
    if not any(_is_super(api, user) for user in users):
        return frozenset()
    found: Set[str] = set()
    for item in api.items("/api/v1/iam/assignees/users"):
        user = str(item["id"])
        if user not in break_glass and _is_super(api, user) and user_status(api, user)["status"] == "ACTIVE":
            found.add(user)
    return frozenset(found)


def _is_super(api: VendorClient, user: str) -> bool:
    return any(role.get("type") == _SUPER for role in api.items("/api/v1/users/{}/roles", ids=(user,)))
