"""Okta System Log events as the integration `okta` (data stream system) indexes them.

Read in elastic/integrations: packages/okta/data_stream/system fields/fields.yml (01e2fd9), ingest_pipeline default.yml
(026f1c3, 1dfd370), use_flattened_debug.yml (01e2fd9). Debug data is made in the flattened form; an install that does not
flatten has okta.debug_context.debug_data.privilegeGranted and .role instead (no_use_flattened_debug.yml, 0bd978f), which
fields.json lists so that a query may name them. The versions differ on user.target: with 026f1c3 only for `user.*`
events and any type that contains "user"; that older, stricter one is made, queries must not need more.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Mapping

from responders.content.ecs.common import Doc, get, objects

TIMES = ("published",)
_SAME = (
    ("okta.uuid", "uuid"), ("okta.event_type", "eventType"), ("okta.display_message", "displayMessage"),
    ("okta.severity", "severity"),
    ("okta.actor.id", "actor.id"), ("okta.actor.type", "actor.type"), ("okta.actor.alternate_id", "actor.alternateId"),
    ("okta.actor.display_name", "actor.displayName"),
    ("okta.client.user_agent.raw_user_agent", "client.userAgent.rawUserAgent"),
    ("okta.client.user_agent.browser", "client.userAgent.browser"), ("okta.client.user_agent.os", "client.userAgent.os"),
    ("okta.client.zone", "client.zone"), ("okta.client.device", "client.device"), ("okta.client.id", "client.id"),
    ("okta.client.ip", "client.ipAddress"), ("client.ip", "client.ipAddress"), ("source.ip", "client.ipAddress"),
    ("okta.outcome.result", "outcome.result"), ("okta.outcome.reason", "outcome.reason"),
    ("okta.transaction.id", "transaction.id"), ("okta.transaction.type", "transaction.type"),
    ("okta.transaction.detail.request_api_token_id", "transaction.detail.requestApiTokenId"),
    ("okta.authentication_context.external_session_id", "authenticationContext.externalSessionId"),
    ("okta.authentication_context.credential_type", "authenticationContext.credentialType"),
    ("okta.authentication_context.credential_provider", "authenticationContext.credentialProvider"),
    ("okta.authentication_context.authentication_provider", "authenticationContext.authenticationProvider"),
    ("okta.security_context.as.number", "securityContext.asNumber"),
    ("okta.security_context.as.organization.name", "securityContext.asOrg"),
    ("okta.security_context.isp", "securityContext.isp"), ("okta.security_context.domain", "securityContext.domain"),
    ("okta.security_context.is_proxy", "securityContext.isProxy"),
    ("client.geo.country_name", "client.geographicalContext.country"),
    ("client.geo.city_name", "client.geographicalContext.city"),
    ("client.geo.region_name", "client.geographicalContext.state"),
    ("client.user.id", "actor.id"), ("source.user.id", "actor.id"),
    ("event.action", "eventType"), ("event.id", "uuid"), ("user_agent.original", "client.userAgent.rawUserAgent"),
)  # fmt: skip
_DEBUG = {
    "deviceFingerprint": "device_fingerprint", "dtHash": "dt_hash", "requestId": "request_id", "requestUri": "request_uri",
    "threatSuspected": "threat_suspected", "url": "url", "factor": "factor", "grantType": "grant_type",
    "grantedScopes": "granted_scopes", "requestedScopes": "requested_scopes",
}  # fmt: skip
_BASE = "okta.debug_context.debug_data"
_OUTCOMES = {"success": "success", "allow": "success", "failure": "failure", "deny": "failure"}
_REASONS = re.compile(r"reasons=(.*?)(?:, [^\s=,]+=.*|\})?$")
_PAIR = re.compile(r"([^=,{}]+)=([^,{}]*)")


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a LogEvent (Okta API, "System Log"); its uuid."""
    for name, path in _SAME:
        document.put(name, get(event, path))
    document.put("event.outcome", _OUTCOMES.get(str(get(event, "outcome.result")).lower(), "unknown"))
    debug = get(event, "debugContext.debugData")
    if isinstance(debug, Mapping):
        _debug(debug, document)
    _targets(event, document)
    return str(event.get("uuid", ""))


def _debug(debug: Mapping[str, Any], document: Doc) -> None:
    flattened: Dict[str, Any] = dict(debug)
    for name in ("behaviors", "risk"):
        pairs = _PAIR.findall(debug[name]) if isinstance(debug.get(name), str) else []
        if pairs:
            flattened[name] = {key.strip(): value.strip() for key, value in pairs}
    if isinstance(debug.get("logOnlySecurityData"), str):
        flattened["logOnlySecurityData"] = _parsed(debug["logOnlySecurityData"])
    level = get(flattened, "logOnlySecurityData.risk.level") or get(flattened, "risk.level")
    document.put(f"{_BASE}.risk_level", level)
    behaviors = flattened.get("behaviors")
    if isinstance(behaviors, Mapping):
        document.put(f"{_BASE}.risk_behaviors", [name for name, found in behaviors.items() if found == "POSITIVE"])
    reasons = get(flattened, "logOnlySecurityData.risk.reasons") or "".join(_REASONS.findall(str(debug.get("risk", "")))[:1])
    document.put(f"{_BASE}.risk_reasons", [item.strip() for item in str(reasons).split(",") if item.strip()])
    document.put(f"{_BASE}.flattened", flattened)
    for raw, name in _DEBUG.items():
        document.put(f"{_BASE}.{name}", debug.get(raw))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _changes(target: Mapping[str, Any]) -> Dict[str, Any]:
    """What a rule of a policy did before a change and does after it: the texts that the event tells."""
    found = {
        f"changeDetails.{side}.policyRuleActionJson": get(target, f"changeDetails.{side}.policyRuleActionJson")
        for side in ("from", "to")
    }
    return {name: text for name, text in found.items() if isinstance(text, str)}


def _targets(event: Mapping[str, Any], document: Doc) -> None:
    """The list stays a list of objects, so that in the index ids and types lose their pairing; the pipeline names the
    user of `user.*` events and the group of `group.*` events apart."""
    targets = objects(event.get("target"))
    names = {"id": "id", "type": "type", "alternateId": "alternate_id", "displayName": "display_name"}
    document.put_each(
        "okta.target",
        ({**_changes(target), **{names[key]: target[key] for key in names if key in target}} for target in targets),
    )
    for kind, place in (("user", "user.target"), ("group", "user.target.group")):
        if f"{kind}." not in str(event.get("eventType")):
            continue
        found = [target for target in targets if kind in str(target.get("type")).lower()][:1]
        for target in found:
            document.put(f"{place}.id", target.get("id"))
            document.put("user.target.full_name" if kind == "user" else f"{place}.name", target.get("displayName"))
