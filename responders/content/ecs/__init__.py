"""A vendor's raw events as the documents that Elastic's integrations make of them.

Field names, types and conversions follow the integrations' own field files and ingest pipelines (repository
elastic/integrations; each module names the package and the commits that were read). The pipelines themselves were not
run. What they add from databases (geo, AS, user agent) and the ECS fields that no detection needs (related.*, event.type
…) are not made. Types are in fields.json: data stream → field → type, every field that any mapper makes, and of Tourniquet's
own journal those that the rules about its health read.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from responders.content.agent_log.shape import shape
from responders.content.ecs import (
    agent,
    aws,
    cyberark,
    entra,
    entra_risk,
    github,
    kubernetes,
    m365,
    okta,
    sailpoint,
    secret_scanning,
    tourniquet,
    vault,
)
from responders.content.ecs.common import Doc, EcsDocument, document_id, iso_time
from responders.content.forms import is_pta
from responders.errors import BadInput

STREAMS: Dict[str, str] = {
    "okta": "logs-okta.system",
    "entra_signin": "logs-azure.signinlogs",
    "entra_audit": "logs-azure.auditlogs",
    "entra_risk": "logs-azure.identity_protection",
    "m365_audit": "logs-o365.audit",
    "aws_cloudtrail": "logs-aws.cloudtrail",
    "cyberark": "logs-cyberarkpas.audit",
    "cyberark_pta": "logs-cyberark_pta.events",
    "vault": "logs-hashicorp_vault.audit",
    "github": "logs-github.audit",
    "github_secret_scanning": "logs-github.secret_scanning",
    "kubernetes_audit": "logs-kubernetes.audit_logs",
    "sailpoint": "logs-sailpoint_identity_sc.events",
    "agent": "logs-tourniquet.agent",
    "bedrock": "logs-aws_bedrock.invocation",
    "signal": "logs-tourniquet.signals",
    "journal": "logs-tourniquet.journal",
}
"""Source to data stream, without its namespace."""

_NAMESPACE = "default"
_ENVELOPES: Dict[str, str] = {
    "entra_signin": "records", "entra_audit": "records", "entra_risk": "records", "aws_cloudtrail": "Records",
    "kubernetes_audit": "items",
}  # fmt: skip
"""Where a file or a message of the vendor holds several events; the integrations' inputs split them as well."""

_Fill = Callable[[Mapping[str, Any], Doc], str]
_MAPPERS: Dict[str, Tuple[_Fill, Tuple[str, ...]]] = {
    "okta": (okta.fill, okta.TIMES),
    "entra_signin": (entra.fill_signin, entra.SIGNIN_TIMES),
    "entra_audit": (entra.fill_audit, entra.AUDIT_TIMES),
    "entra_risk": (entra_risk.fill, entra_risk.TIMES),
    "m365_audit": (m365.fill, m365.TIMES),
    "aws_cloudtrail": (aws.fill, aws.TIMES),
    "cyberark": (cyberark.fill, cyberark.TIMES),
    "cyberark_pta": (cyberark.fill_pta, cyberark.PTA_TIMES),
    "vault": (vault.fill, vault.TIMES),
    "github": (github.fill, github.TIMES),
    "github_secret_scanning": (secret_scanning.fill, secret_scanning.TIMES),
    "kubernetes_audit": (kubernetes.fill, kubernetes.TIMES),
    "sailpoint": (sailpoint.fill, sailpoint.TIMES),
    "agent": (agent.fill, agent.TIMES),
    "bedrock": (agent.fill_bedrock, agent.TIMES),
    "signal": (tourniquet.fill_signal, tourniquet.SIGNAL_TIMES),
    "journal": (tourniquet.fill_journal, tourniquet.JOURNAL_TIMES),
}


def to_ecs(source: str, event: Any, ingested: datetime, *, untimed: Optional[datetime] = None) -> List[EcsDocument]:
    """The documents of one raw event: one, or for a vendor's envelope of several events one each.

    `source` is one of STREAMS, `event` the vendor's JSON object (for CyberArk also a CEF line), `ingested` when it
    arrived. An absent or unfit field stays absent. Raises BadInput for an event that is no object, and without `untimed` for
    one that has no readable time.
    """
    if source not in STREAMS:
        raise BadInput(f"unknown source {source!r}", place="source", remedy=f"use one of {', '.join(sorted(STREAMS))}")
    inner = event.get(_ENVELOPES[source]) if isinstance(event, Mapping) and source in _ENVELOPES else None
    if isinstance(inner, list):
        return [_one(source, item, ingested, untimed, f"{source} event {place}") for place, item in enumerate(inner, 1)]
    return [_one(source, event, ingested, untimed, f"{source} event")]


@lru_cache(maxsize=1)
def field_types() -> Mapping[str, Mapping[str, str]]:
    """Data stream → field → type in the integrations' mappings, of every field that any mapper makes."""
    found: Dict[str, Dict[str, str]] = json.loads((Path(__file__).parent / "fields.json").read_text("utf-8"))
    return found


def _one(source: str, event: Any, ingested: datetime, untimed: Optional[datetime], place: str) -> EcsDocument:
    raw, said = event, source
    if source == "agent" and shape(event) in STREAMS:
        source = shape(event)
    if source == "cyberark":
        source = "cyberark_pta" if is_pta(event) else source
        event = cyberark.record(event)
    if not isinstance(event, Mapping):
        raise BadInput("is no JSON object", place=place, remedy="give one event a line")
    stream = STREAMS[source]
    document = Doc(field_types()[stream])
    fill, times = _MAPPERS[source]
    try:
        name = document_id(fill(event, document), said, raw)
    except RecursionError:
        raise BadInput("is nested too deep", place=place, remedy="no vendor's event is; leave it out") from None
    document.put("@timestamp", _time(event, times, untimed, place))
    document.put("event.ingested", ingested.timestamp())
    document.put("data_stream.dataset", stream.partition("-")[2])
    return EcsDocument(f"{stream}-{_NAMESPACE}", name, document.values)


def _time(event: Mapping[str, Any], names: Tuple[str, ...], untimed: Optional[datetime], place: str) -> str:
    for name in names:
        found = iso_time(event.get(name))
        if found is not None:
            return found
    if untimed is not None:
        return str(iso_time(untimed.timestamp()))
    raise BadInput("has no readable time", place=place, remedy=f"set {' or '.join(names)} to an ISO 8601 time")


__all__ = ["STREAMS", "EcsDocument", "field_types", "to_ecs"]
