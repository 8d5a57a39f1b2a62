"""GitHub secret scanning alerts as the integration `github` (secret_scanning) indexes them.

Read in elastic/integrations: packages/github/data_stream/secret_scanning fields/fields.yml (12754e5) and
ingest_pipeline/default.yml (057f555). The pipeline masks the secret unless its setting hide_secret is off: only then can a
query compare it.
"""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc, get

TIMES = ("resolved_at", "updated_at", "created_at")
_BASE = "github.secret_scanning."


def fill(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from an alert (GitHub REST API, "Secret scanning"); it has no id of its own."""
    for name in document.types:
        if name.startswith(_BASE):
            document.put(name, get(event, name[len(_BASE) :]))
    document.put("event.action", "secret_scanning")
    return ""
