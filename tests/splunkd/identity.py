"""Who a session key belongs to.

Source: Splunk REST API Reference, "authentication/current-context" (username, roles, capabilities of the caller).
"""

from __future__ import annotations

from typing import Tuple

from tests.splunkd.answer import Answer, Entry, Request, need, not_found
from tests.splunkd.deployment import Deployment, User


def _content(user: User) -> dict[str, object]:
    return {
        "username": user.name, "realname": "", "email": "", "roles": list(user.roles),
        "capabilities": sorted(user.capabilities), "defaultApp": "launcher", "type": "Splunk",
    }  # fmt: skip


def _context(deployment: Deployment, request: Request) -> Answer:
    return Answer(entries=[Entry("context", _content(request.user), "/services/authentication/current-context/context")],
                  title="current-context")  # fmt: skip


def _users(deployment: Deployment, request: Request) -> Answer:
    need(request.user, "edit_user", "list_users")
    found = [
        Entry(user.name, _content(user), f"/services/authentication/users/{user.name}") for user in deployment.users.values()
    ]
    return Answer(entries=found, title="users")


def _user(deployment: Deployment, request: Request) -> Answer:
    user = deployment.users.get(request.path[2])
    if user is None:
        raise not_found(request.path[2])
    if user.name != request.user.name:
        need(request.user, "edit_user", "list_users")
    return Answer(entries=[Entry(user.name, _content(user), f"/services/authentication/users/{user.name}")], title="users")


def _capabilities(deployment: Deployment, request: Request) -> Answer:
    known = sorted({name for user in deployment.users.values() for name in user.capabilities})
    return Answer(entries=[Entry("capabilities", {"capabilities": known}, "/services/authorization/capabilities")],
                  title="capabilities")  # fmt: skip


_USERS: Tuple[str, ...] = ("authentication", "users")
ROUTES = (
    ("GET", ("authentication", "current-context"), _context),
    ("GET", ("authentication", "current-context", "context"), _context),
    ("GET", _USERS, _users),
    ("GET", (*_USERS, "*"), _user),
    ("GET", ("authorization", "capabilities"), _capabilities),
)
