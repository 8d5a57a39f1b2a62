"""Authorizations of the responder's user in the vault, its memberships of safes, and the PSM's group, with psPAS.

Sources: CyberArk, "Update user" (vaultAuthorization), "Add safe member" (permissions), "Add member to group"; psPAS,
Set-PASUser, Add-PASSafeMember, Add-PASGroupMember. Not run against a real vault.
"""

from __future__ import annotations

from typing import List, Mapping, Sequence

from responders.settings import Connection

_VAULT: Mapping[str, str] = {
    "Audit users": "AuditUsers",
    "Manage users (Add/Update users)": "AddUpdateUsers",
    "Reset users passwords": "ResetUsersPasswords",
}
_SAFE: Mapping[str, str] = {
    "List accounts": "ListAccounts",
    "Initiate CPM password management operations": "InitiateCPMAccountManagementOperations",
    "View safe members": "ViewSafeMembers",
    "Manage safe members": "ManageSafeMembers",
}


def configuration(needs: Mapping[str, Sequence[str]], connection: Connection) -> str:
    """PowerShell with the module psPAS, after New-PASSession as an administrator of the vault."""
    user = str(connection.plain.get("username") or "USER-OF-THE-RESPONDER").replace("'", "''")
    names = sorted({name for permissions in needs.values() for name in permissions})
    vault = [_VAULT[name] for name in names if name in _VAULT]
    safe = [_SAFE[name] for name in names if name in _SAFE]
    lines: List[str] = [
        f"# CyberArk {connection.tenant}: what the responder's user may do. After New-PASSession as a vault administrator.",
        *(f"#   {name}: {', '.join(sorted(who for who, found in needs.items() if name in found))}" for name in names),
        f"$user = Get-PASUser -id (Get-PASUser -UserName '{user}').id",
    ]
    if vault:
        lines += [
            "# Set-PASUser replaces the authorizations: those it has are given again.",
            "$rights = @($user.vaultAuthorization) + "
            + ", ".join(f"'{name}'" for name in vault)
            + " | Select-Object -Unique",
            f"Set-PASUser -id $user.id -username '{user}' -vaultAuthorization $rights",
        ]
    if safe:
        lines += [
            "# Each safe whose passwords it changes, or whose members it takes out. It never retrieves a password.",
            "# Where it is a member already: Set-PASSafeMember, with these permissions and all that it has there.",
            "foreach ($safe in 'SAFE-1', 'SAFE-2') {",
            f"  Add-PASSafeMember -SafeName $safe -MemberName '{user}' " + " ".join(f"-{name} $true" for name in safe),
            "}",
        ]
    if any(name not in _VAULT and name not in _SAFE for name in names):
        lines += [
            "# Live sessions of the PSM; suspending one also needs AllowPSMNotifications=Yes in its configuration.",
            "$group = Get-PASGroup -groupName 'PSMLiveSessionTerminators'",
            f"Add-PASGroupMember -GroupID $group.id -memberId '{user}' -memberType Vault",
        ]
    return "\n".join(lines) + "\n"
