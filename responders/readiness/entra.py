"""What an Entra application may do: the `roles` of its token, else the app roles that Graph says it was assigned."""

from __future__ import annotations

from typing import FrozenSet, Mapping, Sequence, Set, Tuple

from responders.readiness.held import Held
from responders.vendors.entra import EntraClient

_MORE: Mapping[str, Tuple[str, ...]] = {
    "User.Read.All": ("User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "User.EnableDisableAccount.All": ("User.ReadWrite.All", "Directory.ReadWrite.All"),
    "User.RevokeSessions.All": ("User.ReadWrite.All", "Directory.ReadWrite.All"),
    "GroupMember.ReadWrite.All": ("Group.ReadWrite.All", "Directory.ReadWrite.All"),
    "Application.Read.All": ("Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "RoleManagement.Read.Directory": ("RoleManagement.ReadWrite.Directory",),
}
"""Larger permissions that do as well. Source: Microsoft Graph, the table of permissions of each operation that the
actions call ("Update user", "user: revokeSignInSessions", "Add members", "Get servicePrincipal" …), "higher privileged"."""
_PRIVILEGED = (
    "to disable an administrator, Entra also wants a directory role for the application, such as Privileged Authentication "
    "Administrator: whether it has one is not asked here"
)


def held(client: EntraClient, wanted: Sequence[str]) -> Held:
    """Source: Microsoft identity platform, "Access token claims reference": `roles` are the application's permissions."""
    roles = client.granted() or _assigned(client)
    permissions = {name: bool(roles & {name, *_MORE.get(name, ())}) for name in wanted}
    return Held(permissions, (_PRIVILEGED,) if permissions.get("User.EnableDisableAccount.All") else ())


def _assigned(client: EntraClient) -> FrozenSet[str]:
    """Values of the app roles assigned to our service principal. Raises VendorError.

    Source: Microsoft Graph, "List appRoleAssignments granted to a service principal"; `appRoles` of the resource.
    """
    found: Set[str] = set()
    for own in sorted(client.own_ids()):
        for item in client.items("/servicePrincipals/{}/appRoleAssignments", ids=(own,)):
            resource = client.call("GET", "/servicePrincipals/{}", ids=(str(item["resourceId"]),)).body
            roles = resource.get("appRoles") or ()
            found |= {str(role["value"]) for role in roles if role["id"] == item["appRoleId"]}
    return frozenset(found)
