"""Sign-ins of Entra's agent identities onto the contract.

Read in Microsoft Graph beta, "agentSignIn resource type" (agentType, agentSubjectType, agentSubjectParentId,
parentAppId) and "signIn resource type". The agent identity is a service principal; parentAppId is its blueprint. On behalf
of whom: the user of the sign-in, whose own account may be an agent's (agentIDuser).
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from responders.content.agent_log.record import at, first, pruned

AGENTIC = frozenset(
    ("agenticapp", "agenticappinstance", "agenticappbuilder", "agentidentityblueprintprincipal", "agentiduser")
)


def records(event: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """The sign-in of an agent; none where Entra does not call the caller one."""
    inner = event.get("properties")
    sign_in = inner if isinstance(inner, Mapping) else event
    kind = str(at(sign_in, "agent.agentType") or "").lower()
    who = first(sign_in, "agent.agentServicePrincipalId", "servicePrincipalId")
    if kind not in AGENTIC or who is None:
        return []
    tenant = first(event, "tenantId", "properties.tenantId", "properties.resourceTenantId", "resourceTenantId")
    code = at(sign_in, "status.errorCode")
    record = {
        "time": first(event, "time") or first(sign_in, "createdDateTime"),
        "id": first(sign_in, "id"),
        "action": "sign_in",
        "agent": {
            "vendor": "entra", "tenant": tenant, "id": who, "kind": "service_principal",
            "blueprint": first(sign_in, "agent.parentAppId"), "on_behalf_of": first(sign_in, "userId"),
        },
        "session": {"id": first(sign_in, "sessionId", "uniqueTokenIdentifier")},
        "tool": {"resource": first(sign_in, "resourceDisplayName", "resourceId")},
        "client": {"ip": first(event, "callerIpAddress") or first(sign_in, "ipAddress")},
        "outcome": "failure" if code not in (None, 0, "0") else "success",
    }  # fmt: skip
    return [pruned(record)]
