"""Vault and OpenBao audit records as the integration `hashicorp_vault` (audit) indexes them."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc, get, number

_TEXTS = (
    "type", "error", "auth.accessor", "auth.client_token", "auth.display_name", "auth.entity_id", "auth.token_type",
    "request.id", "request.operation", "request.path", "request.client_id", "request.client_token_accessor",
    "request.mount_type", "request.mount_point", "request.mount_accessor", "request.namespace.id", "request.namespace.path",
    "response.mount_type", "response.auth.accessor", "response.auth.display_name", "response.auth.entity_id",
    "response.auth.token_type",
)  # fmt: skip
_LISTS = ("auth.policies", "auth.token_policies", "auth.identity_policies", "response.auth.policies",
          "response.auth.token_policies")  # fmt: skip
_NUMBERS = ("auth.token_ttl", "response.auth.token_ttl", "request.remote_port", "request.wrap_ttl")
_OBJECTS = ("auth.metadata", "request.data", "response.data", "response.auth.metadata")
_BASE = "hashicorp_vault.audit"

FIELDS: Dict[str, str] = {
    **{f"{_BASE}.{name}": "keyword" for name in (*_TEXTS, *_LISTS)},
    **{f"{_BASE}.{name}": "long" for name in _NUMBERS},
    **{f"{_BASE}.{name}": "flattened" for name in _OBJECTS},
    f"{_BASE}.request.remote_address": "ip", "source.ip": "ip", "event.action": "keyword", "event.id": "keyword",
    "user.id": "keyword",
}  # fmt: skip


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an audit record (Vault documentation, "Audit devices"); request id and type."""
    for name in (*_TEXTS, *_LISTS):
        document.put(f"{_BASE}.{name}", get(event, name))
    for name in _NUMBERS:
        document.put(f"{_BASE}.{name}", number(get(event, name)))
    for name in _OBJECTS:
        document.put_object(f"{_BASE}.{name}", get(event, name))
    document.put_ip(f"{_BASE}.request.remote_address", get(event, "request.remote_address"))
    document.put_ip("source.ip", get(event, "request.remote_address"))
    document.put("event.action", get(event, "request.operation"))
    document.put("event.id", get(event, "request.id"))
    document.put("user.id", get(event, "auth.entity_id"))
    request = get(event, "request.id")
    return f"{request}:{event.get('type', '')}" if isinstance(request, str) and request else ""
