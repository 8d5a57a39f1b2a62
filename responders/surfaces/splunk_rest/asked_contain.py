"""Contain or preview the identities behind rows that a person handed in."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from responders import pipeline
from responders.alerts.kept import kept
from responders.alerts.row import alert_from_row, with_request
from responders.errors import BadInput, JournalError, Refused, TourniquetError
from responders.escalation.report import Report
from responders.escalation.words import as_json
from responders.policy.guards import MOST
from responders.surfaces.splunk_rest.asked import Asked
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.finding import completed

_WORKERS = 8
SECONDS = 25.0
"""After so long no further row is begun: splunkd and the alert process wait for the answer."""
_WHOLE = 20
"""Up to so many rows the answer has each one's whole report."""
_STAYS_DUE = "not begun in time: it is in the journal, and the next run of tourniquet_due does it"


def preview(context: Context, asked: Asked) -> Mapping[str, Any]:
    """What would be done for each row. Nothing is written, neither at a vendor nor in the journal."""
    responder = context.responder
    results: List[Dict[str, Any]] = []
    for row in asked.rows:
        raw = with_request(
            completed(row, responder.catalogue), context.caller.name, asked.reason or "preview", _wanted(asked)
        )
        try:
            results.append({**_ids(row), **_told(pipeline.plan(kept(raw), responder))})
        except BadInput as error:
            results.append({**_ids(row), "status": "failed", "title": str(error)})
    return _all(results)


def contain(context: Context, asked: Asked) -> Mapping[str, Any]:
    """Each row is journaled and due before the first one is acted on; a few at a time, strongest first."""
    responder = context.responder
    results: Dict[int, Dict[str, Any]] = {}
    todo: List[Tuple[int, Mapping[str, Any]]] = []
    for place, row in enumerate(asked.rows):
        raw = with_request(completed(row, responder.catalogue), asked.click.by, asked.reason, _wanted(asked))
        try:
            alert_from_row(kept(raw), responder.catalogue, responder.now())
        except BadInput as error:
            # Not escalated as a lost alert: who clicked reads it now, and the search that raised it was handled by itself.
            responder.journal.append(asked.click.chain, "row refused", {"row": kept(row), "why": str(error)})
            results[place] = {"status": "failed", "title": str(error)}
            continue
        pipeline.keep(raw, responder)
        todo.append((place, raw))
    todo.sort(key=lambda item: _confidence(item[1]))
    deadline = time.monotonic() + SECONDS
    lock = threading.Lock()
    fatal: List[JournalError] = []

    def work() -> None:
        while True:
            with lock:
                if not todo or fatal or time.monotonic() > deadline:
                    return
                place, raw = todo.pop()
            try:
                found = _one(context, raw)
            except JournalError as error:
                fatal.append(error)
                return
            with lock:
                results[place] = found

    threads = [threading.Thread(target=work) for _ in range(min(_WORKERS, len(todo)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if fatal:
        raise fatal[0]
    for place, _ in todo:
        results[place] = {"status": "due", "title": _STAYS_DUE}
    return _all([{**_ids(row), **results[place]} for place, row in enumerate(asked.rows)])


def _one(context: Context, raw: Mapping[str, Any]) -> Dict[str, Any]:
    try:
        return _told(pipeline.contain(raw, context.responder))
    except Refused as error:  # another responder has it: it stays due
        return {"status": "due", "title": str(error)}
    except JournalError:
        raise
    except TourniquetError as error:
        return {"status": "failed", "title": str(error)}
    except Exception as error:  # a mistake of ours in one row must neither stop the others nor look like success
        return {
            "status": "failed",
            "title": f"internal error {type(error).__name__}. The alert stays due; please report this",
        }


def _wanted(asked: Asked) -> Sequence[str]:
    return [*filter(None, (asked.tier,)), *([f"{MOST}{asked.most}"] if asked.most else [])]


def _told(report: Report) -> Dict[str, Any]:
    status = "open" if report.loud else "done"
    return {
        "status": status, "title": report.title, "containment": report.containment,
        "open_items": list(report.open_items), "report": as_json(report),
    }  # fmt: skip


def _all(results: List[Dict[str, Any]]) -> Mapping[str, Any]:
    if len(results) > _WHOLE:
        for result in results:
            result.pop("report", None)  # an answer of bounded size: GET containments has them
    worst = next((s for s in ("failed", "open", "due") if any(r["status"] == s for r in results)), "done")
    return {"status": worst, "results": results}


def _ids(row: Mapping[str, Any]) -> Dict[str, str]:
    """What ties an answer to the result it is about, for Enterprise Security."""
    return {name: str(row[name])[:200] for name in ("rid", "orig_sid", "orig_rid", "event_id") if row.get(name)}


def _confidence(row: Mapping[str, Any]) -> float:
    try:
        number = float(str(row.get("tq_confidence", "0")))
    except ValueError:
        return 0.0
    return number if 0 <= number <= 100 else 0.0
