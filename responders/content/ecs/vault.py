"""Vault and OpenBao audit records as the integration `hashicorp_vault` (audit) indexes them.

Read in elastic/integrations: packages/hashicorp_vault/data_stream/audit fields/fields.yml (01ec175) and
ingest_pipeline/default.yml (009be49). The record itself becomes hashicorp_vault.audit; an `error` of any kind, even an
empty one, makes the outcome a failure; user.id is the auth method's account_id and not the entity.
"""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc, get

TIMES = ("time",)
_BASE = "hashicorp_vault.audit"
_SAME = (
    ("source.ip", "request.remote_address"), ("source.port", "request.remote_port"), ("event.action", "request.operation"),
    ("event.id", "request.id"), ("user.id", "auth.metadata.account_id"), ("user.email", "auth.metadata.email"),
)  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an audit record (Vault documentation, "Audit devices"); request id and record type, since
    request and response share the id."""
    for name in document.types:
        if name.startswith(f"{_BASE}."):
            document.put(name, get(event, name[len(_BASE) + 1 :]))
    for name, path in _SAME:
        document.put(name, get(event, path))
    document.put("event.outcome", "success" if event.get("error") is None else "failure")
    request = get(event, "request.id")
    return f"{request}:{event.get('type', '')}" if isinstance(request, str) and request else ""
