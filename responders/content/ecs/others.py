"""GitHub audit, Kubernetes audit and agent tool-call events: the identity fields."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc, get

_GITHUB = (
    ("github.category", "category"), ("github.actor_id", "actor_id"), ("github.hashed_token", "hashed_token"),
    ("github.token_id", "token_id"), ("github.org", "org"), ("github.repo", "repo"),
    ("github.programmatic_access_type", "programmatic_access_type"), ("event.action", "action"),
    ("user.name", "actor"), ("event.id", "_document_id"),
)  # fmt: skip
_KUBERNETES = (
    ("kubernetes.audit.user.username", "user.username"), ("kubernetes.audit.user.uid", "user.uid"),
    ("kubernetes.audit.verb", "verb"), ("kubernetes.audit.objectRef.resource", "objectRef.resource"),
    ("kubernetes.audit.objectRef.namespace", "objectRef.namespace"), ("kubernetes.audit.objectRef.name", "objectRef.name"),
    ("kubernetes.audit.auditID", "auditID"), ("kubernetes.audit.stage", "stage"),
    ("kubernetes.audit.userAgent", "userAgent"), ("event.action", "verb"),
)  # fmt: skip
_AGENT = ("agent.id", "agent.tenant", "agent.on_behalf_of", "tool.name", "tool.resource", "session.id")

FIELDS: Dict[str, str] = {
    **dict.fromkeys([name for name, _ in (*_GITHUB, *_KUBERNETES)], "keyword"),
    **{f"tourniquet.{name}": "keyword" for name in _AGENT},
    "kubernetes.audit.sourceIPs": "keyword",
    "source.ip": "ip",
}


def fill_github(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an audit log event (integration `github`, audit); its _document_id."""
    for name, path in _GITHUB:
        value = get(event, path)
        document.put(name, str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    document.put_ip("source.ip", event.get("actor_ip"))
    found = event.get("_document_id")
    return found if isinstance(found, str) else ""


def fill_kubernetes(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an audit.k8s.io event (integration `kubernetes`, audit_logs); auditID and stage."""
    for name, path in _KUBERNETES:
        document.put(name, get(event, path))
    addresses = event.get("sourceIPs")
    document.put("kubernetes.audit.sourceIPs", [str(a) for a in addresses] if isinstance(addresses, list) else None)
    document.put_ip("source.ip", addresses[0] if isinstance(addresses, list) and addresses else None)
    audit = event.get("auditID")
    return f"{audit}:{event.get('stage', '')}" if isinstance(audit, str) else ""


def fill_agent(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an agent's tool call; its id."""
    for name in _AGENT:
        document.put(f"tourniquet.{name}", get(event, name))
    found = event.get("id")
    return found if isinstance(found, str) else ""
