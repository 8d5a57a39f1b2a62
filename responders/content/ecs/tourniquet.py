"""Tourniquet's own signals and journal events, with the names that the responder gives them under `tourniquet.`."""

from __future__ import annotations

from typing import Any, Mapping

from responders.content.ecs.common import Doc, digest

SIGNAL_TIMES = ("tq_completed_at", "time")
JOURNAL_TIMES = ("contained_at", "time")


def fill_signal(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a signal; its finding, hashed: one detection raises one finding many times."""
    _fill(event, document)
    finding = event.get("tq_finding")
    return digest(finding) if isinstance(finding, str) and finding else ""


def fill_journal(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a journal event (`contained`, `restored` …), which has no id of its own."""
    _fill(event, document)
    return ""


def _fill(event: Mapping[str, Any], document: Doc) -> None:
    for name in document.types:
        if name.startswith("tourniquet."):
            document.put(name, event.get(name[len("tourniquet.") :]))
