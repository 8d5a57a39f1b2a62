"""Questions to the audit log of Entra."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Mapping, Sequence, Tuple

from responders.vendors.client import VendorClient

PERMISSIONS = ("AuditLog.Read.All",)


def audits(api: VendorClient, since: datetime, who: str, value: str) -> Sequence[Mapping[str, Any]]:
    """Entries since, of what one user (`user/id`) or service principal (`app/servicePrincipalId`) did.

    Source: Microsoft Graph v1.0, "List directoryAudits".
    """
    wanted = f"activityDateTime ge {since:%Y-%m-%dT%H:%M:%SZ} and initiatedBy/{who} eq '{value}'"
    return api.items("/auditLogs/directoryAudits", query={"$filter": wanted})


def targets(entry: Mapping[str, Any], *kinds: str) -> Tuple[str, ...]:
    """Ids of what an entry is about; of these types only, when some are given."""
    found = entry.get("targetResources") or ()
    return tuple(str(item["id"]) for item in found if item.get("id") and (not kinds or item.get("type") in kinds))


def succeeded(entry: Mapping[str, Any]) -> bool:
    return entry.get("result") not in ("failure", "timeout")
