"""Marks alerts through Kibana, so that its own history of the alert has it.

Source: Elastic, "Security detections API" (signals/status, signals/tags) and "Security timeline API" (PATCH /api/note; a
note of an alert has an empty timelineId).
"""

from __future__ import annotations

from typing import Dict, Sequence

from responders.elastic.kibana import Kibana
from responders.surfaces.service.config import KibanaSettings
from responders.surfaces.service.index import Stored


class Kibanas:
    """Kibana, by space. For one thread. Raises KibanaError."""

    def __init__(self, server: KibanaSettings) -> None:
        self._server = server
        self._spaces: Dict[str, Kibana] = {}

    def mark(self, alert: Stored, tags: Sequence[str], gone: Sequence[str], *, acknowledge: bool, note: str) -> None:
        """Add tags, take those `gone` away, add a note ("" for none), and acknowledge. The tags come last: they say that
        all was done."""
        space = self._space(alert.space)
        if acknowledge:
            space.call("POST", "/api/detection_engine/signals/status", {"signal_ids": [alert.id], "status": "acknowledged"})
        if note:
            space.call("PATCH", "/api/note", {"note": {"timelineId": "", "eventId": alert.id, "note": note}})
        if tags or gone:
            change = {"ids": [alert.id], "tags": {"tags_to_add": list(tags), "tags_to_remove": list(gone)}}
            space.call("POST", "/api/detection_engine/signals/tags", change)

    def check(self, spaces: Sequence[str]) -> None:
        """Ask it for its status, in each space."""
        for space in spaces:
            self._space(space).status()

    def close(self) -> None:
        for space in self._spaces.values():
            space.__exit__(None, None, None)

    def _space(self, name: str) -> Kibana:
        if name not in self._spaces:
            self._spaces[name] = Kibana(self._server.url, space=name, key=self._server.api_key, ca=self._server.ca)
        return self._spaces[name]
