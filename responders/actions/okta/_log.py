"""Questions to the System Log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Iterable, Mapping, Sequence

from responders.vendors.client import VendorClient

PERMISSIONS = ("okta.logs.read",)
_PAGE = "1000"


def events(api: VendorClient, since: datetime, wanted: str) -> Sequence[Mapping[str, Any]]:
    """Events from `since` to now that fit a filter.

    `until` is a must: without it Okta takes the request for one that polls, whose pages never end.
    Source: Okta, "System Log query", bounded requests.
    """
    query = {"since": stamp(since), "until": stamp(api.now()), "filter": wanted, "limit": _PAGE}
    return api.items("/api/v1/logs", query=query)


def any_of(name: str, values: Iterable[str]) -> str:
    """A filter on one field. Only ids that came from Okta or the settings get here; a quote in one ends in a 400."""
    return "(" + " or ".join(f'{name} eq "{value}"' for value in values) + ")"


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
