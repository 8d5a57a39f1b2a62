"""An alert of Elastic Security as the row that the pipeline takes."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from responders.alerts.row import REQUEST
from responders.errors import VendorError
from responders.surfaces.service.index import RULE, AlertIndex, Stored

APPROVE = "contain:approve"
"""The tag that stands for a click where the licence has nothing better. It proves no person."""
_EVENTS = "tq_events"


def is_ours(alert: Stored, catalogue: Mapping[str, Any]) -> bool:
    """True when the rule that raised it is the one of the detection it names: a rule of somebody else decides nothing."""
    known = catalogue.get(alert.text("tq_detection"))
    return isinstance(known, Mapping) and bool(alert.text(RULE)) and known.get("id") == alert.text(RULE)


def row_of(alert: Stored, index: AlertIndex) -> Dict[str, Any]:
    """The row: the columns of the rule's query, and where it came from.

    The events' own ids at the vendor are added to `index/_id`, for the vendor's log knows only those; where the events
    can't be read, the alert goes on without them.
    """
    row = {name: value for name, value in alert.source.items() if name.startswith("tq_") and name != REQUEST}
    names = _texts(row.get(_EVENTS))
    try:
        found = index.event_ids(names)
    except VendorError:
        found = ()
    if found:
        row[_EVENTS] = list(dict.fromkeys((*names, *found)))
    row["elastic_space"], row["elastic_alert"] = alert.space, alert.id
    return row


def approved(row: Mapping[str, Any]) -> Dict[str, Any]:
    """The row of a finding that was handled, contained nobody, and was tagged since: judged once more, by policy."""
    return {**row, "tq_finding": f"{row.get('tq_finding', '')}|{APPROVE}"}


def _texts(value: Any) -> List[str]:
    items = value if isinstance(value, list) else [] if value in (None, "") else [value]
    return [str(item) for item in items]
