"""The log contract for what AI agents do (docs/agent_log.md), and what maps products' own logs onto it.

`records` is all that a shipper needs: raw event in, records of the contract out, by the event's shape. It is pure and keeps
no text that a model wrote or read: no prompt, no answer, no value of an argument but the resource, without its secrets.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Mapping

from responders.content.agent_log import bedrock, entra, mcp
from responders.content.agent_log.shape import shape

_MAPPERS = {"bedrock": bedrock.records, "entra_signin": entra.records, "mcp": mcp.records}


def records(event: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """The contract's records of one raw event; none where it tells nothing about an agent. A record stays as it is."""
    mapper = _MAPPERS.get(shape(event))
    return [dict(event)] if mapper is None else mapper(event)


@lru_cache(maxsize=1)
def schema() -> Mapping[str, Any]:
    """The contract's JSON Schema."""
    found: Dict[str, Any] = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
    return found


__all__ = ["records", "schema", "shape"]
