"""Asks the vendors' own logs for events that came by an ingest to which anybody may send."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from functools import partial
from typing import Callable, Dict, FrozenSet, Sequence, Tuple

from responders.containment.responder import Responder
from responders.model import Alert, Identity

ASKED = ("okta", "entra")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")
"""What an event's id may look like; another one is not sent to anybody."""
_MARGIN = timedelta(minutes=5)


def questions(
    responder: Responder, identity: Identity, alerts: Sequence[Alert]
) -> Tuple[Dict[str, Callable[[], FrozenSet[str]]], Tuple[str, ...]]:
    """By `vendor:tenant|number` what to ask, and in words which vendors can't be asked.

    An event confirms only what is about an account of the identity, and of the alert's own time: else a made-up alert
    could carry the id of any event that its sender knows.
    """
    tasks: Dict[str, Callable[[], FrozenSet[str]]] = {}
    mute = set()
    for number, alert in enumerate(alerts):
        if alert.detection not in responder.unauthenticated_ingest:
            continue
        for vendor, tenant in sorted({(account.vendor, account.tenant) for account in alert.accounts}):
            client = responder.clients.get(vendor, tenant, privileged=identity.privileged)
            if vendor not in ASKED or client is None:
                mute.add(f"{vendor}'s API shows no log of its events" if client else f"nobody can ask {vendor}:{tenant}")
                continue
            module = importlib.import_module(f"responders.actions.{vendor}._events")
            ids = sorted(event for event in alert.events if _ID.match(event))[: module.MOST]
            mine = frozenset(a.id for a in identity.accounts if (a.vendor, a.tenant) == (vendor, tenant))
            since, until = alert.started_at - _MARGIN, alert.completed_at + _MARGIN
            if ids:
                tasks[f"{vendor}:{tenant}|{number}"] = partial(module.confirmed, client, ids, mine, since, until)
    return tasks, tuple(sorted(mute))
