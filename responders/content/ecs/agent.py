"""Tool calls of AI agents, as an MCP gateway logs them. There is no integration for them: the fields are Tourniquet's."""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc, get

TIMES = ("time", "timestamp")


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a tool call (keys agent, tool, session); its id."""
    for name in document.types:
        if name.startswith("tourniquet."):
            document.put(name, get(event, name[len("tourniquet.") :]))
    return str(event.get("id", ""))
