"""What an adaptive response action does with an analyst's session: it posts requests to the app's REST interface.

No vendor is called and no credential read here: whoever clicked has no right to either. The interface checks the
capabilities of the session's own user, carries the request out as the app, and answers with what became of it.

Exit codes as of `splunk_alert`: 0 all done; 1 something is open, due, refused or waits for a second person; 2 the payload
could not be read; 3 the interface could not be asked.
"""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO, Dict, Iterator, List, Mapping, Sequence

from responders.errors import BadAlert, TourniquetError
from responders.splunk.splunkd import Splunkd
from responders.surfaces.splunk_log import Log, log_path
from responders.surfaces.splunk_results import MAX_PAYLOAD, Payload, read_payload

ACTIONS: Mapping[str, str] = {
    "tourniquet_contain": "contain",
    "tourniquet_contain_tier": "contain_tier",
    "tourniquet_preview": "preview",
    "tourniquet_restore": "restore",
}
"""Adaptive response action (a stanza of alert_actions.conf) to the action of a request."""
AT_ONCE, LARGEST = 500, 6 * 1024 * 1024
"""Rows and characters of one request. All of its rows are in the journal before the first one is acted on."""
SECONDS = 120.0
_NO_REASON = "Contain identity was run on this result"


def main(arguments: Sequence[str], stdin: BinaryIO, app_home: str, action: str) -> int:
    """One start of an action that is only ever a click. `action` is its stanza's name."""
    if "--execute" not in arguments:
        sys.stderr.write("FATAL this is a Splunk alert action: Splunk starts it with --execute and JSON on stdin\n")
        return 2
    log = Log(log_path(app_home, f"{action}_modalert.log"), action)
    try:
        payload = read_payload(stdin.read(MAX_PAYLOAD + 1).decode("utf-8", "replace"))
    except BadAlert as error:
        log.write("", "", "failure", str(error))
        return 2
    if payload.broken and not payload.rows and action != "tourniquet_restore":  # whose form may name the containment
        log.write(payload.search, payload.sid, "failure", payload.broken)
        return 2
    try:
        from responders.surfaces.splunk_assemble import connect

        splunkd = connect(payload.server_uri, payload.session_key, app_home)
        return send_requests(payload, splunkd, log, action)
    except TourniquetError as error:
        log.write(payload.search, payload.sid, "failure", str(error))
        return 3


def send_requests(payload: Payload, splunkd: Splunkd, log: Log, action: str = "tourniquet_contain") -> int:
    """Post what the payload asks for with the session of who ran it; a line of the log for each result.

    Raises SplunkError when the interface does not answer, or refuses the user.
    """
    asking = splunkd.patient(SECONDS)
    try:
        if action == "tourniquet_restore":
            return _restore(payload, asking, log)
        return _rows(payload, asking, log, action)
    finally:
        asking.close()
        splunkd.close()


def _rows(payload: Payload, splunkd: Splunkd, log: Log, action: str) -> int:
    worst = 1 if payload.broken else 0
    if payload.broken:
        log.write(payload.search, payload.sid, "failure", payload.broken)
    for rows in _batches(payload.rows):
        answer = _post(splunkd, {**_about(payload, action), "rows": [dict(row) for row in rows]})
        for row, found in zip(rows, answer.get("results") or ()):
            worst = max(worst, _say(log, payload, found, row))
    return worst


def _batches(rows: Sequence[Mapping[str, Any]]) -> Iterator[List[Mapping[str, Any]]]:
    batch: List[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        length = len(json.dumps(row))
        if batch and (len(batch) >= AT_ONCE or size + length > LARGEST):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch


def _restore(payload: Payload, splunkd: Splunkd, log: Log) -> int:
    """By the containment of the form; else by the containment or the identity of each result, each of them once."""
    given = payload.configuration.get("containment", "").strip()
    rows: List[Mapping[str, Any]] = list(payload.rows) or [{}]
    named = {given: rows[0]} if given else {_whom(row): row for row in reversed(rows) if _whom(row)}
    if not named:
        what = "neither the form nor a result names a containment or an identity"
        log.write(payload.search, payload.sid, "failure", f"{what}. Enter the containment's id, c-…, or the identity's")
        return 1
    worst = 0
    for whom, row in named.items():
        kind = "containment" if whom.startswith("c-") else "identity"
        ids = {name: str(row[name]) for name in ("rid", "orig_sid", "orig_rid") if row.get(name)}
        agree = payload.configuration.get("agree", "").strip()
        body = {**_about(payload, "tourniquet_restore"), kind: whom, **ids, **({"agree": agree} if agree else {})}
        worst = max(worst, _say(log, payload, _post(splunkd, body), row))
    return worst


def _whom(row: Mapping[str, Any]) -> str:
    return next((str(row[name]).strip() for name in ("containment", "tq_identity") if isinstance(row.get(name), str)), "")


def _about(payload: Payload, action: str) -> Dict[str, Any]:
    """Keys of a request that do not depend on a row. No user is named: whose request it is the session says."""
    given = payload.configuration
    reason = given.get("reason", "").strip()
    body: Dict[str, Any] = {"action": ACTIONS[action], "sid": payload.sid, "search": payload.search}
    if action == "tourniquet_contain" and not reason:
        reason = f"{_NO_REASON}: {payload.search}"
    if reason:
        body["reason"] = reason
    tier = given.get("tier", "").strip()
    if tier and action in ("tourniquet_contain_tier", "tourniquet_preview"):
        body["tier"] = tier
    return body


def _post(splunkd: Splunkd, body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = splunkd.post_json("tourniquet", "requests", body=body)
    return found if isinstance(found, Mapping) else {}


def _say(log: Log, payload: Payload, found: Mapping[str, Any], row: Mapping[str, Any]) -> int:
    status = str(found.get("status", "failed"))
    good = status in ("done", "waits", "due")
    parts = (str(found.get("title", "the app's REST interface gave no answer")), str(found.get("containment") or ""))
    items = [str(item) for item in found.get("open_items") or ()][:5]
    message = " ".join(part for part in (*parts, *(f"OPEN: {item}" for item in items)) if part)
    ids = {name: str(row.get(name) or "") for name in ("rid", "orig_sid", "orig_rid")}
    log.write(payload.search, payload.sid, "success" if good else "failure", message, **ids)
    return 0 if status == "done" else 1
