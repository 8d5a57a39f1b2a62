"""Okta System Log events as the integration `okta` (data stream system) indexes them."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc, get, number, objects

_SAME = (
    ("okta.uuid", "uuid"), ("okta.event_type", "eventType"), ("okta.display_message", "displayMessage"),
    ("okta.severity", "severity"),
    ("okta.actor.id", "actor.id"), ("okta.actor.type", "actor.type"), ("okta.actor.alternate_id", "actor.alternateId"),
    ("okta.actor.display_name", "actor.displayName"),
    ("okta.client.user_agent.raw_user_agent", "client.userAgent.rawUserAgent"),
    ("okta.client.user_agent.browser", "client.userAgent.browser"), ("okta.client.user_agent.os", "client.userAgent.os"),
    ("okta.client.zone", "client.zone"), ("okta.client.device", "client.device"), ("okta.client.id", "client.id"),
    ("okta.outcome.result", "outcome.result"), ("okta.outcome.reason", "outcome.reason"),
    ("okta.transaction.id", "transaction.id"), ("okta.transaction.type", "transaction.type"),
    ("okta.transaction.detail.request_api_token_id", "transaction.detail.requestApiTokenId"),
    ("okta.authentication_context.external_session_id", "authenticationContext.externalSessionId"),
    ("okta.authentication_context.credential_type", "authenticationContext.credentialType"),
    ("okta.authentication_context.credential_provider", "authenticationContext.credentialProvider"),
    ("okta.security_context.isp", "securityContext.isp"), ("okta.security_context.domain", "securityContext.domain"),
    ("client.geo.country_name", "client.geographicalContext.country"),
    ("client.geo.city_name", "client.geographicalContext.city"),
    ("event.action", "eventType"), ("event.id", "uuid"), ("user_agent.original", "client.userAgent.rawUserAgent"),
)  # fmt: skip
_DEBUG = {
    "deviceFingerprint": "device_fingerprint", "dtHash": "dt_hash", "requestId": "request_id", "requestUri": "request_uri",
    "threatSuspected": "threat_suspected", "factor": "factor", "risk": "risk", "url": "url", "behaviors": "behaviors",
    "privilegeGranted": "privilegeGranted", "role": "role",
}  # fmt: skip
_OUTCOMES = {"SUCCESS": "success", "ALLOW": "success", "FAILURE": "failure", "DENY": "failure"}

FIELDS: Dict[str, str] = {
    **dict.fromkeys([name for name, _ in _SAME], "keyword"),
    **{f"okta.debug_context.debug_data.{name}": "keyword" for name in _DEBUG.values()},
    **{f"okta.target.{name}": "keyword" for name in ("id", "type", "alternate_id", "display_name")},
    "okta.debug_context.debug_data.flattened": "flattened",
    "okta.client.ip": "ip", "client.ip": "ip", "source.ip": "ip",
    "okta.security_context.as.number": "integer", "okta.security_context.as.organization.name": "keyword",
    "okta.security_context.is_proxy": "boolean",
    "event.outcome": "keyword", "user.target.id": "keyword", "user.target.full_name": "keyword",
}  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a LogEvent (Okta API, "System Log"); its uuid."""
    for name, path in _SAME:
        document.put(name, get(event, path))
    for name in ("okta.client.ip", "client.ip", "source.ip"):
        document.put_ip(name, get(event, "client.ipAddress"))
    document.put("okta.security_context.as.number", number(get(event, "securityContext.asNumber")))
    document.put("okta.security_context.as.organization.name", get(event, "securityContext.asOrg"))
    proxy = get(event, "securityContext.isProxy")
    if isinstance(proxy, bool) or proxy in ("true", "false"):
        document.put("okta.security_context.is_proxy", proxy in (True, "true"))
    outcome = str(get(event, "outcome.result") or "").upper()
    document.put("event.outcome", _OUTCOMES.get(outcome, "unknown"))
    debug = get(event, "debugContext.debugData")
    document.put_object("okta.debug_context.debug_data.flattened", debug)
    for raw, name in _DEBUG.items():
        document.put(f"okta.debug_context.debug_data.{name}", get(debug, raw))
    _targets(event, document)
    uuid = event.get("uuid")
    return uuid if isinstance(uuid, str) else ""


def _targets(event: Mapping[str, Any], document: Doc) -> None:
    """Arrays of objects lose their pairing in the index; the pipeline names the user of `user.*` events apart."""
    targets = objects(event.get("target"))
    for name, raw in (("id", "id"), ("type", "type"), ("alternate_id", "alternateId"), ("display_name", "displayName")):
        document.put(f"okta.target.{name}", [str(target[raw]) for target in targets if target.get(raw)])
    if str(event.get("eventType", "")).startswith("user."):
        users = [target for target in targets if target.get("type") == "User"]
        document.put("user.target.id", [str(target["id"]) for target in users if target.get("id")][:1])
        document.put("user.target.full_name", [str(t["displayName"]) for t in users if t.get("displayName")][:1])
