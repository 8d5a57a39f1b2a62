"""Microsoft 365 unified audit events as the integration `o365` (audit) indexes them."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc, objects

_SAME = ("Id", "Operation", "OrganizationId", "UserId", "ObjectId", "Workload", "ResultStatus", "ClientIP", "ActorIpAddress",
         "RecordType", "UserType")  # fmt: skip
_CHANGED = ("Role_DisplayName", "Role_ObjectID", "Role_TemplateId", "Role_WellKnownObjectName", "KeyDescription",
            "Included Updated Properties")  # fmt: skip

FIELDS: Dict[str, str] = {
    **{f"o365.audit.{name}": "keyword" for name in _SAME},
    **{f"o365.audit.ModifiedProperties.{name}.NewValue": "keyword" for name in _CHANGED},
    **{f"o365.audit.{name}.{part}": "keyword" for name in ("Actor", "Target") for part in ("ID", "Type")},
    "event.action": "keyword", "event.outcome": "keyword", "event.id": "keyword", "organization.id": "keyword",
    "user.id": "keyword", "source.ip": "ip", "client.ip": "ip",
}  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a Management Activity API record; its Id."""
    for name in _SAME:
        text = event.get(name)
        document.put(f"o365.audit.{name}", str(text) if isinstance(text, int) else text)
    for name in ("Actor", "Target"):
        for part in ("ID", "Type"):
            several = [str(item[part]) for item in objects(event.get(name)) if item.get(part) not in (None, "")]
            document.put(f"o365.audit.{name}.{part}", several)
    for changed in objects(event.get("ModifiedProperties")):
        # The pipeline keys them by name, its dots replaced, and the mapping has no sub-objects there.
        name = str(changed.get("Name", "")).replace(".", "_")
        if name in _CHANGED:
            document.put(f"o365.audit.ModifiedProperties.{name}.NewValue", changed.get("NewValue"))
    document.put("event.action", event.get("Operation"))
    document.put("event.id", event.get("Id"))
    document.put("organization.id", event.get("OrganizationId"))
    document.put("user.id", event.get("UserId"))
    status = str(event.get("ResultStatus") or "").lower()
    outcomes = {"success": "success", "succeeded": "success", "partiallysucceeded": "success", "failed": "failure"}
    document.put("event.outcome", outcomes.get(status, ""))
    address = str(event.get("ClientIP") or event.get("ActorIpAddress") or "")
    document.put_ip("source.ip", address)
    document.put_ip("client.ip", address)
    found = event.get("Id")
    return found if isinstance(found, str) else ""
