"""A past alert, and what became of it in the SIEM: closed as what it was, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Mapping, Optional, Tuple

from responders.alerts.fields import many
from responders.alerts.kept import kept
from responders.alerts.row import alert_from_row, from_siem
from responders.errors import BadAlert
from responders.model import Alert

FALSE, BENIGN, TRUE = "false positive", "benign", "true positive"
WRONG = (FALSE, BENIGN)
"""Closed so, the alert should have contained nobody."""
_RAISED = ("_time", "@timestamp", "at")
_STATUS = ("kibana.alert.workflow_status",)
CLOSED_AS = (
    "tq_closed_as", "disposition", "disposition_label", "kibana.alert.workflow_reason", "kibana.alert.workflow_tags",
)  # fmt: skip
_WORDS = {
    "false positive": FALSE, "falsepositive": FALSE, "fp": FALSE, "disposition:3": FALSE, "disposition:4": FALSE,
    "benign": BENIGN, "benign positive": BENIGN, "benignpositive": BENIGN, "disposition:2": BENIGN,
    "true positive": TRUE, "truepositive": TRUE, "tp": TRUE, "disposition:1": TRUE,
}  # fmt: skip


@dataclass(frozen=True)
class Past:
    """One past alert. `at` is when the SIEM raised it, `closed` one of FALSE, BENIGN, TRUE, or "" when nobody said."""

    place: str
    at: datetime
    alert: Alert
    closed: str = ""


def past(place: str, row: Mapping[str, Any], catalogue: Mapping[str, Any], now: datetime, column: str = "") -> Past:
    """One row as the pipeline reads it. `column` is where the row says as what it was closed. Raises BadAlert.

    A row's `_time` or `@timestamp` is when it was raised; without one, and never earlier, its completing event is.
    """
    ours = kept({name: row[name] for name in row if str(name).startswith("tq_") or "unreadable" in row})
    alert = alert_from_row(from_siem(ours), catalogue, now)
    raised = next((found for name in _RAISED if (found := _time(row.get(name))) is not None), None)
    return Past(place, max(alert.completed_at, min(raised or alert.completed_at, now)), alert, closed_as(row, column))


def closed_as(row: Mapping[str, Any], column: str = "") -> str:
    """As what the customer closed the alert, "" when it is open or was closed without a word.

    Elastic: `kibana.alert.workflow_reason` false_positive, benign_positive or true_positive since 9.2 (Kibana, "Set a
    detection alert status"), a tag before that; either counts while the status is closed only. Splunk Enterprise
    Security: `disposition` with its shipped values 1 to 4 (Ansible collection splunk.es, module splunk_finding), or its
    label, which begins with the word ("False Positive - Incorrect Analytic Logic").
    """
    status = next((str(row[name]) for name in _STATUS if row.get(name)), "closed")
    if not column and status != "closed":
        return ""
    for name in (column,) if column else CLOSED_AS:
        for value in _texts(row, name):
            plain = value.strip().lower().replace("_", " ").replace("-", " ")
            plain = " ".join(plain.split())
            if plain in _WORDS:
                return _WORDS[plain]
            for word in ("false positive", "benign positive", "true positive"):
                if plain.startswith(word):
                    return _WORDS[word]
    return ""


def _texts(row: Mapping[str, Any], name: str) -> Tuple[str, ...]:
    try:
        return many(row, name)
    except BadAlert:
        return ()


def _time(value: Any) -> Optional[datetime]:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value == "":
        return None
    try:
        return datetime.fromtimestamp(float(value), timezone.utc)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        return found.astimezone(timezone.utc) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
