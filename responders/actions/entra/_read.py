"""Reads shared by the Entra actions. Paths are Microsoft Graph v1.0."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, List, Mapping, Sequence

from responders.errors import BadAnswer
from responders.vendors.client import VendorClient

PLACES = {"user": "users", "service_principal": "servicePrincipals", "application": "applications"}
"""Collection of each account kind."""
_USER = "id,accountEnabled,onPremisesSyncEnabled,userType,signInSessionsValidFromDateTime"


def thing(api: VendorClient, path: str, *ids: str, select: str = "") -> Mapping[str, Any]:
    """The JSON object of a GET. Raises NotFound, BadAnswer."""
    body = api.call("GET", path, ids=ids, query={"$select": select} if select else None).body
    if not isinstance(body, Mapping):
        raise BadAnswer("entra", f"GET {path}: no JSON object in the answer")
    return body


def user(api: VendorClient, user_id: str) -> Mapping[str, Any]:
    """What the actions on a user read of it, always the same properties: one request serves them all."""
    return thing(api, "/users/{}", user_id, select=_USER)


def parse_time(text: str) -> datetime:
    """Graph writes `2026-01-02T03:04:05Z`, with or without a fraction of any length."""
    return datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def newer(items: Sequence[Mapping[str, Any]], field: str, since: str) -> List[Mapping[str, Any]]:
    """Items whose time field is not older than `since` (ISO 8601), to the second."""
    start = datetime.fromisoformat(since).replace(microsecond=0)
    return [item for item in items if item.get(field) and parse_time(str(item[field])) >= start]
