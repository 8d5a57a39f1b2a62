"""Do Entra's own logs know an event that the SIEM was sent?"""

from __future__ import annotations

import re
import time
from datetime import datetime
from functools import partial
from typing import Any, Callable, Dict, FrozenSet, Mapping, Sequence, Set, Tuple

from responders.actions.entra._log import PERMISSIONS, targets
from responders.actions.entra._read import parse_time, thing
from responders.errors import NotFound
from responders.parallel import run_all
from responders.vendors.client import VendorClient

__all__ = ["MOST", "PERMISSIONS", "confirmed"]

MOST = 5
"""Each id is a question of its own, or two."""
_SECONDS = 15.0
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_AUDITS, _SIGN_INS = "/auditLogs/directoryAudits/{}", "/auditLogs/signIns/{}"


def confirmed(
    api: VendorClient, ids: Sequence[str], accounts: FrozenSet[str], since: datetime, until: datetime
) -> FrozenSet[str]:
    """Those ids whose entry is about one of the accounts and of that time.

    Source: Microsoft Graph v1.0, "Get directoryAudit", "Get signIn". A sign-in's id is a GUID, an audit entry's may be one;
    v1.0 has interactive sign-ins of users only.
    """
    tasks: Dict[Tuple[str, str], Callable[[], bool]] = {}
    for event in ids:
        for path in (_AUDITS, _SIGN_INS) if _GUID.match(event) else (_AUDITS,):
            tasks[event, path] = partial(_knows, api, path, event, accounts, since, until)
    answers = run_all(tasks, time.monotonic() + _SECONDS)
    sure = frozenset(event for (event, _), answer in answers.items() if answer is True)
    errors = [answer for answer in answers.values() if isinstance(answer, Exception)]
    if errors and not sure:
        raise errors[0]
    return sure


def _knows(api: VendorClient, path: str, event: str, accounts: FrozenSet[str], since: datetime, until: datetime) -> bool:
    try:
        entry = thing(api, path, event)
    except NotFound:
        return False
    at = parse_time(str(entry.get("activityDateTime") or entry.get("createdDateTime")))
    return bool(accounts & _about(entry)) and since.replace(microsecond=0) <= at <= until


def _about(entry: Mapping[str, Any]) -> Set[str]:
    by = entry.get("initiatedBy") or {}
    who = ((by.get("user") or {}).get("id"), (by.get("app") or {}).get("servicePrincipalId"))
    return {str(name) for name in (*who, entry.get("userId"), entry.get("servicePrincipalId")) if name} | set(targets(entry))
