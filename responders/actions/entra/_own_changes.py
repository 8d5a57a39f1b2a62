"""What Entra's audit log ascribes to the responder's own service principal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Mapping, Tuple

from responders.actions.entra._log import PERMISSIONS, audits, succeeded, targets
from responders.actions.entra._read import parse_time
from responders.model import Cause, OwnChange
from responders.vendors.client import VendorClient

__all__ = ["LAG", "PERMISSIONS", "own_changes"]

LAG = timedelta(minutes=60)
"""How late an entry may be shown: mostly minutes, at times much more. Microsoft Entra, "Reporting latencies"."""
_UNDO = (
    "Enable account", "Add member to role", "Add eligible member to role", "Add app role assignment",
    "Add delegated permission grant", "Add OAuth2PermissionGrant",
)  # fmt: skip
_NEVER = (
    "Add user", "Invite", "Add application", "Add service principal", "Add owner", "Add policy", "Add partner", "Add domain",
    "Add unverified domain", "Add verified domain", "Add named location", "Add conditional access",
    "Update conditional access",
    "Delete", "Hard Delete", "Restore", "Consent to application", "Set ", "Reset", "Change user password",
    "Admin registered security info", "Add device", "Register", "Create",
)  # fmt: skip
_QUARANTINE_LEFT = "Remove member from group"


def own_changes(api: VendorClient, since: datetime) -> Tuple[OwnChange, ...]:
    """Changes that went through. Source: Microsoft Graph v1.0, "directoryAudit resource type"."""
    found = [entry for own in sorted(api.own_ids()) for entry in audits(api, since, "app/servicePrincipalId", own)]
    return tuple(_change(api, entry) for entry in found if succeeded(entry))


def _change(api: VendorClient, entry: Mapping[str, Any]) -> OwnChange:
    what, into = str(entry["activityDisplayName"]), targets(entry, "Group", "Role")
    cause = Cause.STEP
    if what.startswith(_UNDO) or (what == _QUARANTINE_LEFT and api.settings.get("quarantine_group") in into):
        cause = Cause.UNDO
    elif what.startswith(_NEVER):
        cause = Cause.NEVER
    return OwnChange(str(entry["id"]), what, parse_time(str(entry["activityDateTime"])), targets(entry), into, cause)
