"""The Splunk alert action `Contain identity`: rows in, containments out, the outcome in the log and the exit code.

A session that may contain without asking (splunk-system-user, or capability tourniquet_execute) contains here. Anybody
else's is never used to read a credential: its rows go to the app's REST interface as a request, which checks what that user
may do.

Exit codes: 0 every row was handled and nothing is left open; 1 something is open, refused or unreadable, and was
escalated, or time was over and the rest is due; 2 the payload itself could not be read, or Splunk did not start this; 3
nothing could be recorded: the alert is kept on this search head, and `tourniquet_due` takes it up.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from typing import Any, BinaryIO, Callable, List, Mapping, Sequence, Tuple

from responders.errors import BadAlert, JournalError, Refused, TourniquetError
from responders.escalation.report import Report
from responders.surfaces.splunk_held import Held
from responders.surfaces.splunk_log import ACTION, Log, log_path
from responders.surfaces.splunk_results import MAX_PAYLOAD, Payload, read_payload, recheck_seconds

MAXTIME = 300.0
"""alert_actions.conf maxtime: Splunk kills the process then."""
SYSTEM_USER, EXECUTE = "splunk-system-user", "tourniquet_execute"
_WORKERS = 8
_LONGEST_RECHECK = 60.0  # an action thread of Splunk is held meanwhile
_KEPT = 65536  # characters of an unreadable payload that are kept
Told = Tuple[Mapping[str, Any], str, str]
"""A row, its action_status, and what became of it in words."""
_SPARE = 15.0  # seconds for what is under way when no new row is begun any more


def main(arguments: Sequence[str], stdin: BinaryIO, app_home: str) -> int:
    """Run once for one alert of Splunk. `app_home` is the app's folder; `stdin` gives the bytes of Splunk's JSON."""
    began = time.monotonic()
    if "--execute" not in arguments:
        sys.stderr.write("FATAL this is a Splunk alert action: Splunk starts it with --execute and JSON on stdin\n")
        return 2
    log = Log(log_path(app_home, f"{ACTION}_modalert.log"))
    # One more than is taken, so that what is too long is seen; and bytes, for the locale here may not be UTF-8.
    text = stdin.read(MAX_PAYLOAD + 1).decode("utf-8", "replace")
    try:
        payload = read_payload(text)
    except BadAlert as error:
        return _unreadable(text, str(error), app_home, log)
    rows = list(payload.rows)
    if payload.broken:
        log.write(payload.search, payload.sid, "failure", payload.broken)
        rows.append({"unreadable": payload.broken, "search": payload.search, "sid": payload.sid})
    held = Held(app_home, payload, rows, log)
    splunkd = None
    try:
        # Late: while these load, nothing could say what is wrong.
        from responders.surfaces.splunk_assemble import connect, open_splunk_responder

        splunkd = connect(payload.server_uri, payload.session_key, app_home)
        user, allowed = may_execute(splunkd)
        if not allowed:
            held.drop()  # whoever may not contain by himself must not have it done by the next run of tourniquet_due
            from responders.surfaces.splunk_request import send_requests

            return int(send_requests(payload, splunkd, log))
        if by_hand(payload, user):
            rows = [_asked_as_nobody(payload)]
            held.replace(rows)
        else:
            held.vouch()
        responder = open_splunk_responder(payload.server_uri, payload.session_key, app_home, splunkd=splunkd)
        code, left = _run(payload, rows, responder, log, began, splunkd)
        held.replace(left)
        return max(code, 1 if payload.broken else 0)
    except TourniquetError as error:
        said = f"{error} {held.said(payload)}"
        log.write(payload.search, payload.sid, "failure", said)
        if splunkd is not None and held.kept:
            from responders.splunk.message import show

            show(splunkd, f"an alert of search {payload.search} waits: {said}")
        return 3


def may_execute(splunkd: Any) -> Tuple[str, bool]:
    """Whose session it is, and whether that one may contain without asking. Raises SplunkError.

    Source: Splunk REST API Reference, "authentication/current-context".
    """
    content = splunkd.entries("authentication", "current-context")[0].get("content", {})
    user = str(content.get("username", ""))
    return user, user == SYSTEM_USER or EXECUTE in (content.get("capabilities") or ())


def by_hand(payload: Payload, user: str) -> bool:
    """True for a search that runs as splunk-system-user, and that the scheduler did not start.

    Whoever may read a search of nobody's may dispatch it with its actions, over a time of his choice: where a customer took
    `dispatchAs = user` away, as the system itself. The scheduler's search ids begin with `scheduler` (cim_actions.py of
    Splunk_SA_CIM tells saved from ad hoc by that).
    """
    return user == SYSTEM_USER and not payload.sid.startswith(("scheduler_", "rt_scheduler_"))


def _asked_as_nobody(payload: Payload) -> Mapping[str, Any]:
    """Stands in the place of the rows: it names nobody, and people are told."""
    why = "somebody ran it as its owner, who is nobody: nobody was contained. Run it as yourself, or contain by hand"
    return {"unreadable": f"results of search {payload.search}", "place": f"search {payload.search}", "why": why,
            "sid": payload.sid}  # fmt: skip


def _unreadable(text: str, why: str, app_home: str, log: Log) -> int:
    """A payload that is none has no session to do anything with: kept, so that the next run journals and escalates it."""
    log.write("", "", "failure", why)
    row = {"unreadable": text[:_KEPT], "sha256": _digest(text), "why": why}
    held = Held(app_home, Payload("", "", {}, (row,), owner=SYSTEM_USER), [row], log)
    held.vouch()  # it names nobody: people are told, and no more
    held.replace([row])
    return 2


def _run(
    payload: Payload, rows: Sequence[Mapping[str, Any]], responder: Any, log: Log, began: float, splunkd: Any
) -> Tuple[int, List[Mapping[str, Any]]]:
    """The worst exit code of all rows, and the rows that were not begun."""
    from responders.pipeline import contain, take_up

    worst = 0
    try:
        wait = recheck_seconds(payload)
    except BadAlert as error:
        wait, worst = 10.0, 1
        log.write(payload.search, payload.sid, "failure", str(error))
    wait = min(wait + 0.2, _LONGEST_RECHECK) if wait > 0 else 0.0
    until = began + MAXTIME - _SPARE - wait - responder.timing.deadline
    told: List[Told] = []
    code, left = _contain_all(rows, lambda row: contain(row, responder), payload, log, until, told)
    worst = max(worst, code)
    _tell(payload, told, responder, splunkd, log)
    if left:
        late = (
            f"{len(left)} rows were not begun: Splunk ends this process after {MAXTIME:.0f} s. tourniquet_due takes them up"
        )
        log.write(payload.search, payload.sid, "failure", late)
        return 1, left
    if wait > 0:
        time.sleep(wait)
        for line in take_up(responder):
            log.write(payload.search, payload.sid, "success", f"due: {line}")
    return worst, []


def _tell(payload: Payload, told: Sequence[Told], responder: Any, splunkd: Any, log: Log) -> None:
    """For Enterprise Security, which shows it with the finding. An index that takes nothing changes nothing else."""
    from responders.splunk import modaction

    given = {"search_name": payload.search, "user": payload.owner}
    rows = [
        modaction.result(ACTION, responder.now(), payload.sid, row, action_status=status, signature=message, **given)
        for row, status, message in told
    ]
    try:
        modaction.send(splunkd, rows)
    except TourniquetError as error:
        log.say("WARN", ACTION, {"error": f"what became of the results is not in the index: {error}", "sid": payload.sid})


def _contain_all(
    rows: Sequence[Mapping[str, Any]],
    contain: Callable[[Mapping[str, Any]], Report],
    payload: Payload,
    log: Log,
    until: float,
    told: List[Told],
) -> Tuple[int, List[Mapping[str, Any]]]:
    """Strongest first, a few side by side; one row's failure stops no other. None is begun after `until`."""
    queue: List[Mapping[str, Any]] = sorted(rows, key=_confidence)
    worst: List[int] = [0]
    fatal: List[JournalError] = []
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not queue or fatal or time.monotonic() > until:
                    return
                row = queue.pop()
            try:
                code, status, message = _one(row, contain)
            except JournalError as error:
                fatal.append(error)
                return
            with lock:
                worst[0] = max(worst[0], code)
                told.append((row, status, message))
                log.write(payload.search, payload.sid, status, message, rid=str(row.get("rid", "")))

    threads = [threading.Thread(target=work) for _ in range(min(_WORKERS, len(rows)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if fatal:
        raise fatal[0]
    return worst[0], queue


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
