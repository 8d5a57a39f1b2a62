"""Does Okta's own System Log know an event that the SIEM was sent?"""

from __future__ import annotations

from datetime import datetime
from typing import Any, FrozenSet, Mapping, Sequence, Set

from responders.actions.okta._log import PERMISSIONS, any_of, events
from responders.actions.okta._read import parse_time
from responders.vendors.client import VendorClient

__all__ = ["MOST", "PERMISSIONS", "confirmed"]

MOST = 20
"""So many ids fit into one question."""


def confirmed(
    api: VendorClient, ids: Sequence[str], accounts: FrozenSet[str], since: datetime, until: datetime
) -> FrozenSet[str]:
    """Those ids whose event is about one of the accounts and of that time. Source: Okta API, "System Log": `uuid`."""
    found = events(api, since, any_of("uuid", ids))
    return frozenset(str(e["uuid"]) for e in found if accounts & _about(e) and parse_time(str(e["published"])) <= until)


def _about(event: Mapping[str, Any]) -> Set[str]:
    named = [event.get("actor") or {}, *(event.get("target") or ())]
    return {str(item.get("id")) for item in named}
