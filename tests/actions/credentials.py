"""A responder that holds exactly some permissions, at each vendor: what the meta-test of least privilege calls with."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Mapping, Sequence, Tuple

from responders.drill.openbao import OpenBao
from responders.drill.world import World
from responders.settings import Connection, Secret

RIGHTS: Mapping[str, str] = {
    "Audit users": "AuditUsers",
    "Manage users (Add/Update users)": "ManageUsers",
    "Reset users passwords": "ResetUsersPasswords",
    "auditor of the recording safe, or PSMLiveSessionTerminators; AllowPSMNotifications=Yes": "LiveSessionAuditor",
    "List accounts": "ListAccounts",
    "Initiate CPM password management operations": "InitiateCPM",
    "View safe members": "ViewSafeMembers",
    "Manage safe members": "ManageSafeMembers",
}
"""CyberArk's words for a permission, as the actions say them, and the simulator's."""
_PATH = re.compile(r"\A([a-z, ]+) on (\S+)\Z")


def with_exactly(world: World, vendor: str, permissions: Sequence[str]) -> Tuple[Connection, ...]:
    """The world's connections, the one to `vendor` with a credential that holds exactly these permissions."""
    (mine,) = [connection for connection in world.connections if connection.vendor == vendor]
    others = tuple(connection for connection in world.connections if connection.vendor != vendor)
    if vendor == "okta":
        world.okta.state["services"]["0oaTourniquet"]["scopes"] = list(permissions)
        mine = replace(mine, plain={**mine.plain, "scopes": tuple(permissions)})
    elif vendor == "entra":
        app = next(a for a in world.graph.state["service_principals"].values() if a["appId"] == mine.plain["client_id"])
        app["roles"] = list(permissions)
    elif vendor == "cyberark":
        user = next(u for u in world.cyberark.state["users"].values() if u["username"] == mine.plain["username"])
        user["rights"] = [RIGHTS[permission] for permission in permissions]
    else:
        assert world.bao is not None
        mine = replace(mine, **_approle(world.bao, permissions))
    return (*others, mine)


def _approle(bao: OpenBao, permissions: Sequence[str]) -> dict[str, Mapping[str, object]]:
    """An AppRole whose policy says what these permissions say, word for word."""
    name = "least-" + secrets.token_hex(4)
    bao.request("PUT", f"sys/policies/acl/{name}", {"policy": "\n".join(["# least privilege", *map(_rule, permissions)])})
    bao.request("POST", f"auth/approle/role/{name}", {"token_policies": name})
    role = bao.request("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
    secret = bao.request("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]
    return {"secrets": {"secret_id": Secret(secret)}, "plain": {"role_id": role}}


def _rule(permission: str) -> str:
    found = _PATH.match(permission)
    assert found, f"{permission!r} is not `capability, … on path`"
    capabilities = ", ".join(f'"{name.strip()}"' for name in found[1].split(","))
    return f'path "{found[2]}" {{ capabilities = [{capabilities}] }}'
