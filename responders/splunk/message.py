"""One message in Splunk Web's *Messages* for whoever may read the journal, while alerts can't be handled.

Best effort: the log says it too. Source: Splunk REST API Reference, "messages" (name, value, severity, capability).
"""

from __future__ import annotations

from responders.errors import TourniquetError
from responders.escalation.words import clean
from responders.splunk.splunkd import Splunkd

NAME = "tourniquet"
CAPABILITY = "tourniquet_view_journal"
_LONGEST = 600


def show(splunkd: Splunkd, text: str) -> None:
    """Put the message up; the same name replaces the one there is."""
    form = {"name": NAME, "value": f"Tourniquet: {clean(text)[:_LONGEST]}", "severity": "error", "capability": CAPABILITY}
    try:
        splunkd.post("messages", form=form)
    except TourniquetError:
        return


def take_down(splunkd: Splunkd) -> None:
    """Alerts are handled again."""
    try:
        splunkd.delete("messages", NAME)
    except TourniquetError:
        return
