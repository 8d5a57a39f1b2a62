"""What the System Log calls a change. Source: Okta, "Event types" catalogue."""

from __future__ import annotations

from typing import Mapping, Tuple

EVENTS: Mapping[Tuple[str, str], Tuple[str, Tuple[str, ...]]] = {
    ("PUT", "/api/v1/groups/{g}/users/{id}"): ("group.user_membership.add", ("UserGroup", "User")),
    ("DELETE", "/api/v1/groups/{g}/users/{id}"): ("group.user_membership.remove", ("UserGroup", "User")),
    ("POST", "/api/v1/users/{id}/roles"): ("user.account.privilege.grant", ("User",)),
    ("DELETE", "/api/v1/users/{id}/roles/{r}"): ("user.account.privilege.revoke", ("User", "ROLE")),
    ("DELETE", "/api/v1/users/{id}/factors/{f}"): ("user.mfa.factor.deactivate", ("User", "Factor")),
    ("POST", "/api/v1/devices/{d}/lifecycle/suspend"): ("device.lifecycle.suspend", ("UDDevice",)),
    ("POST", "/api/v1/devices/{d}/lifecycle/unsuspend"): ("device.lifecycle.unsuspend", ("UDDevice",)),
    ("DELETE", "/api/v1/users/{id}/grants"): ("app.oauth2.as.consent.revoke.user", ("User",)),
    ("DELETE", "/api/v1/users/{id}/clients/{c}/tokens"): ("app.oauth2.token.revoke", ("User", "AppInstance")),
    ("DELETE", "/api/v1/apps/{a}/tokens"): ("app.oauth2.token.revoke", ("AppInstance",)),
    ("PUT", "/api/v1/users/{id}/risk"): ("user.risk.change", ("User",)),
    ("POST", "/api/v1/apps/{a}/lifecycle/deactivate"): ("application.lifecycle.deactivate", ("AppInstance",)),
    ("POST", "/api/v1/apps/{a}/lifecycle/activate"): ("application.lifecycle.activate", ("AppInstance",)),
    ("POST", "/api/v1/idps/{i}/lifecycle/deactivate"): ("system.idp.lifecycle.deactivate", ("IdentityProvider",)),
    ("POST", "/api/v1/idps/{i}/lifecycle/activate"): ("system.idp.lifecycle.activate", ("IdentityProvider",)),
    **{
        ("POST", f"/api/v1/apps/{{a}}/credentials/{kind}/{{k}}/lifecycle/{verb}"): (
            f"app.oauth2.credentials.lifecycle.{verb}",
            ("AppInstance", "Credential"),
        )
        for kind in ("secrets", "jwks")
        for verb in ("activate", "deactivate")
    },
}
"""Method and path to the event type and the types of its targets, one for each id of the path."""
