"""Reads shared by the Okta actions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, List, Mapping

from responders.errors import BadAnswer
from responders.vendors.client import VendorClient


def thing(api: VendorClient, path: str, *ids: str) -> Mapping[str, Any]:
    """The JSON object of a GET. Raises NotFound, BadAnswer."""
    body = api.call("GET", path, ids=ids).body
    if not isinstance(body, Mapping):
        raise BadAnswer("okta", f"GET {path}: no JSON object in the answer")
    return body


def user_status(api: VendorClient, user: str) -> Mapping[str, Any]:
    """`status`, and `provider`: where the password lives (OKTA, ACTIVE_DIRECTORY, LDAP, FEDERATION, IMPORT)."""
    found = thing(api, "/api/v1/users/{}", user)
    credentials = found.get("credentials")
    provider = credentials.get("provider") if isinstance(credentials, Mapping) else None
    kind = str(provider.get("type", "OKTA")) if isinstance(provider, Mapping) else "OKTA"
    return {"status": status_of(found), "provider": kind}


def status_of(found: Mapping[str, Any]) -> str:
    """The object's status. Raises BadAnswer when there is none: no status is not "not active"."""
    status = found.get("status")
    if not isinstance(status, str) or not status:
        raise BadAnswer("okta", "an object without a status in the answer")
    return status


def since_filter(items: Any, field: str, since: str) -> List[Mapping[str, Any]]:
    """Items whose time field is not older than `since` (ISO 8601)."""
    start = datetime.fromisoformat(since)
    return [item for item in items if item.get(field) and parse_time(str(item[field])) >= start]


def parse_time(text: str) -> datetime:
    """Okta writes `2026-01-02T03:04:05.000Z`, which Python 3.9 can't read."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
