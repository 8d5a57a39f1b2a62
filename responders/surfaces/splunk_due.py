"""The scripted input `tourniquet_due`: takes up what is due (rechecks, retries, interrupted alerts), each minute.

The alert process exits after the first recheck, for Splunk has few action threads; this does all the later ones, and the
alerts that an alert process could not store. Splunk runs one instance of a scripted input at a time on each search head, and
claims in the journal keep two search heads, and an alert process, off one entry. Nothing goes to stdout: Splunk would index
it.

Splunk writes the session key to stdin, as one line, because inputs.conf says `passAuth = splunk-system-user`
(inputs.conf.spec).

Exit codes: 0 nothing due is left; 1 something is still due, and the next run tries again; 3 splunkd, the settings or the
journal can't be used.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Callable, Dict, List
from urllib.parse import unquote

from responders.errors import JournalError, TourniquetError
from responders.splunk import message
from responders.surfaces.splunk_alert import EXECUTE, SYSTEM_USER
from responders.surfaces.splunk_log import Log, log_path, splunk_home, var_folder
from responders.surfaces.splunk_spool import Kept, Spool

NAME = "tourniquet_due"
_LONGEST_KEY = 4096
_NOBODY = ("nobody", SYSTEM_USER)
"""Owners of a search that Splunk runs as splunk-system-user."""


def main(app_home: str, stdin: BinaryIO) -> int:
    """Run once. `app_home` is the app's folder; `stdin` gives the session key."""
    log = Log(log_path(app_home, f"{NAME}.log"))
    key = session_key(stdin.readline(_LONGEST_KEY))
    splunkd = None
    try:
        from responders.containment import due
        from responders.pipeline import keep, take_up
        from responders.splunk.local_conf import management_uri
        from responders.surfaces.splunk_assemble import connect, open_splunk_responder

        uri = management_uri(splunk_home(app_home))
        splunkd = connect(uri, key, app_home)
        responder = open_splunk_responder(uri, key, app_home, splunkd=splunkd)
        waiting = _from_spool(Spool(var_folder(app_home)), splunkd, lambda row: keep(row, responder), log)
        for line in take_up(responder):
            log.say("INFO", NAME, {"did": line})
        left = list(due.pending(responder.journal, responder.now()))
    except TourniquetError as error:
        log.say("ERROR", NAME, {"error": str(error)})
        if splunkd is not None:
            message.show(splunkd, f"alerts are not handled on this search head: {error}")
        return 3
    if not waiting:
        message.take_down(splunkd)
    for item in left:
        log.say(
            "WARN", NAME, {"still_due": f"{item.what} {item.about}", "since": item.at.isoformat(), "why": responder.halted()}
        )
    return 1 if left or waiting else 0


def session_key(line: bytes) -> str:
    """The key as splunkd writes it: alone, or as `sessionKey=…` with its letters escaped, as for older search commands."""
    text = line.decode("ascii", "replace").strip()
    return unquote(text[len("sessionKey=") :]) if text.startswith("sessionKey=") else text


def _from_spool(spool: Spool, splunkd: Any, keep: Callable[[Dict[str, Any]], Any], log: Log) -> int:
    """Put the alerts that were kept on this search head into the journal, due at once; how many files are left."""
    left = 0
    for path in spool.paths():
        try:
            kept = spool.read(path)
            if not kept.alone:
                continue
            rows: List[Dict[str, Any]] = list(map(dict, kept.rows))
            user = SYSTEM_USER if kept.sure else ran_by(kept.sid, splunkd)
            if not user:
                what = f"an alert of search {kept.search} was kept, and who ran it is not known any more"
                log.say("ERROR", NAME, {"error": f"{what}: nobody was contained. People are told", "sid": kept.sid})
                rows = [_of_nobody_known(kept)]
            elif not may_contain(user, splunkd):
                what = f"an alert of search {kept.search} was dropped: {user}, who ran it, may not contain without asking"
                log.say("ERROR", NAME, {"error": f"{what}. Click `Contain identity` on its results", "sid": kept.sid})
                rows = []
            for row in rows:
                keep(row)
            spool.remove(path)
        except JournalError:
            raise
        except (TourniquetError, OSError, ValueError) as error:
            left += 1
            log.say("ERROR", NAME, {"error": f"an alert kept on this search head stays there: {error}"})
    return left


def ran_by(sid: str, splunkd: Any) -> str:
    """Who ran the search, by splunkd's word, splunk-system-user for the scheduler's of nobody; "" when its job is gone.

    Source: Splunk REST API Reference, "search/jobs/{search_id}". A job that has but the id of a scheduled one is
    somebody's. Raises SplunkError.
    """
    try:
        entry = splunkd.entries("search", "jobs", sid)[0] if sid else {}
    except TourniquetError as error:
        if getattr(error, "status", 0) == 404:
            return ""
        raise
    author, owner = str(entry.get("author") or ""), str((entry.get("acl") or {}).get("owner") or "")
    if {author, owner} <= set(_NOBODY):
        return SYSTEM_USER if sid.startswith("scheduler_") else ""
    return next((name for name in (author, owner) if name and name not in _NOBODY), "")


def may_contain(user: str, splunkd: Any) -> bool:
    """True when they may contain without asking, now. Raises SplunkError."""
    if user == SYSTEM_USER:
        return True
    try:
        content = splunkd.entries("authentication", "users", user)[0].get("content", {})
    except TourniquetError as error:
        if getattr(error, "status", 0) == 404:
            return False
        raise
    return EXECUTE in (content.get("capabilities") or ())


def _of_nobody_known(kept: Kept) -> Dict[str, Any]:
    """Stands in the place of the rows: it names nobody, and people are told."""
    why = (
        f"its results were kept while splunkd did not answer, and its job {kept.sid[:200]} is gone, so that nobody can say "
    )
    remedy = "who ran it: nobody was contained. Look at its results in Splunk, and contain by hand"
    place = f"search {kept.search}"
    return {"unreadable": f"{len(kept.rows)} results", "place": place, "why": why + remedy, "sid": kept.sid}
