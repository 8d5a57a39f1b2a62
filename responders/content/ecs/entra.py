"""Entra sign-in and audit events as the integration `azure` indexes them (signinlogs, auditlogs).

Read in elastic/integrations: packages/azure/data_stream signinlogs fields/fields.yml (1060c0d) and default.yml
(01087ab), auditlogs fields/fields.yml (0b97ab0) and default.yml (8f7e7ee). The shared pipeline was not read. session_id
is not in that field file but in later sign-in documents. Assumed: that a tenant which stands in the properties alone becomes
azure.tenant_id, and that `agent` (Graph beta, "agentSignIn") becomes agent.*. The integration reads the diagnostic-
settings form from an Event Hub; Microsoft Graph's flat form is mapped to the same fields here, which the integration
does not do.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from responders.content.ecs.common import Doc, get, objects

SIGNIN_TIMES = ("time", "createdDateTime")
AUDIT_TIMES = ("time", "activityDateTime")
_MOST = 5
"""Targets and changed properties that are mapped one by one: queries can only name so many columns. The integration
itself maps all of them."""
_MOST_CHANGED = 8
"""Changed properties of the first target: who gains a permission stands behind five others."""
_AUDIT = "azure.auditlogs.properties"
_SIGNIN = "azure.signinlogs.properties"
_LOWERED = {
    "tenantid": "tenantId", "calleripaddress": "callerIpAddress", "resulttype": "resultType",
    "operationname": "operationName", "correlationid": "correlationId",
}  # fmt: skip
"""Some exports write the names beside the properties in small letters."""
_SIGNIN_FIELDS = (
    ("id", "id"), ("user_id", "userId"), ("user_principal_name", "userPrincipalName"),
    ("user_display_name", "userDisplayName"), ("app_id", "appId"), ("app_display_name", "appDisplayName"),
    ("service_principal_id", "servicePrincipalId"), ("service_principal_name", "servicePrincipalName"),
    ("service_principal_credential_key_id", "servicePrincipalCredentialKeyId"), ("session_id", "sessionId"),
    ("unique_token_identifier", "uniqueTokenIdentifier"), ("authentication_protocol", "authenticationProtocol"),
    ("client_app_used", "clientAppUsed"), ("correlation_id", "correlationId"), ("is_interactive", "isInteractive"),
    ("resource_display_name", "resourceDisplayName"), ("resource_id", "resourceId"), ("user_type", "userType"),
    ("risk_level_during_signin", "riskLevelDuringSignIn"), ("risk_level_aggregated", "riskLevelAggregated"),
    ("risk_state", "riskState"), ("incoming_token_type", "incomingTokenType"), ("home_tenant_id", "homeTenantId"),
    ("conditional_access_status", "conditionalAccessStatus"), ("autonomous_system_number", "autonomousSystemNumber"),
    ("agent.agent_type", "agent.agentType"), ("agent.parent_app_id", "agent.parentAppId"),
    ("agent.agent_service_principal_id", "agent.agentServicePrincipalId"),
    ("status.error_code", "status.errorCode"), ("device_detail.device_id", "deviceDetail.deviceId"),
    ("device_detail.operating_system", "deviceDetail.operatingSystem"), ("device_detail.browser", "deviceDetail.browser"),
    ("device_detail.trust_type", "deviceDetail.trustType"), ("device_detail.is_managed", "deviceDetail.isManaged"),
    ("device_detail.is_compliant", "deviceDetail.isCompliant"), ("original_transfer_method", "originalTransferMethod"),
    ("risk_detail", "riskDetail"), ("authentication_requirement", "authenticationRequirement"),
)  # fmt: skip
_AUDIT_FIELDS = (
    ("activity_display_name", "activityDisplayName"), ("id", "id"), ("category", "category"),
    ("operation_type", "operationType"), ("correlation_id", "correlationId"), ("result_reason", "resultReason"),
    ("logged_by_service", "loggedByService"),
)  # fmt: skip


def fill_audit(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a directory audit event (Microsoft Graph, "directoryAudit"); its id."""
    properties = _properties(event)
    operation = event.get("operationName") or properties.get("activityDisplayName")
    _common(event, "azure.auditlogs", operation, document)
    document.put("azure.auditlogs.category", "AuditLogs")
    document.put("azure.auditlogs.identity", event.get("identity"))
    result = properties.get("result")
    sound = isinstance(result, str) and result.lower() in ("success", "failure")
    document.put("event.outcome" if sound else f"{_AUDIT}.result", result)
    for name, raw in _AUDIT_FIELDS:
        document.put(f"{_AUDIT}.{name}", properties.get(raw))
    for name in document.types:
        if name.startswith(f"{_AUDIT}.initiated_by."):
            document.put(name, get(properties.get("initiatedBy"), name[len(f"{_AUDIT}.initiated_by.") :]))
    told = [item.get("value") for item in objects(properties.get("additionalDetails"))]
    document.put(f"{_AUDIT}.additional_details.value", told)
    for place, target in enumerate(objects(properties.get("targetResources"))[:_MOST]):
        _target(f"{_AUDIT}.target_resources.{place}", target, document, _MOST_CHANGED if place == 0 else _MOST)
    return str(properties.get("id", ""))


def fill_signin(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a sign-in event (Microsoft Graph, "signIn"); its id."""
    properties = _properties(event)
    event = {_LOWERED.get(name, name): value for name, value in event.items()}
    _common(event, "azure.signinlogs", event.get("operationName") or "Sign-in activity", document)
    document.put("azure.signinlogs.category", event.get("category") or "SignInLogs")
    document.put("azure.signinlogs.result_type", event.get("resultType"))
    document.put("azure.signinlogs.result_description", event.get("resultDescription"))
    for name, path in _SIGNIN_FIELDS:
        document.put(f"{_SIGNIN}.{name}", get(properties, path))
    document.put("user.id", properties.get("userId"))
    document.put("user.full_name", properties.get("userDisplayName"))
    document.put("user_agent.original", properties.get("userAgent"))
    _place(event, get(properties, "location"), document)
    code = get(document.values, f"{_SIGNIN}.status.error_code")
    document.put("event.outcome", "failure" if code else "success")
    if get(document.values, "source.ip") is None:
        # Graph's form has no callerIpAddress.
        for name in ("source.ip", "client.ip"):
            document.put(name, properties.get("ipAddress"))
    return str(properties.get("id", ""))


def _place(event: Mapping[str, Any], told: Any, document: Doc) -> None:
    """The country is the one beside the properties; Graph's form has it within."""
    country = event.get("location")
    document.put("geo.country_iso_code", country if isinstance(country, str) else get(told, "countryOrRegion"))
    lat, lon = get(told, "geoCoordinates.latitude"), get(told, "geoCoordinates.longitude")
    document.put("geo.location", {"lat": lat, "lon": lon})


def _properties(event: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = event.get("properties")
    return inner if isinstance(inner, Mapping) else event


def _common(event: Mapping[str, Any], base: str, operation: Any, document: Doc) -> None:
    tenant = event.get("tenantId") or get(event, "properties.tenantId")
    pairs: List[Tuple[str, Any]] = [
        (f"{base}.operation_name", operation), ("event.action", operation), ("azure.tenant_id", tenant),
        ("azure.correlation_id", event.get("correlationId")),
        ("source.ip", event.get("callerIpAddress")), ("client.ip", event.get("callerIpAddress")),
    ]  # fmt: skip
    for name, value in pairs:
        document.put(name, value)


def _target(prefix: str, target: Mapping[str, Any], document: Doc, most: int) -> None:
    names = {"id": "id", "type": "type", "display_name": "displayName", "user_principal_name": "userPrincipalName"}
    for name, raw in names.items():
        document.put(f"{prefix}.{name}", target.get(raw))
    for number, changed in enumerate(objects(target.get("modifiedProperties"))[:most]):
        for name, raw in (("display_name", "displayName"), ("new_value", "newValue"), ("old_value", "oldValue")):
            document.put(f"{prefix}.modified_properties.{number}.{name}", changed.get(raw))
