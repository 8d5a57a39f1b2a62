"""What an Okta account made since the compromise, read from the System Log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Tuple

from responders.actions.okta._log import PERMISSIONS, any_of, events
from responders.actions.okta._read import parse_time
from responders.model import Account, Created
from responders.vendors.client import VendorClient

__all__ = ["NOT_SHOWN", "PERMISSIONS", "READERS"]

NOT_SHOWN = ""
_UNASKED = "deactivate it if nobody asked for it"
_MADE = {
    "user.lifecycle.create": ("user", _UNASKED),
    "user.lifecycle.activate": ("user switched on", _UNASKED),
    "group.user_membership.add": ("group membership", "take the user out if nobody asked for it"),
    "application.user_membership.add": ("app assignment", "take the user out if nobody asked for it"),
    "system.api_token.create": ("API token", "revoke it: Security > API > Tokens"),
    "system.api_token.enable": ("API token switched on", "revoke it: Security > API > Tokens"),
    "application.lifecycle.create": ("application", _UNASKED),
    "app.oauth2.client.lifecycle.create": ("OAuth client", _UNASKED),
    "app.oauth2.credentials.lifecycle.create": ("client secret or key", "deactivate it, then delete it"),
    "app.oauth2.credentials.lifecycle.activate": ("client secret or key switched on", "deactivate it"),
    "app.oauth2.client.privilege.grant": ("administrator role of an OAuth client", "remove the role"),
    "app.oauth2.admin.consent.grant": ("API scopes of an application", "revoke the grant"),
    "app.oauth2.consent.grant": ("consent to an application", "revoke the grant"),
    "app.oauth2.as.consent.grant": ("consent to an application", "revoke the grant"),
    "user.mfa.factor.activate": ("factor", "remove it after a confirmed block"),
    "device.enrollment.create": ("device", "suspend it"),
    "user.account.privilege.grant": ("administrator role", "remove the role"),
    "group.privilege.grant": ("administrator role of a group", "remove the role"),
    "iam.role.create": ("custom administrator role", "delete it"),
    "iam.role.permissions.add": ("permissions of a custom role", "take them out"),
    "iam.resourceset.create": ("resource set", "delete it"),
    "iam.resourceset.bindings.add": ("administrator role on a resource set", "remove the binding"),
    "system.idp.lifecycle.create": ("identity provider", "deactivate it"),
    "system.idp.lifecycle.activate": ("identity provider switched on", "deactivate it"),
    "system.idp.lifecycle.update": ("changed identity provider", "compare it with what it was"),
    "system.idp.key.create": ("key of an identity provider", "remove the key"),
    "system.agent.ad.create": ("directory agent", "deactivate it: it takes passwords"),
    "system.agent.register": ("agent", "deactivate it"),
    "system.log_stream.lifecycle.create": ("log stream", "deactivate it"),
    "event_hook.created": ("event hook", "deactivate it"),
    "inline_hook.created": ("inline hook", "deactivate it: it may change tokens"),
    "security.trusted_origin.create": ("trusted origin", "delete it"),
    "zone.create": ("network zone", "delete it"),
    "policy.lifecycle.create": ("policy", "deactivate it"),
    "policy.rule.add": ("policy rule", "deactivate it"),
    "user.session.impersonation.grant": ("support access", "revoke it: Settings > Account"),
}
"""Event type to what was made, and how it is removed. Source: Okta, "Event types" catalogue."""


def made(api: VendorClient, account: Account, since: datetime) -> Tuple[Created, ...]:
    """Things whose creation the System Log shows with this account as the actor."""
    found: List[Created] = []
    for event in events(api, since, f'actor.id eq "{account.id}" and {any_of("eventType", _MADE)}'):
        if (event.get("outcome") or {}).get("result") in ("FAILURE", "DENY"):
            continue
        thing, remedy = _MADE[str(event["eventType"])]
        at = parse_time(str(event["published"]))
        targets: List[Dict[str, Any]] = event.get("target") or [{}]
        found.extend(Created("okta", thing, str(target.get("id", "?")), at, remedy) for target in targets)
    return tuple(found)


READERS = (made,)
