"""The licence, and what it lacks. Nothing that contains depends on what Basic lacks."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Iterator

from responders.elastic.doctor.finding import ERROR, NOTE, OK, WARNING, Finding, Scene

_ORDER = ("basic", "standard", "gold", "platinum", "enterprise")
_LACKS = (
    ("gold", "no webhook connector: the service polls for alerts instead, which loses none"),
    ("platinum", "no alert suppression: a finding that repeats raises an alert in each run; the responder acts once"),
    ("enterprise", "no Workflow `Contain identity`: tag an alert, or use the console"),
)
"""By the least licence that has it (Elastic, "Subscriptions"; Kibana's connectors, alert suppression and Workflows)."""
_SOON = timedelta(days=14)


def check(scene: Scene) -> Iterator[Finding]:
    held = scene.server.call("GET", "/_license")["license"]
    kind, status = str(held.get("type")), str(held.get("status"))
    if status != "active":
        yield Finding(ERROR, "licence", kind, f"is {status}: rules may stop", "renew it, or go back to Basic")
        return
    until = held.get("expiry_date_in_millis")
    if until and datetime.fromtimestamp(until / 1000, timezone.utc) - scene.now < _SOON:
        yield Finding(WARNING, "licence", kind, f"ends at {held.get('expiry_date', 'soon')}", "renew it")
    yield Finding(OK, "licence", kind, "is active")
    rank = _ORDER.index(kind) if kind in _ORDER else len(_ORDER)  # a trial has everything
    for least, what in _LACKS:
        if rank < _ORDER.index(least):
            yield Finding(NOTE, "licence", kind, what)
