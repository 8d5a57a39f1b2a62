"""What became of an adaptive response action, as events that Enterprise Security shows: `tag=modaction_result`.

The fields are those of Splunk's Common Action Model: `orig_action_name`, and `orig_sid` and `orig_rid` of the result that
the action was run on, which are its own `sid` and `rid` when no action had made it (as `ModularAction.addevent` in
cim_actions.py of Splunk_SA_CIM chooses them). That library writes them into a file below var/spool; here they are JSON over
splunkd's receivers, with an event type and a tag of the app (eventtypes.conf, tags.conf). **Not seen in Splunk.**
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Iterable, Mapping

from responders.splunk import events
from responders.splunk.splunkd import Splunkd

SOURCETYPE = "tourniquet:modaction"


def result(action: str, at: datetime, sid: str, row: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    """One event. `row` is the result that the action was run on; `more` (`action_status`, `signature`) what became of it."""
    rid = str(row.get("rid") or "")
    return {
        "time": at.isoformat(),
        "orig_action_name": action,
        "orig_sid": str(row.get("orig_sid") or sid),
        "orig_rid": str(row.get("orig_rid") or rid),
        "sid": sid,
        "rid": rid,
        **more,
    }


def send(splunkd: Splunkd, rows: Iterable[Mapping[str, Any]]) -> None:
    """Send them into the index of the app's events. Raises SplunkError."""
    found = splunkd.entries("configs", "conf-tourniquet_settings", "general")
    index = str(found[0].get("content", {}).get("index") or "main") if found else "main"
    events.send(splunkd, index, SOURCETYPE, rows)
