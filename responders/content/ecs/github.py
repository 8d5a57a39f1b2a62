"""GitHub audit log events as the integration `github` (audit) indexes them.

Read in elastic/integrations: packages/github/data_stream/audit fields/fields.yml (0b97ab0) and
ingest_pipeline/default.yml (01e2fd9). The address is github.actor_ip, not source.ip. That the ids (actor_id, token_id,
org_id, repo_id, user_id) are copied from the event's keys of the same names is taken from the field file: the pipeline
version that was read is older.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

from responders.content.ecs.common import Doc, get

TIMES = ("@timestamp", "created_at")
_ECS = (
    ("event.action", "action"), ("event.id", "_document_id"), ("user.name", "actor"), ("user.target.name", "user"),
    ("client.geo.country_iso_code", "actor_location.country_code"),
)  # fmt: skip
_CATEGORY = re.compile(r"([a-z_]+)\.")


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an audit log event (GitHub, "Audit log events"); its _document_id."""
    for name in document.types:
        if name.startswith("github."):
            document.put(name, event.get(name[len("github.") :]))
    for name, path in _ECS:
        document.put(name, get(event, path))
    category = _CATEGORY.match(str(event.get("action")))
    document.put("github.category", category.group(1) if category else None)
    groups = {"team": event.get("team"), "org": event.get("org")}
    document.put("group.name", groups.get(category.group(1)) if category else None)
    return str(event.get("_document_id", ""))
