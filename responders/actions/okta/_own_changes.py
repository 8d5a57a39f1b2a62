"""What Okta's System Log ascribes to the responder's own credential."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Mapping, Tuple

from responders.actions.okta._log import PERMISSIONS, any_of, events
from responders.actions.okta._read import parse_time
from responders.errors import Forbidden
from responders.model import Cause, OwnChange
from responders.vendors.client import VendorClient

__all__ = ["LAG", "PERMISSIONS", "own_changes"]

LAG = timedelta(minutes=15)
"""How late an event may be shown. Okta, "System Log query": events may be delayed, rarely."""
_NO_CHANGE = (
    "user.session.start", "user.session.end", "user.session.access_admin_app", "user.session.context.",
    "user.authentication.", "policy.evaluate_sign_on", "policy.auth_reevaluate.", "app.oauth2.token.grant",
    "app.oauth2.as.token.grant", "app.oauth2.authorize", "app.oauth2.signon", "system.org.rate_limit.",
    "system.operation.rate_limit.", "core.concurrency.", "security.request.blocked",
    "security.session.detect_client_roaming",
)  # fmt: skip
"""Signing in, being let in, being slowed down: beginnings of event types."""
_UNDO = (
    "user.lifecycle.unsuspend", "user.lifecycle.activate", "user.lifecycle.reactivate", "user.account.privilege.grant",
    "application.lifecycle.activate", "app.oauth2.credentials.lifecycle.activate", "system.idp.lifecycle.activate",
    "device.lifecycle.unsuspend", "device.lifecycle.activate",
)  # fmt: skip
_NEVER = (
    "app.oauth2.client.privilege.grant", "app.oauth2.admin.consent.grant", "group.privilege.grant", "iam.", "policy.rule.",
    "policy.lifecycle.", "zone.", "event_hook.", "inline_hook.", "system.log_stream.", "system.idp.key.",
    "user.mfa.factor.activate", "user.account.update_password", "user.account.update_profile", "user.session.impersonation.",
    "user.account.reset_password",
)  # fmt: skip
"""No action does this, nor its undo. Whatever is created isn't ours either."""
_QUARANTINE_LEFT = "group.user_membership.remove"


def own_changes(api: VendorClient, since: datetime) -> Tuple[OwnChange, ...]:
    """Changes that went through. Source: Okta, "Event types"; the actor is the service app, or the API token's user."""
    own = api.own_ids()
    if not own:
        raise Forbidden("okta", "whose the API token is can't be read: it needs okta.users.read.self")
    found = events(api, since, any_of("actor.id", sorted(own)))
    return tuple(_change(api, event) for event in found if _changes(event))


def _changes(event: Mapping[str, Any]) -> bool:
    result = (event.get("outcome") or {}).get("result")
    return result not in ("FAILURE", "DENY", "CHALLENGE") and not str(event["eventType"]).startswith(_NO_CHANGE)


def _change(api: VendorClient, event: Mapping[str, Any]) -> OwnChange:
    kind, targets = str(event["eventType"]), event.get("target") or ()
    groups = tuple(str(item.get("id")) for item in targets if item.get("type") == "UserGroup")
    cause = Cause.STEP
    if kind.startswith(_UNDO) or (kind == _QUARANTINE_LEFT and api.settings.get("quarantine_group") in groups):
        cause = Cause.UNDO
    elif kind.startswith(_NEVER) or kind.endswith((".create", ".created")):
        cause = Cause.NEVER
    touched = tuple(str(item.get("id")) for item in targets)
    return OwnChange(str(event["uuid"]), kind, parse_time(str(event["published"])), touched, groups, cause)
