"""An MCP gateway's log of JSON-RPC messages onto the contract.

Read in Model Context Protocol, specification 2025-06-18, "Tools" (tools/call, tools/list, isError, annotations) and "Base
protocol" (_meta). No gateway's log is a standard: what it says itself, beside the message, counts before `params._meta`,
which the client wrote and may forge. The answer (`result` or `error`) stands in the same event, where it is logged.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional

from responders.content.agent_log.record import OUTCOMES, VERDICTS, at, digest, first, pruned, resource, texts


def records(event: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """A call (tools/call) or the tools that a server offered (tools/list); nothing of any other message."""
    method = event.get("method")
    if method not in ("tools/call", "tools/list"):
        return []
    base = {
        "time": first(event, "time", "timestamp"),
        "id": first(event, "event_id", "uuid", "request_id"),
        "agent": {
            "vendor": _own(event, "agent_vendor", "agent.vendor"),
            "tenant": _own(event, "tenant", "agent.tenant"),
            "id": _own(event, "agent_id", "agent.id", "client_id", "clientId") or first(event, "params._meta.agentId"),
            "kind": _own(event, "agent_kind", "agent.kind"),
            "on_behalf_of": _own(event, "on_behalf_of", "agent.on_behalf_of", "user.id", "user_id"),
        },
        "session": {"id": _own(event, "session_id", "session.id", "sessionId") or first(event, "params._meta.sessionId")},
        "client": {"ip": first(event, "client.ip", "client_ip", "source_ip", "remote_address")},
        "runtime": {
            "id": _own(event, "runtime", "runtime.id"),
            "claimed": True if first(event, "runtime.id", "runtime") is None and at(event, "params._meta.runtime") else None,
            "allowed": _list(event, "runtime.allowed", "params._meta.allowed_runtimes"),
        },
        "guardrail": _guardrail(event),
    }
    server = first(event, "server.name", "server", "tool.server", "mcp_server")
    if method == "tools/list":
        return [pruned({**base, "action": "tool_list", "tool": {"server": server, "definitions": _definitions(event)}})]
    tool = {
        "name": first(event, "params.name"),
        "server": server,
        "resource": resource(at(event, "params.arguments")),
        "class": _classes(event),
        "allowed": _list(event, "tool.allowed", "allowed_tools", "params._meta.allowed_tools"),
    }
    return [pruned({**base, "action": "tool_call", "tool": tool, "outcome": _outcome(event)})]


def _own(event: Mapping[str, Any], name: str, *others: str) -> Optional[str]:
    """What the gateway says, under any of the names, else what the message's _meta claims."""
    return first(event, name, *others, f"params._meta.{name}")


def _list(event: Mapping[str, Any], *paths: str) -> List[str]:
    return next((found for found in (texts(at(event, path)) for path in paths) if found), [])


def _outcome(event: Mapping[str, Any]) -> Optional[str]:
    said = first(event, "outcome", "decision", "status")
    if said is not None and said.lower() in OUTCOMES:
        return OUTCOMES[said.lower()]
    if isinstance(event.get("error"), Mapping) or at(event, "result.isError") is True:
        return "failure"
    return "success" if isinstance(event.get("result"), Mapping) else None


def _classes(event: Mapping[str, Any]) -> List[str]:
    named = _list(event, "tool.class", "params._meta.tool_class")
    hinted = any(at(event, f"{place}.destructiveHint") is True for place in ("tool.annotations", "annotations"))
    return [*named, "destructive"] if hinted and "destructive" not in named else named


def _guardrail(event: Mapping[str, Any]) -> Dict[str, Any]:
    verdict = first(event, "guardrail.verdict", "params._meta.guardrail_verdict")
    types = _list(event, "guardrail.types", "params._meta.guardrail_types")
    return {"verdict": VERDICTS.get((verdict or "").lower()), "types": types}


def _definitions(event: Mapping[str, Any]) -> List[str]:
    """Each offered tool with a digest of all that describes it."""
    tools = at(event, "result.tools")
    named = [tool for tool in (tools if isinstance(tools, list) else []) if isinstance(at(tool, "name"), str)]
    return sorted(f"{tool['name']}={digest(tool)}" for tool in named)
