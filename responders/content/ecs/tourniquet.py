"""Tourniquet's own signals and journal events, with the field names that the responder writes."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Mapping

from responders.content.ecs.document import Doc

_SIGNAL = ("tq_detection", "tq_identity", "tq_account", "tq_layer", "tq_events", "tq_finding")
_JOURNAL = ("kind", "containment", "tq_identity", "tq_account")

FIELDS: Dict[str, str] = {
    **{f"tourniquet.{name}": "keyword" for name in (*_SIGNAL, *_JOURNAL)},
    "tourniquet.tq_confidence": "long",
    "tourniquet.residual_until": "date",
}


def fill_signal(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a signal; its finding, which is unique for one detection and event."""
    for name in _SIGNAL:
        document.put(f"tourniquet.{name}", event.get(name))
    with contextlib.suppress(ValueError, OverflowError):
        document.put("tourniquet.tq_confidence", int(float(str(event.get("tq_confidence")))))
    return ""


def fill_journal(event: Mapping[str, Any], document: Doc) -> str:
    """Fill a document from a journal event (`contained`, `restored` …)."""
    for name in (*_JOURNAL, "residual_until"):
        document.put(f"tourniquet.{name}", event.get(name))
    return ""
