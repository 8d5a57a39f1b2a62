"""A vendor's raw event as the document that Elastic's integration makes of it.

Field names and types follow the integrations' own field files and pipelines (github.com/elastic/integrations, read in
2026: packages okta/system, azure/signinlogs and auditlogs, o365/audit, aws/cloudtrail, cyberarkpas/audit,
hashicorp_vault/audit, github/audit, kubernetes/audit_logs). Only the fields that matter to identity are made; what an
ingest pipeline adds from outside (geo and AS databases) is not there. The pipelines themselves were not run.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping

from responders.content.ecs import aws, cyberark, entra, m365, okta, others, tourniquet, vault
from responders.content.ecs.document import Doc, EcsDocument
from responders.content.forms import to_splunk
from responders.errors import BadInput

STREAMS: Dict[str, str] = {
    "okta": "logs-okta.system",
    "entra_signin": "logs-azure.signinlogs",
    "entra_audit": "logs-azure.auditlogs",
    "m365_audit": "logs-o365.audit",
    "aws_cloudtrail": "logs-aws.cloudtrail",
    "cyberark": "logs-cyberarkpas.audit",
    "vault": "logs-hashicorp_vault.audit",
    "github": "logs-github.audit",
    "kubernetes_audit": "logs-kubernetes.audit_logs",
    "agent": "logs-tourniquet.agent",
    "signal": "logs-tourniquet.signals",
    "journal": "logs-tourniquet.journal",
}
"""Source to data stream, without its namespace."""

_MAPPERS: Dict[str, Callable[[Mapping[str, Any], Doc], str]] = {
    "okta": okta.fill,
    "entra_signin": entra.fill_signin,
    "entra_audit": entra.fill_audit,
    "m365_audit": m365.fill,
    "aws_cloudtrail": aws.fill,
    "cyberark": cyberark.fill,
    "vault": vault.fill,
    "github": others.fill_github,
    "kubernetes_audit": others.fill_kubernetes,
    "agent": others.fill_agent,
    "signal": tourniquet.fill_signal,
    "journal": tourniquet.fill_journal,
}


def to_ecs(source: str, event: Any, ingested: datetime, namespace: str = "default") -> EcsDocument:
    """The document of one raw event. An absent field stays absent; an event without a readable time has `ingested`.

    `source` is one of STREAMS, `event` the vendor's JSON object, or for CyberArk a CEF line. Raises BadInput for an
    event that is neither.
    """
    if source not in STREAMS:
        raise BadInput(f"unknown source {source!r}", place="source", remedy=f"use one of {', '.join(sorted(STREAMS))}")
    if not isinstance(event, Mapping) and not (source == "cyberark" and isinstance(event, str)):
        raise BadInput("is no JSON object", place=f"{source} event", remedy="give one event a line")
    document = Doc()
    own = _MAPPERS[source](event if isinstance(event, Mapping) else cyberark.from_cef(str(event)), document)
    at = to_splunk(source, event, ingested.timestamp())["_time"]
    document.put("@timestamp", _stamp(float(at)))
    document.put("event.ingested", _stamp(ingested.timestamp()))
    document.put("data_stream.dataset", STREAMS[source].partition("-")[2])
    name = own or hashlib.sha256(json.dumps(event, sort_keys=True, default=str).encode("utf-8", "replace")).hexdigest()[:32]
    return EcsDocument(f"{STREAMS[source]}-{namespace}", name[:500], document.values)


def field_types() -> Mapping[str, str]:
    """Every field that any mapper makes, and its type in the integrations' mappings."""
    return dict(_FIELDS)


def _stamp(seconds: float) -> str:
    try:
        found = datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, ValueError, OSError):
        found = datetime.fromtimestamp(0, timezone.utc)
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _all_fields() -> Dict[str, str]:
    found = {"@timestamp": "date", "event.ingested": "date", "data_stream.dataset": "keyword"}
    modules: List[Any] = [okta, entra, m365, aws, cyberark, vault, others, tourniquet]
    for module in modules:
        found.update(module.FIELDS)
    return found


_FIELDS = _all_fields()

__all__ = ["STREAMS", "EcsDocument", "field_types", "to_ecs"]
