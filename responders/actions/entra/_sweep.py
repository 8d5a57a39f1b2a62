"""What an Entra account made since the compromise: what the audit log ascribes to it, and what it registered."""

from __future__ import annotations

from datetime import datetime
from typing import Any, List, Mapping, Tuple

from responders.actions.entra._log import PERMISSIONS, audits, succeeded, targets
from responders.actions.entra._read import newer, parse_time
from responders.model import Account, Created
from responders.vendors.client import VendorClient

__all__ = ["NOT_SHOWN", "PERMISSIONS", "READERS"]

NOT_SHOWN = ""
_WHO = {"user": "user/id", "service_principal": "app/servicePrincipalId"}
_MADE = (
    ("Add user", "user", "disable it if nobody asked for it"),
    ("Invite external user", "guest", "disable it if nobody asked for it"),
    ("Restore user", "restored user", "disable it if nobody asked for it"),
    ("Enable account", "user switched on", "disable it if nobody asked for it"),
    ("Add application", "application", "disable its service principal"),
    ("Add service principal credentials", "credential of a service principal", "remove the credential"),
    ("Add service principal", "service principal", "disable it"),
    ("Add owner", "owner", "remove the owner"),
    ("Update application", "changed application: credentials, redirect URIs, federated credentials", "compare it, undo it"),
    ("Update service principal", "changed service principal", "compare it, undo it"),
    ("Consent to application", "consent", "revoke it"),
    ("Add delegated permission grant", "consent", "revoke it"),
    ("Add OAuth2PermissionGrant", "consent", "revoke it"),
    ("Add app role assignment", "application permission", "remove the assignment"),
    ("Add eligible member to role", "eligible role", "remove it"),
    ("Add member to role", "role", "remove it"),
    ("Add scoped member to role", "role", "remove it"),
    ("Add role assignment", "role", "remove it"),
    ("Add EligibleRoleAssignment", "eligible role", "remove it"),
    ("Add role definition", "custom role", "delete it"),
    ("Add member to group", "group membership", "remove it"),
    ("Add device", "device", "disable it"),
    ("Register device", "device", "disable it"),
    ("Add registered", "owner or user of a device", "disable the device"),
    ("User registered", "authentication method", "remove it after a confirmed block"),
    ("Admin registered security info", "authentication method of somebody", "remove it after a confirmed block"),
    ("Create application password", "application password", "remove it"),
    ("Set domain authentication", "federation of a domain", "set the domain to managed"),
    ("Set federation settings", "federation of a domain", "compare it, set the domain to managed"),
    ("Add unverified domain", "domain", "remove it"),
    ("Add verified domain", "domain", "remove it"),
    ("Verify domain", "verified domain", "remove it"),
    ("Set Partnership", "partner with rights", "remove the partnership"),
    ("Add partner", "partner with rights", "remove the partnership"),
)
"""Beginning of the activity to what was made, and how it is removed.

Source: Microsoft Entra, "Audit log categories and activities".
"""
_OTHERS = ("Add ", "Create ", "Invite ", "Register ", "Set ", "Restore ", "Enable ")
"""The reference changes: what begins so and is not above is listed by its own name."""


def made(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """What the audit log ascribes to it. Source: Microsoft Graph v1.0, "List directoryAudits"."""
    if account.kind not in _WHO:
        return ()
    found: List[Created] = []
    for entry in audits(api, since, _WHO[account.kind], account.id):
        thing, remedy = _name(str(entry["activityDisplayName"]))
        if thing and succeeded(entry):
            at = parse_time(str(entry["activityDateTime"]))
            found.extend(Created("entra", thing, target, at, remedy) for target in targets(entry) or ("?",))
    return tuple(found)


def _name(activity: str) -> Tuple[str, str]:
    for beginning, thing, remedy in _MADE:
        if activity.startswith(beginning):
            return thing, remedy
    return (activity, "undo it if nobody asked for it") if activity.startswith(_OTHERS) else ("", "")


def devices(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Devices as they are now: the audit log comes late. Source: Microsoft Graph, "List registeredDevices"."""
    if account.kind != "user":
        return ()
    listed = api.items("/users/{}/registeredDevices", ids=(account.id,))
    fresh = newer(listed, "registrationDateTime", since.isoformat())
    return tuple(_item("device", item, "registrationDateTime", "disable it") for item in fresh)


def methods(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Authentication methods as they are now. Source: Microsoft Graph, "List methods"."""
    if account.kind != "user":
        return ()
    fresh = newer(api.items("/users/{}/authentication/methods", ids=(account.id,)), "createdDateTime", since.isoformat())
    return tuple(_item(_kind(item), item, "createdDateTime", "remove it after a confirmed block") for item in fresh)


def _item(thing: str, item: Mapping[str, Any], field: str, remedy: str) -> Created:
    return Created("entra", thing, str(item["id"]), parse_time(str(item[field])), remedy)


def _kind(method: Mapping[str, Any]) -> str:
    return str(method.get("@odata.type", "method")).rpartition(".")[2]


READERS = (devices, methods, made)
