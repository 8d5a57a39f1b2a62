"""CyberArk Vault audit records as the integration `cyberarkpas` (audit) indexes them: names, no ids.

Read in elastic/integrations: packages/cyberarkpas/data_stream/audit fields/fields.yml (0893655), ingest_pipeline/audit.yml
(0e7e522). The pipeline takes only the JSON that CyberArk's elastic-json translator writes ({"format": "elastic", "syslog":
{"audit_record": …}}); a CEF line is mapped to the same fields here, which the integration does not do. Records have no id of
their own.

Events of Privileged Threat Analytics, always CEF, as the integration `cyberark_pta` (events) indexes them: read in
packages/cyberark_pta/data_stream/events ingest_pipeline/default.yml (17c46cd), fields/cef.yml (8c61773), and its tests.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

from responders.content.ecs.common import Doc
from responders.content.forms import header_time, is_pta, read_cef

TIMES = ("IsoTimestamp", "iso_timestamp")
PTA_TIMES = ("deviceCustomDate1", "IsoTimestamp")
_SAME = (
    ("issuer", "Issuer"), ("target_user", "TargetUser"), ("source_user", "SourceUser"), ("safe", "Safe"), ("file", "File"),
    ("station", "Station"), ("gateway_station", "GatewayStation"), ("action", "Action"), ("desc", "Desc"),
    ("message", "Message"), ("reason", "Reason"), ("severity", "Severity"), ("category", "Category"),
    ("location", "Location"), ("request_id", "RequestId"), ("iso_timestamp", "IsoTimestamp"),
)  # fmt: skip
_ECS = (
    ("event.code", "MessageID"), ("file.path", "File"), ("source.address", "Station"), ("source.ip", "Station"),
    ("destination.address", "GatewayStation"), ("destination.ip", "GatewayStation"), ("observer.hostname", "Hostname"),
)  # fmt: skip
_SEVERITIES = {"Info": 2, "Error": 7, "Critical": 10}
_BY_CODE: Dict[str, Dict[str, str]] = {
    "4": {"event.action": "authentication_failure", "event.outcome": "failure"},
    "309": {"event.action": "authentication_failure", "event.outcome": "failure"},
    "7": {"event.action": "authentication_success", "event.outcome": "success"},
    "295": {"event.outcome": "success"},
    "308": {"event.outcome": "success"},
    "428": {"event.outcome": "success"},
}
"""What the pipeline sets for these codes; other codes get the lowercased action and, here, no outcome."""
_FROM_CEF = {
    "suser": "Issuer", "duser": "TargetUser", "fname": "File", "shost": "Station", "cs2": "Safe", "reason": "Reason",
    "act": "Action", "rt": "IsoTimestamp", "cs1": "SourceUser",
}  # fmt: skip
_PTA = (
    ("cef.device.event_class_id", "cef_signature"), ("cyberark_pta.log.event_type", "cef_signature"),
    ("event.code", "cef_signature"), ("cef.name", "cef_name"), ("event.reason", "cef_name"),
    ("cef.severity", "cef_severity"), ("event.severity", "cef_severity"), ("cef.extensions.sourceUserName", "suser"),
    ("source.user.name", "suser"), ("cef.extensions.sourceAddress", "src"), ("source.ip", "src"),
    ("cef.extensions.sourceHostName", "shost"), ("cef.extensions.destinationUserName", "duser"),
    ("cef.extensions.destinationHostName", "dhost"), ("cef.extensions.destinationAddress", "dst"), ("destination.ip", "dst"),
    ("cef.extensions.deviceCustomString2", "cs2"), ("event.id", "cs2"), ("event.reference", "cs3"),
)  # fmt: skip


def record(event: Any) -> Any:
    """The audit record of an event in CyberArk's JSON, bare or wrapped, or of a CEF line; anything else as it is."""
    if isinstance(event, Mapping) and isinstance(event.get("cef"), str):
        event = event["cef"]
    if isinstance(event, str):
        return _from_cef(event)
    for name in ("syslog", "audit_record"):
        if isinstance(event, Mapping):
            event = event.get(name, event)
    return event


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an audit record (CyberArk, "Vault audit action codes"); no id."""
    for name, raw in _SAME:
        document.put(f"cyberarkpas.audit.{name}", event.get(raw))
    for name, raw in _ECS:
        document.put(name, event.get(raw))
    action = event.get("Action")
    document.put("event.action", action.lower() if isinstance(action, str) else None)
    document.put("event.severity", _SEVERITIES.get(str(event.get("Severity"))))
    for name in ("user.name", "source.user.name"):
        document.put(name, event.get("Issuer"))
    for name, value in _BY_CODE.get(str(event.get("MessageID")), {}).items():
        document.put(name, value)
    return ""


def fill_pta(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from PTA's CEF fields (CyberArk, "CEF-Based Format Definition"). Its event id is no document's id: PTA
    sends an event again when it changes."""
    for name, key in _PTA:
        document.put(name, event.get(key))
    return ""


def _from_cef(text: str) -> Mapping[str, Any]:
    fields = {key: value.strip('"') for key, value in read_cef(text).items()}
    if is_pta(text):
        return {**fields, "IsoTimestamp": header_time(text)}
    found: Dict[str, Any] = {name: fields[key] for key, name in _FROM_CEF.items() if fields.get(key)}
    found.setdefault("IsoTimestamp", header_time(text))
    if fields.get("cs4Label") == "Property Name":
        found["Category"] = fields.get("cs4")
    found["MessageID"] = fields.get("cef_signature")
    found["Desc"] = fields.get("cef_name")
    return found
