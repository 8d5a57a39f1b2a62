"""The Splunk alert action `Contain identity`: rows in, containments out, the outcome in the log and the exit code.

Exit codes: 0 every row was handled and nothing is left open; 1 something is open, refused or unreadable, and was
escalated; 2 the payload itself could not be read: it was journaled and escalated, or Splunk did not start this; 3 the
settings or the journal can't be used, so nothing was recorded: the log names the search's sid, to be sent again.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from typing import Any, BinaryIO, Callable, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadAlert, JournalError, Refused, TourniquetError
from responders.escalation.report import Report
from responders.surfaces.splunk_log import ACTION, Log, log_path
from responders.surfaces.splunk_results import MAX_PAYLOAD, Payload, read_payload, recheck_seconds

_WORKERS = 8
_LONGEST_RECHECK = 60.0  # an action thread of Splunk is held meanwhile
_KEPT = 65536  # characters of an unreadable payload that the journal keeps


def main(arguments: Sequence[str], stdin: BinaryIO, app_home: str) -> int:
    """Run once for one alert of Splunk. `app_home` is the app's folder; `stdin` gives the bytes of Splunk's JSON."""
    if "--execute" not in arguments:
        sys.stderr.write("FATAL this is a Splunk alert action: Splunk starts it with --execute and JSON on stdin\n")
        return 2
    log = Log(log_path(app_home, f"{ACTION}_modalert.log"))
    # One more than is taken, so that what is too long is seen; and bytes, for the locale here may not be UTF-8.
    text = stdin.read(MAX_PAYLOAD + 1).decode("utf-8", "replace")
    payload: Optional[Payload] = None
    unreadable = ""
    try:
        payload = read_payload(text)
    except BadAlert as error:
        unreadable = str(error)
    search, sid = (payload.search, payload.sid) if payload else ("", "")
    try:
        # Before the imports that the vendors need: while they load, nothing could say what is wrong.
        from responders.surfaces.assemble import open_responder, settings_path

        responder = open_responder(settings_path(app_home))
        if payload is None:
            return _keep(text, unreadable, responder, log)
        return _run(payload, responder, log)
    except TourniquetError as error:
        again = f"Nobody was contained. When this is put right: | loadjob {sid} | sendalert {ACTION}" if sid else ""
        log.write(search, sid, "failure", f"{error} {again}".strip())
        return 3


def _keep(text: str, why: str, responder: Any, log: Log) -> int:
    """A payload that is none: journaled and escalated like an alert, so that somebody looks for what was lost."""
    from responders.pipeline import contain

    log.write("", "", "failure", why)
    try:
        contain({"unreadable": text[:_KEPT], "sha256": _digest(text), "why": why}, responder)
    except Refused as error:
        log.write("", "", "failure", str(error))
    return 2


def _run(payload: Payload, responder: Any, log: Log) -> int:
    from responders.pipeline import contain, take_up

    rows = list(payload.rows)
    worst = 0
    if payload.broken:
        worst = 1
        log.write(payload.search, payload.sid, "failure", payload.broken)
        rows.append({"unreadable": payload.broken, "search": payload.search, "sid": payload.sid})
    try:
        wait = recheck_seconds(payload)
    except BadAlert as error:
        wait, worst = 10.0, 1
        log.write(payload.search, payload.sid, "failure", str(error))
    worst = max(worst, _contain_all(rows, lambda row: contain(row, responder), payload, log))
    if wait > 0:
        time.sleep(min(wait + 0.2, _LONGEST_RECHECK))
        for line in take_up(responder):
            log.write(payload.search, payload.sid, "success", f"due: {line}")
    return worst


def _contain_all(
    rows: Sequence[Mapping[str, Any]],
    contain: Callable[[Mapping[str, Any]], Report],
    payload: Payload,
    log: Log,
) -> int:
    """Strongest first, a few side by side; one row's failure stops no other. The worst exit code of all."""
    queue: List[Mapping[str, Any]] = sorted(rows, key=_confidence)
    worst: List[int] = [0]
    fatal: List[JournalError] = []
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not queue:
                    return
                row = queue.pop()
            try:
                code, status, message = _one(row, contain)
            except JournalError as error:
                fatal.append(error)
                return
            with lock:
                worst[0] = max(worst[0], code)
                log.write(payload.search, payload.sid, status, message, rid=str(row.get("rid", "")))

    threads = [threading.Thread(target=work) for _ in range(min(_WORKERS, len(rows)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if fatal:
        raise fatal[0]
    return worst[0]


def _one(row: Mapping[str, Any], contain: Callable[[Mapping[str, Any]], Report]) -> Tuple[int, str, str]:
    try:
        report = contain(row)
    except Refused as error:
        return 0, "success", str(error)
    except JournalError:
        raise
    except TourniquetError as error:
        return 1, "failure", str(error)
    except Exception as error:  # a mistake of ours in one row must neither stop the others nor look like success
        return 1, "failure", f"internal error {type(error).__name__}: {error}. The alert stays due; please report this"
    message = f"{report.title} {report.containment}".strip()
    return (1, "failure", message) if report.loud else (0, "success", message)


def _confidence(row: Mapping[str, Any]) -> float:
    try:
        number = float(str(row.get("tq_confidence", "0")))
    except ValueError:
        return 0.0
    return number if 0 <= number <= 100 else 0.0  # nan sorts nowhere, and would leave the others in any order


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
