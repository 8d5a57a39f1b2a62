"""SailPoint Identity Security Cloud events as the integration `sailpoint_identity_sc` (events) indexes them.

Read in elastic/integrations: packages/sailpoint_identity_sc/data_stream/events fields/event-fields.yml (b3a54b9) and
ingest_pipeline/default.yml (127f814): the event becomes sailpoint_identity_sc.events with its keys in snake case.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

from responders.content.ecs.common import Doc, get

TIMES = ("created",)
_BASE = "sailpoint_identity_sc.events"
_HUMP = re.compile(r"_?([a-z])([A-Z]+)")
_ECS = (("host.ip", "ip_address"), ("user.entity.id", "actor.id"))


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an event of the search API (SailPoint, "Audit Events Reference"); its id."""
    snake = _snake(event)
    for name in document.types:
        if name.startswith(f"{_BASE}."):
            document.put(name, get(snake, name[len(_BASE) + 1 :]))
    for name, path in _ECS:
        document.put(name, get(snake, path))
    return str(event.get("id", ""))


def _snake(value: Any) -> Any:
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {_HUMP.sub(r"\1_\2", str(key)).lower(): _snake(item) for key, item in value.items()}
