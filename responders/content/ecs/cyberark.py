"""CyberArk Vault audit records as the integration `cyberarkpas` (audit) indexes them: names, no ids."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc
from responders.content.forms import read_cef

_SAME = (
    ("issuer", "Issuer"), ("target_user", "TargetUser"), ("source_user", "SourceUser"), ("safe", "Safe"), ("file", "File"),
    ("station", "Station"), ("gateway_station", "GatewayStation"), ("action", "Action"), ("desc", "Desc"),
    ("message", "Message"), ("reason", "Reason"), ("severity", "Severity"), ("category", "Category"),
    ("location", "Location"), ("request_id", "RequestId"), ("iso_timestamp", "IsoTimestamp"),
)  # fmt: skip
_FROM_CEF = {
    "suser": "Issuer", "duser": "TargetUser", "fname": "File", "shost": "Station", "cs2": "Safe", "reason": "Reason",
    "act": "Action", "rt": "IsoTimestamp", "cs1": "AffectedUserName", "msg": "ExtraDetails",
}  # fmt: skip

FIELDS: Dict[str, str] = {
    **{f"cyberarkpas.audit.{name}": "keyword" for name, _ in _SAME},
    "event.code": "keyword", "event.action": "keyword", "user.name": "keyword", "source.ip": "ip",
    "source.address": "keyword",
}  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from the JSON form of CyberArk's syslog translator; an id of its own (records have none)."""
    if isinstance(event.get("cef"), str):
        return fill(from_cef(str(event["cef"])), document)
    record: Any = event.get("syslog", event)
    record = record.get("audit_record", record) if isinstance(record, Mapping) else {}
    if not isinstance(record, Mapping):
        return ""
    for name, raw in _SAME:
        document.put(f"cyberarkpas.audit.{name}", record.get(raw))
    document.put("event.code", str(record["MessageID"]) if record.get("MessageID") else None)
    document.put("event.action", str(record.get("Action") or record.get("Desc") or "").lower())
    document.put("user.name", record.get("Issuer"))
    document.put("source.address", record.get("Station"))
    document.put_ip("source.ip", record.get("Station"))
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()[:32]


def from_cef(text: str) -> Mapping[str, Any]:
    """The same record from CyberArk's CEF form."""
    fields = read_cef(text)
    record = {name: fields[key] for key, name in _FROM_CEF.items() if fields.get(key)}
    record["MessageID"] = str(fields.get("cef_signature", ""))
    record["Desc"] = str(fields.get("cef_name", ""))
    return {"syslog": {"audit_record": record}}
