"""Signals and the watch list in files, as the drill and a single machine keep them. SIEM stores have their own."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any, Callable, Mapping

from responders.errors import JournalError
from responders.model import Alert, Identity, Standing


def signal_row(alert: Alert, identity: Identity, at: datetime) -> Mapping[str, Any]:
    """One signal: identity, layer, confidence, event time, event ids (detections.md names them)."""
    return {
        "tq_detection": alert.detection,
        "tq_identity": identity.id,
        "tq_account": [account.key for account in alert.accounts],
        "tq_layer": alert.layer,
        "tq_confidence": alert.confidence,
        "tq_events": sorted(alert.events),
        "tq_causes": sorted(alert.causes),
        "tq_finding": alert.finding,
        "tq_completed_at": alert.completed_at.isoformat(),
        "tq_correlation": alert.correlation,
        "at": at.isoformat(),
    }


def watch_row(identity: Identity, until: datetime, why: str, at: datetime) -> Mapping[str, Any]:
    """One row of the watch list."""
    row = {"tq_identity": identity.id, "until": until.isoformat(), "why": why, "at": at.isoformat()}
    return {**row, "tq_account": ",".join(account.key for account in identity.accounts)}


def standing_row(standing: Standing) -> Mapping[str, Any]:
    """One account of a containment, as detection correlation/activity_after_containment reads it."""
    row = {
        "kind": standing.kind,
        "containment": standing.containment,
        "tq_identity": standing.identity,
        "tq_account": standing.account,
        "time": standing.since.isoformat(),
    }
    return row if standing.residual_until is None else {**row, "residual_until": standing.residual_until.isoformat()}


class FileSignals:
    """Appends to `signals.jsonl`, `watch.jsonl` and `journal.jsonl` in a folder, mode 0600. Raises JournalError."""

    def __init__(self, folder: str, clock: Callable[[], datetime]) -> None:
        self.folder = folder
        self.clock = clock

    def signal(self, alert: Alert, identity: Identity) -> None:
        self._append("signals.jsonl", signal_row(alert, identity, self.clock()))

    def watch(self, identity: Identity, until: datetime, why: str) -> None:
        """Put an identity on the watch list until a time."""
        self._append("watch.jsonl", watch_row(identity, until, why, self.clock()))

    def standing(self, standing: Standing) -> None:
        self._append("journal.jsonl", standing_row(standing))

    def _append(self, name: str, row: Mapping[str, Any]) -> None:
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            handle = os.open(os.path.join(self.folder, name), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                os.write(handle, (json.dumps(row, sort_keys=True) + "\n").encode())
            finally:
                os.close(handle)
        except OSError as error:
            raise JournalError(f"{self.folder}/{name}: {error.strerror}. Check the folder and its rights") from error
