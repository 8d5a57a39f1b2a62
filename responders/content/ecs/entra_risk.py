"""Entra ID Protection's risk events as the integration `azure` indexes them (identity_protection).

Read in elastic/integrations: packages/azure/data_stream/identity_protection fields/fields.yml (19f1cb8) and default.yml
(0f91c63), which takes the categories RiskyUsers and UserRiskEvents only. Those of workloads (RiskyServicePrincipals,
ServicePrincipalRiskEvents) are mapped here alike, and so is Microsoft Graph's flat form: the integration does neither.
"""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc

TIMES = ("time", "riskLastUpdatedDateTime", "lastUpdatedDateTime", "detectedDateTime", "activityDateTime")
_BASE = "azure.identityprotection.properties"
_FIELDS = (
    ("id", "id"), ("user_id", "userId"), ("user_principal_name", "userPrincipalName"), ("risk_state", "riskState"),
    ("risk_level", "riskLevel"), ("risk_detail", "riskDetail"), ("risk_event_type", "riskEventType"),
    ("ip_address", "ipAddress"), ("correlation_id", "correlationId"), ("request_id", "requestId"),
    ("servicePrincipalId", "servicePrincipalId"), ("appId", "appId"),
)  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a risk event (Microsoft Graph, "riskDetection", "riskyUser", "riskyServicePrincipal").

    A risky user keeps its id through all its changes, so the event has no id of its own.
    """
    inner = event.get("properties")
    properties = inner if isinstance(inner, Mapping) else event
    document.put("azure.identityprotection.category", event.get("category"))
    document.put("azure.identityprotection.operation_name", event.get("operationName"))
    document.put("event.action", event.get("operationName"))
    document.put("azure.tenant_id", event.get("tenantId") or properties.get("tenantId"))
    document.put("azure.correlation_id", event.get("correlationId"))
    document.put("source.ip", event.get("callerIpAddress"))
    for name, raw in _FIELDS:
        document.put(f"{_BASE}.{name}", properties.get(raw))
    document.put("user.id", properties.get("userId"))
    return ""
