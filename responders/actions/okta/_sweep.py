"""What an Okta account made since the compromise, read from the System Log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Tuple

from responders.actions.okta._read import parse_time
from responders.model import Account, Created
from responders.vendors.client import VendorClient

_MADE = {
    "user.lifecycle.create": ("user", "deactivate it if nobody asked for it"),
    "system.api_token.create": ("API token", "revoke it: Security > API > Tokens"),
    "application.lifecycle.create": ("application", "deactivate it if nobody asked for it"),
    "app.oauth2.client.lifecycle.create": ("OAuth client", "deactivate it if nobody asked for it"),
    "user.mfa.factor.activate": ("factor", "remove it after a confirmed block"),
    "device.enrollment.create": ("device", "suspend it"),
    "user.account.privilege.grant": ("administrator role", "remove the role"),
    "group.privilege.grant": ("administrator role of a group", "remove the role"),
    "system.idp.lifecycle.create": ("identity provider", "deactivate it"),
}


def created_since(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Things whose creation the System Log shows with this account as the actor. Source: Okta event types."""
    names = " or ".join(f'eventType eq "{name}"' for name in _MADE)
    query = {
        "since": since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "filter": f'actor.id eq "{account.id}" and ({names})',
    }
    found: List[Created] = []
    for event in api.items("/api/v1/logs", query=query):
        thing, remedy = _MADE[str(event["eventType"])]
        at = parse_time(str(event["published"]))
        targets: List[Dict[str, Any]] = event.get("target") or [{}]
        found.extend(Created("okta", thing, str(target.get("id", "?")), at, remedy) for target in targets)
    return tuple(found)
