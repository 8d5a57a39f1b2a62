"""Signals and the watch list in files, as the drill and a single machine keep them. SIEM stores have their own."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any, Callable, Mapping

from responders.errors import JournalError
from responders.model import Alert, Identity, Standing


class FileSignals:
    """Appends to `signals.jsonl`, `watch.jsonl` and `journal.jsonl` in a folder, mode 0600. Raises JournalError."""

    def __init__(self, folder: str, clock: Callable[[], datetime]) -> None:
        self.folder = folder
        self.clock = clock

    def signal(self, alert: Alert, identity: Identity) -> None:
        """One signal: identity, layer, confidence, event time, event ids (detections.md names them)."""
        self._append(
            "signals.jsonl",
            {
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
                "at": self.clock().isoformat(),
            },
        )

    def watch(self, identity: Identity, until: datetime, why: str) -> None:
        """Put an identity on the watch list until a time."""
        row = {"tq_identity": identity.id, "until": until.isoformat(), "why": why, "at": self.clock().isoformat()}
        row["tq_account"] = ",".join(account.key for account in identity.accounts)
        self._append("watch.jsonl", row)

    def standing(self, standing: Standing) -> None:
        """One account of a containment, as detection correlation/activity_after_containment reads it."""
        until = standing.residual_until
        row = {
            "kind": standing.kind,
            "containment": standing.containment,
            "tq_identity": standing.identity,
            "tq_account": standing.account,
            "time": standing.since.isoformat(),
        }
        self._append("journal.jsonl", row if until is None else {**row, "residual_until": until.isoformat()})

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
