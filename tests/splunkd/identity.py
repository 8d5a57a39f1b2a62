"""Who a session key belongs to, and whose a search job is.

Sources: Splunk REST API Reference, "authentication/current-context" (username, roles, capabilities of the caller),
"search/jobs/{search_id}" (author and acl.owner: who ran it).
"""

from __future__ import annotations

from typing import Tuple

from tests.splunkd.answer import Answer, Entry, Refuse, Request, need, not_found
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


def _job(deployment: Deployment, request: Request) -> Answer:
    author = deployment.jobs.get(request.path[2])
    if author is None or not (request.user.may() or request.user.name == author):
        raise Refuse(404, "Unknown sid.", "FATAL")
    content = {"sid": request.path[2], "isDone": True}
    return Answer(entries=[Entry(request.path[2], content, f"/services/search/jobs/{request.path[2]}", owner=author)])


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
    ("GET", ("search", "jobs", "*"), _job),
)
