"""Scopes of the responder's service app, and a custom administrator role with a resource set: Okta wants both.

Sources: Okta API, "Application grants" (POST /api/v1/apps/{id}/grants), "Define allowed scopes" (only a super administrator
grants them), "Roles" (permissions of a custom role, by its label), "Resource sets", "Client role assignments". Not run
against a real org. Which permission an operation wants Okta tells for common ones only: readiness can't ask for it, the
canary drill proves it.
"""

from __future__ import annotations

import json
from typing import List, Mapping, Sequence, Set, Tuple

from responders.readiness.check import BESIDE
from responders.settings import Connection

_LABEL = "Tourniquet"
_USERS, _GROUPS, _APPS = "/api/v1/users", "/api/v1/groups", "/api/v1/apps"
_ROLE: Mapping[str, Tuple[str, ...]] = {
    "okta.clear_sessions": ("okta.users.read", "okta.users.lifecycle.clearSessions"),
    "okta.suspend_user": ("okta.users.read", "okta.users.lifecycle.suspend", "okta.users.lifecycle.unsuspend"),
    "okta.deactivate_user": ("okta.users.read", "okta.users.lifecycle.deactivate"),
    "okta.expire_password": ("okta.users.read", "okta.users.credentials.expirePassword"),
    "okta.remove_factor": ("okta.users.read", "okta.users.credentials.resetFactors"),
    "okta.reset_factors": ("okta.users.read", "okta.users.credentials.resetFactors"),
    "okta.quarantine_group": (
        "okta.users.read", "okta.users.groupMembership.manage", "okta.groups.read", "okta.groups.members.manage",
    ),
    "okta.remove_group": (
        "okta.users.read", "okta.users.groupMembership.manage", "okta.groups.read", "okta.groups.members.manage",
    ),
    "okta.revoke_client_tokens": ("okta.users.read", "okta.users.lifecycle.clearSessions"),
    "okta.revoke_grants": ("okta.users.manage",),
    "okta.global_token_revocation": ("okta.users.read", "okta.users.lifecycle.clearSessions"),
    "okta.revoke_api_token": ("okta.users.read", "okta.users.apitokens.read", "okta.users.apitokens.manage"),
    "okta.set_user_risk": ("okta.users.read", "okta.users.risk.read", "okta.users.risk.manage"),
    "okta.suspend_device": ("okta.users.read", "okta.devices.read", "okta.devices.manage"),
    "okta.deactivate_app": ("okta.apps.read", "okta.apps.manage"),
    "okta.deactivate_client_key": ("okta.apps.read", "okta.apps.manage"),
    "okta.deactivate_client_secret": ("okta.apps.read", "okta.apps.manage"),
    "okta.revoke_app_tokens": ("okta.apps.read", "okta.apps.manage"),
    "okta.deactivate_identity_provider": ("okta.identityProviders.read", "okta.identityProviders.manage"),
}  # fmt: skip
"""Permissions of a custom role by action. Source: Okta, "Role permissions"."""
_SUPER = ("okta.remove_admin_role",)
"""What no custom role can: only a super administrator assigns and takes away administrator roles. Source: the same."""
_PLACES: Mapping[str, str] = {"users": _USERS, "groups": _GROUPS, "apps": _APPS, "devices": "/api/v1/devices"}


def configuration(needs: Mapping[str, Sequence[str]], connection: Connection) -> str:
    """Shell commands; the bearer token of a super administrator stands in $OKTA_TOKEN. Holds none."""
    org = connection.url.rstrip("/") or "https://ORG.okta.com"
    client = str(connection.plain.get("client_id") or "CLIENT-ID-OF-THE-RESPONDER")
    scopes = sorted({name for permissions in needs.values() for name in permissions})
    role = sorted({name for action in needs for name in _ROLE.get(action, ())})
    post = "curl -sS --fail-with-body -X POST -H \"Authorization: Bearer $OKTA_TOKEN\" -H 'Content-Type: application/json'"
    lines: List[str] = [
        f"# Okta {connection.tenant}: scopes of the responder's service app, and the administrator role behind them.",
        "# A super administrator's access token stands in $OKTA_TOKEN. Each part in ( ) ends where Okta refuses something.",
        f"# These must be among `scopes` of the connection in the settings: {json.dumps(scopes)}",
        *(f"#   {name}: {', '.join(sorted(who for who, found in needs.items() if name in found))}" for name in scopes),
        "( set -e",
        f"for scope in {' '.join(scopes)}; do",
        f"  {post} '{org}/api/v1/apps/{client}/grants' \\",
        f'    -d "{{\\"issuer\\": \\"{org}\\", \\"scopeId\\": \\"$scope\\"}}"',
        "done )",
    ]
    if role:
        lines += [
            "",
            "# The role: what of these scopes it may really do. Name groups in the place of all users where you can.",
            "( set -e",
            'id_of() { grep -o \'"id" *: *"[^"]*"\' | head -n 1 | cut -d \'"\' -f 4; }',
            *_made("role", f"{post} '{org}/api/v1/iam/roles'", _role(role)),
            *_made("resources", f"{post} '{org}/api/v1/iam/resource-sets'", _resources(org, role)),
            f"{post} '{org}/oauth2/v1/clients/{client}/roles' \\",
            '  -d "{\\"type\\": \\"CUSTOM\\", \\"role\\": \\"$(printf %s "$role" | id_of)\\", '
            '\\"resource-set\\": \\"$(printf %s "$resources" | id_of)\\"}" )',
            f"# Where a role {_LABEL} is there already, add to it in the place of that:",
            f"# ( set -e; for permission in {' '.join(role)}; do",
            f'#   {post} "{org}/api/v1/iam/roles/{_LABEL}/permissions/$permission"; done )',
        ]
    if any(name in needs for name in BESIDE["okta"]) or any(name in _SUPER for name in needs):
        lines += [
            "",
            "# This standard role shows administrators, and the System Log. Taking an administrator's role away needs",
            "# SUPER_ADMIN: leave that to a person, or give it to the `privileged` credential alone.",
            f"{post} '{org}/oauth2/v1/clients/{client}/roles' -d '{{\"type\": \"READ_ONLY_ADMIN\"}}'",
        ]
    return "\n".join(lines) + "\n"


def _made(name: str, post: str, body: Mapping[str, object]) -> Sequence[str]:
    """Keeps Okta's answer in a variable; a refusal is shown and ends the part."""
    return f"{name}=$({post} \\", f"  -d '{json.dumps(body)}') || {{ echo \"${name}\"; exit 1; }}"


def _role(permissions: Sequence[str]) -> Mapping[str, object]:
    return {"label": _LABEL, "description": "Contains identities", "permissions": permissions}


def _resources(org: str, role: Sequence[str]) -> Mapping[str, object]:
    wanted: Set[str] = {_PLACES[area] for name in role for area in [name.split(".")[1]] if area in _PLACES}
    resources = [f"{org}{place}" for place in sorted(wanted)]
    return {"label": _LABEL, "description": "What the responder may touch", "resources": resources}
