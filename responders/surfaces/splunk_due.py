"""The scripted input `tourniquet_due`: takes up what is due (rechecks, retries, interrupted alerts), each minute.

The alert process exits after the first recheck, for Splunk has few action threads; this does all the later ones. Splunk
runs one instance of a scripted input at a time, and claims in the journal keep it and an alert process off one entry.
Nothing goes to stdout: Splunk would index it.

Exit codes: 0 nothing due is left; 1 something is still due, and the next run tries again; 3 the settings or the journal
can't be used.
"""

from __future__ import annotations

from responders.errors import TourniquetError
from responders.surfaces.splunk_log import Log, log_path

NAME = "tourniquet_due"


def main(app_home: str) -> int:
    """Run once. `app_home` is the app's folder."""
    log = Log(log_path(app_home, f"{NAME}.log"))
    try:
        from responders.containment import due
        from responders.pipeline import take_up
        from responders.surfaces.assemble import open_responder, settings_path

        responder = open_responder(settings_path(app_home))
        for line in take_up(responder):
            log.say("INFO", NAME, {"did": line})
        left = list(due.pending(responder.journal, responder.now()))
    except TourniquetError as error:
        log.say("ERROR", NAME, {"error": str(error)})
        return 3
    for item in left:
        log.say(
            "WARN", NAME, {"still_due": f"{item.what} {item.about}", "since": item.at.isoformat(), "why": responder.halted()}
        )
    return 1 if left else 0
