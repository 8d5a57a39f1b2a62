"""Entra sign-in and audit events as the integration `azure` indexes them (signinlogs, auditlogs).

The integration reads the diagnostic-settings form from an Event Hub; Microsoft Graph's flat form is mapped to the same
fields here, which the integration itself does not do.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc, get, objects

_MOST = 5
"""Targets and changed properties that are mapped one by one: queries can only name so many columns."""

_INITIATED = (
    "app.servicePrincipalId", "app.servicePrincipalName", "app.displayName", "app.appId",
    "user.id", "user.userPrincipalName", "user.displayName", "user.ipAddress",
)  # fmt: skip
_SIGNIN = (
    ("user_id", "userId"), ("user_principal_name", "userPrincipalName"), ("app_id", "appId"),
    ("app_display_name", "appDisplayName"), ("service_principal_id", "servicePrincipalId"),
    ("service_principal_credential_key_id", "servicePrincipalCredentialKeyId"), ("session_id", "sessionId"),
    ("unique_token_identifier", "uniqueTokenIdentifier"), ("authentication_protocol", "authenticationProtocol"),
    ("client_app_used", "clientAppUsed"), ("resource_display_name", "resourceDisplayName"), ("id", "id"),
    ("risk_level_during_signin", "riskLevelDuringSignIn"), ("user_type", "userType"),
)  # fmt: skip
_AUDIT = "azure.auditlogs.properties"

FIELDS: Dict[str, str] = {
    **{f"azure.signinlogs.properties.{name}": "keyword" for name, _ in _SIGNIN},
    "azure.signinlogs.properties.status.error_code": "long",
    **{f"{_AUDIT}.initiated_by.{name}": "keyword" for name in _INITIATED},
    **{
        f"{_AUDIT}.target_resources.{place}.{name}": "keyword"
        for place in range(_MOST)
        for name in ("id", "type", "display_name", "user_principal_name")
    },
    **{
        f"{_AUDIT}.target_resources.{place}.modified_properties.{number}.{name}": "keyword"
        for place in range(_MOST)
        for number in range(_MOST)
        for name in ("display_name", "new_value", "old_value")
    },
    **dict.fromkeys(
        (
            "azure.auditlogs.operation_name", "azure.auditlogs.identity", "azure.auditlogs.category", "azure.tenant_id",
            f"{_AUDIT}.activity_display_name", f"{_AUDIT}.id", f"{_AUDIT}.category", f"{_AUDIT}.operation_type",
            f"{_AUDIT}.correlation_id", f"{_AUDIT}.result_reason", "event.action", "event.outcome",
        ),
        "keyword",
    ),
    "source.ip": "ip", "client.ip": "ip",
}  # fmt: skip


def fill_audit(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a directory audit event; its id."""
    inner = event.get("properties")
    properties: Mapping[str, Any] = inner if isinstance(inner, Mapping) else event
    operation = event.get("operationName") or properties.get("activityDisplayName") or properties.get("operationName")
    document.put("azure.auditlogs.operation_name", operation)
    document.put("event.action", operation)
    document.put("azure.auditlogs.identity", event.get("identity"))
    document.put("azure.auditlogs.category", "AuditLogs")
    document.put("azure.tenant_id", event.get("tenantId") or properties.get("tenantId"))
    result = str(properties.get("result") or event.get("resultType") or "").lower()
    document.put("event.outcome", {"success": "success", "0": "success", "failure": "failure"}.get(result, ""))
    for name, raw in (
        ("activity_display_name", "activityDisplayName"), ("id", "id"), ("category", "category"),
        ("operation_type", "operationType"), ("correlation_id", "correlationId"), ("result_reason", "resultReason"),
    ):  # fmt: skip
        document.put(f"{_AUDIT}.{name}", properties.get(raw))
    for name in _INITIATED:
        document.put(f"{_AUDIT}.initiated_by.{name}", get(properties.get("initiatedBy"), name))
    for place, target in enumerate(objects(properties.get("targetResources"))[:_MOST]):
        prefix = f"{_AUDIT}.target_resources.{place}"
        for name, raw in (
            ("id", "id"), ("type", "type"), ("display_name", "displayName"), ("user_principal_name", "userPrincipalName"),
        ):  # fmt: skip
            document.put(f"{prefix}.{name}", target.get(raw))
        for number, changed in enumerate(objects(target.get("modifiedProperties"))[:_MOST]):
            for name, raw in (("display_name", "displayName"), ("new_value", "newValue"), ("old_value", "oldValue")):
                document.put(f"{prefix}.modified_properties.{number}.{name}", changed.get(raw))
    _addresses(document, event.get("callerIpAddress") or get(properties, "initiatedBy.user.ipAddress"))
    found = properties.get("id")
    return found if isinstance(found, str) else ""


def fill_signin(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a sign-in event; its id."""
    inner = event.get("properties")
    properties: Mapping[str, Any] = inner if isinstance(inner, Mapping) else event
    for name, raw in _SIGNIN:
        document.put(f"azure.signinlogs.properties.{name}", properties.get(raw))
    code = get(properties, "status.errorCode")
    if isinstance(code, int) and not isinstance(code, bool):
        document.put("azure.signinlogs.properties.status.error_code", code)
        document.put("event.outcome", "success" if code == 0 else "failure")
    document.put("event.action", "Sign-in activity")
    document.put("azure.tenant_id", event.get("tenantId") or properties.get("tenantId"))
    _addresses(document, event.get("callerIpAddress") or properties.get("ipAddress"))
    found = properties.get("id")
    return found if isinstance(found, str) else ""


def _addresses(document: Doc, address: Any) -> None:
    document.put_ip("source.ip", address)
    document.put_ip("client.ip", address)
