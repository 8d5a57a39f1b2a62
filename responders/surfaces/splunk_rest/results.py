"""What became of a click as an event that Enterprise Security shows with the finding: `tag=modaction_result`.

The fields are those of Splunk's Common Action Model: `orig_action_name`, and `orig_sid` and `orig_rid` of the result that
the action was run on, which are its own `sid` and `rid` when no action had made it (as `ModularAction.addevent` in
cim_actions.py of Splunk_SA_CIM chooses them). That library writes them into a file below var/spool; here they are JSON over
splunkd's receivers, with an event type and a tag of the app (eventtypes.conf, tags.conf). **Not seen in Splunk.**
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from responders.errors import TourniquetError
from responders.splunk import events
from responders.surfaces.splunk_rest.asked import Asked
from responders.surfaces.splunk_rest.context import Context

SOURCETYPE = "tourniquet:modaction"
_LOG = {"contain": "tourniquet_contain", "contain_tier": "tourniquet_contain_tier"}
"""Action of a request to the adaptive response action that stands for it; the others end in their own name."""


def tell(context: Context, asked: Asked, answer: Dict[str, Any]) -> None:
    """Send one event for each result. What can't be sent does not undo what was done: the answer says so."""
    rows = _rows(context, asked, answer)
    try:
        events.send(context.splunkd, context.index(), SOURCETYPE, rows)
    except TourniquetError as error:
        answer["not_indexed"] = f"what was done is in the journal; its event is not in the index: {error}"


def _rows(context: Context, asked: Asked, answer: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    given: List[Mapping[str, Any]] = list(answer.get("results") or [{**asked.ids, **answer}])
    action = _LOG.get(asked.action, f"tourniquet_{asked.action}")
    now = context.responder.now().isoformat()
    return [
        {
            "time": now,
            "orig_action_name": action,
            "orig_sid": item.get("orig_sid") or asked.sid,
            "orig_rid": item.get("orig_rid") or item.get("rid", ""),
            "sid": asked.sid,
            "rid": item.get("rid", ""),
            "search_name": asked.search,
            "user": context.caller.name,
            "identity": asked.by,
            "request": answer.get("request", ""),
            "action_status": "success" if item["status"] in ("done", "waits") else "failure",
            "status": item["status"],
            "containment": item.get("containment", ""),
            "signature": item["title"],
            "reason": asked.reason,
            "open_items": list(item.get("open_items") or ())[:20],
        }
        for item in given
    ]
