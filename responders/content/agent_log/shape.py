"""Which product wrote an event about an agent, told by its shape alone."""

from __future__ import annotations

from typing import Any, Mapping


def shape(event: Any) -> str:
    """`bedrock` (model-invocation log), `entra_signin`, `mcp` (JSON-RPC), else `agent`: the contract itself."""
    if not isinstance(event, Mapping):
        return "agent"
    if event.get("schemaType") == "ModelInvocationLog":
        return "bedrock"
    properties = event.get("properties")
    held = properties if isinstance(properties, Mapping) else event
    if "createdDateTime" in held or "servicePrincipalId" in held or str(event.get("category")) in _SIGN_INS:
        return "entra_signin"
    if "jsonrpc" in event or isinstance(event.get("method"), str):
        return "mcp"
    return "agent"


_SIGN_INS = frozenset(
    ("SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs")
)
