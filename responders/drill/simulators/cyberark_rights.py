"""How a simulated vault shows what a user may do: authorizations, groups, and permissions on safes."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

_VAULT = {"AuditUsers": "AuditUsers", "ManageUsers": "AddUpdateUsers", "ResetUsersPasswords": "ResetUsersPasswords"}
_ON_SAFES = {
    "ListAccounts": "listAccounts", "InitiateCPM": "initiateCPMAccountManagementOperations",
    "ViewSafeMembers": "viewSafeMembers", "ManageSafeMembers": "manageSafeMembers",
}  # fmt: skip
_TERMINATORS = {"groupID": 3, "groupName": "PSMLiveSessionTerminators"}

User = Mapping[str, Any]


def authorizations(user: User) -> List[str]:
    """`vaultAuthorization`."""
    return [shown for right, shown in _VAULT.items() if right in user["rights"]]


def groups(user: User) -> List[Dict[str, Any]]:
    """The groups of `groupsMembership` through which a user holds rights."""
    found: List[Dict[str, Any]] = [_TERMINATORS] if "LiveSessionAuditor" in user["rights"] else []
    return [*found, {"groupID": 4, "groupName": _everywhere(user)}] if on_every_safe(user) else found


def on_every_safe(user: User) -> bool:
    """True for who is, through a group, a member of every safe."""
    return any(right in user["rights"] for right in _ON_SAFES)


def as_member(user: User) -> Dict[str, Any]:
    """That group, as a safe's list of members shows it."""
    held = {shown: right in user["rights"] for right, shown in _ON_SAFES.items()}
    return {"memberName": _everywhere(user), "memberType": "Group", "permissions": held}


def _everywhere(user: User) -> str:
    return f"all-safes-of-{user['username']}"
