"""Microsoft 365 unified audit records as the integration `o365` (audit) indexes them.

Read in elastic/integrations: packages/o365/data_stream/audit fields/fields.yml (07d7ad5) and the first 16,000 characters
of ingest_pipeline/default.yml (01dcefe). Id, Operation, OrganizationId and Workload move to ECS names and are not left
under o365.audit; user.id is the UserId, a login name; the ids are in the parallel, unpaired Actor.ID and Target.ID.
"""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc, objects

TIMES = ("CreationTime",)
_ECS = (
    ("event.id", "Id"), ("event.provider", "Workload"), ("organization.id", "OrganizationId"), ("user.id", "UserId"),
    ("user_agent.original", "UserAgent"),
)  # fmt: skip
_RECORD_TYPES = {
    "1": "ExchangeAdmin", "8": "AzureActiveDirectory", "9": "AzureActiveDirectoryAccountLogon",
    "15": "AzureActiveDirectoryStsLogon",
}  # fmt: skip
_DIRECTORY = "AzureActiveDirectory"
_RENAMED = {
    "Add user.": "added-user-account",
    "Update user.": "modified-user-account",
    "Delete user.": "deleted-user-account",
}
_FAILED = ("failed", "false")


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a record (Office 365 Management Activity API, "Common schema"); its Id."""
    for name in document.types:
        raw = name[len("o365.audit.") :]
        if name.startswith("o365.audit.") and "." not in raw:
            document.put(name, event.get(raw))
    for name, raw in _ECS:
        document.put(name, event.get(raw))
    for name in ("Actor", "Target"):
        document.put_each(
            f"o365.audit.{name}",
            ({part: item[part] for part in ("ID", "Type") if part in item} for item in objects(event.get(name))),
        )
    _changes(event, document)
    code = _RECORD_TYPES.get(str(event.get("RecordType")))
    operation = event.get("Operation")
    document.put("event.code", code)
    document.put("event.action", _RENAMED.get(str(operation), operation) if code == _DIRECTORY else operation)
    document.put("user.target.id", event.get("ObjectId") if code == _DIRECTORY else None)
    document.put("event.outcome", "failure" if str(event.get("ResultStatus")).lower() in _FAILED else "success")
    address = event.get("ClientIP") or event.get("ActorIpAddress")
    for name in ("client.address", "client.ip", "source.ip"):
        document.put(name, address)
    return str(event.get("Id", ""))


def _changes(event: Mapping[str, Any], document: Doc) -> None:
    """The pipeline keys the list by name, blanks and dots replaced, and drops a change that lacks its old or new value."""
    for changed in objects(event.get("ModifiedProperties")):
        if changed.get("OldValue") is None or changed.get("NewValue") is None:
            continue
        name = str(changed.get("Name")).replace(" ", "_").replace(".", "_")
        for part in ("NewValue", "OldValue"):
            path = f"o365.audit.ModifiedProperties.{name}.{part}"
            if path in document.types:
                document.put(path, changed[part])
