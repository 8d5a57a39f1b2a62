"""What a CyberArk user may do: authorizations in the Vault, and permissions on the safes it can see."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

from responders.errors import BadAnswer, Forbidden, NotFound
from responders.readiness.held import Held
from responders.vendors.client import VendorClient

_VAULT: Mapping[str, Sequence[str]] = {
    "Audit users": ("AuditUsers",),
    "Manage users (Add/Update users)": ("AddUpdateUsers", "ManageUsers"),
    "Reset users passwords": ("ResetUsersPasswords",),
}
"""Source: CyberArk, "Get user details", vaultAuthorization."""
_SAFE: Mapping[str, str] = {
    "List accounts": "listAccounts",
    "Initiate CPM password management operations": "initiateCPMAccountManagementOperations",
    "View safe members": "viewSafeMembers",
    "Manage safe members": "manageSafeMembers",
}
"""Source: CyberArk, "Get all safe members", permissions."""
_TERMINATORS = "PSMLiveSessionTerminators"
_MOST = 50


def held(client: VendorClient, wanted: Sequence[str]) -> Held:
    """A permission on safes is held when it is on each safe that was looked at, missing when on none, else unknown.

    Raises BadAnswer when the vault does not show the responder's own user, VendorError.
    """
    own = sorted(client.own_ids())
    if not own:
        raise BadAnswer(client.vendor, "the vault does not show the responder's own user: it lacks Audit users")
    user = client.call("GET", "/API/Users/{}", ids=(own[0],)).body
    rights = set(user.get("vaultAuthorization") or ())
    groups = {str(item["groupName"]) for item in user.get("groupsMembership") or ()}
    found: Dict[str, Optional[bool]] = {}
    notes: List[str] = []
    safes = _safes(client, {str(user["username"]), *groups}, notes)
    for name in wanted:
        if name in _VAULT:
            found[name] = bool(rights & set(_VAULT[name]))
        elif name in _SAFE:
            found[name] = _on_safes(name, safes, notes)
        else:  # sessions: an auditor of the recording safe may too, and which safe that is no API says
            found[name] = True if _TERMINATORS in groups else None
    if None in found.values() and _TERMINATORS not in groups:
        notes.append(f"it is no member of {_TERMINATORS}: whether it audits the recording safe can't be asked")
    return Held(found, tuple(notes))


def _safes(client: VendorClient, names: Set[str], notes: List[str]) -> List[Set[str]]:
    """The permissions that these names (the user, its groups) hold together, for each safe that shows its members."""
    found: List[Set[str]] = []
    hidden = 0
    try:
        safes = client.items("/API/Safes")
    except (Forbidden, NotFound) as error:
        notes.append(f"safes can't be listed: {error}")
        return found
    for safe in safes[:_MOST]:
        try:
            members = client.items("/API/Safes/{}/Members", ids=(str(safe["safeUrlId"]),))
        except (Forbidden, NotFound):
            hidden += 1
            continue
        mine = [item["permissions"] for item in members if item.get("memberName") in names]
        found.append({name for permissions in mine for name, value in _pairs(permissions) if value is True})
    if hidden:
        notes.append(f"{hidden} of {len(safes[:_MOST])} safes do not show their members: it lacks View safe members there")
        found.extend(set() for _ in range(hidden))
    if len(safes) > _MOST:
        notes.append(f"only the first {_MOST} of {len(safes)} safes were looked at")
    if not safes:
        notes.append("it can see no safe")
    return found


def _pairs(permissions: Any) -> Sequence[Any]:
    return list(permissions.items()) if isinstance(permissions, Mapping) else []


def _on_safes(name: str, safes: List[Set[str]], notes: List[str]) -> Optional[bool]:
    having = sum(_SAFE[name] in permissions for permissions in safes)
    if 0 < having < len(safes):
        notes.append(f"{name}: on {having} of {len(safes)} safes")
        return None
    return having > 0
