"""Tells Enterprise Security what became of a click: one event for each result."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from responders.errors import TourniquetError
from responders.splunk import modaction
from responders.surfaces.splunk_rest.asked import Asked
from responders.surfaces.splunk_rest.context import Context


def tell(context: Context, asked: Asked, answer: Dict[str, Any]) -> None:
    """Send the events. What can't be sent does not undo what was done: the answer says so."""
    try:
        modaction.send(context.splunkd, _rows(context, asked, answer))
    except TourniquetError as error:
        answer["not_indexed"] = f"what was done is in the journal; its event is not in the index: {error}"


def _rows(context: Context, asked: Asked, answer: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    given: List[Mapping[str, Any]] = list(answer.get("results") or [{**asked.ids, **answer}])
    action, now = f"tourniquet_{asked.action}", context.responder.now()
    return [
        modaction.result(
            action, now, asked.sid, item,
            search_name=asked.search, user=context.caller.name, identity=asked.click.by, request=answer.get("request", ""),
            action_status="success" if item["status"] in ("done", "waits") else "failure", status=item["status"],
            containment=item.get("containment", ""), signature=item["title"], reason=asked.reason,
            open_items=list(item.get("open_items") or ())[:20],
        )
        for item in given
    ]  # fmt: skip
