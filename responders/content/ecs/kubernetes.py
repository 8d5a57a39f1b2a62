"""Kubernetes audit events as the integration `kubernetes` (audit_logs) indexes them.

Read in elastic/integrations: packages/kubernetes/data_stream/audit_logs fields/fields.yml (0a35e48) and
ingest_pipeline/default.yml (084db00). The event itself becomes kubernetes.audit. The pipeline sets no time: the agent
does, here the time of the request.
"""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc, get

TIMES = ("requestReceivedTimestamp", "stageTimestamp")
_BASE = "kubernetes.audit."
_ECS = (
    ("event.action", "verb"), ("user.name", "user.username"), ("user.id", "user.uid"), ("user_agent.original", "userAgent"),
    ("source.ip", "sourceIPs"), ("client.ip", "sourceIPs"),
)  # fmt: skip
_DECISIONS = {"allow": "success", "forbid": "failure"}


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an audit.k8s.io event (Kubernetes, "Auditing"); auditID and stage, since stages share the id."""
    for name in document.types:
        if name.startswith(_BASE):
            document.put(name, get(event, name[len(_BASE) :]))
    for name, path in _ECS:
        document.put(name, get(event, path))
    notes = event.get("annotations")
    decision = notes.get("authorization.k8s.io/decision") if isinstance(notes, Mapping) else None
    document.put("event.outcome", _DECISIONS.get(str(decision)))
    audit = event.get("auditID")
    return f"{audit}:{event.get('stage', '')}" if isinstance(audit, str) and audit else ""
