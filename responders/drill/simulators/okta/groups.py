"""Groups and administrator roles."""

from __future__ import annotations

from typing import List, Tuple

from responders.drill.simulators.okta.org import OktaOrg
from responders.drill.simulators.server import Answer, Request


class Groups(OktaOrg):
    """Memberships and role assignments."""

    def routes_of_groups(self) -> None:
        self.guarded("GET", "/api/v1/users/{id}/groups", "okta.users.read", self._groups)
        self.guarded("PUT", "/api/v1/groups/{g}/users/{id}", "okta.groups.manage", self._join)
        self.guarded("DELETE", "/api/v1/groups/{g}/users/{id}", "okta.groups.manage", self._leave)
        self.guarded("GET", "/api/v1/users/{id}/roles", "okta.roles.read", lambda r: self.listed(r, "roles"))
        self.guarded("POST", "/api/v1/users/{id}/roles", "okta.roles.manage", self._add_role)
        self.guarded("DELETE", "/api/v1/users/{id}/roles/{r}", "okta.roles.manage", self._delete_role)
        self.guarded("GET", "/api/v1/iam/assignees/users", "okta.roles.read", self._assignees)

    def add_group(self, name: str, *, denies: bool = False) -> str:
        """A group; `denies` gives it a sign-on policy that refuses its members."""
        group = self.new_id("00g")
        self.state["groups"][group] = {"name": name, "members": []}
        self.state["group_policy"][group] = "deny" if denies else "allow"
        return group

    def add_role(self, user: str, kind: str) -> str:
        role = self.new_id("ra1")
        self.state["roles"].setdefault(user, {})[role] = {"id": role, "type": kind, "assignmentType": "USER"}
        return role

    def _groups(self, request: Request) -> Answer:
        name, _ = self.user(request)
        found = [
            {"id": group, "type": "OKTA_GROUP", "profile": {"name": item["name"]}}
            for group, item in self.state["groups"].items()
            if name in item["members"]
        ]
        return self.paged(request, found)

    def _members(self, request: Request) -> Tuple[str, List[str]]:
        group = self.state["groups"].get(request.ids[0])
        if group is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (UserGroup)")
        return self.user(request, 1)[0], group["members"]

    def _join(self, request: Request) -> Answer:
        name, members = self._members(request)
        if name not in members:
            members.append(name)
        return Answer(204)

    def _leave(self, request: Request) -> Answer:
        name, members = self._members(request)
        if name in members:
            members.remove(name)
        return Answer(204)

    def _add_role(self, request: Request) -> Answer:
        name, _ = self.user(request)
        kind = request.body.get("type") if isinstance(request.body, dict) else None
        if not isinstance(kind, str) or not kind:
            raise self.refuse(400, "Api validation failed: type")
        role = self.add_role(name, kind)
        return Answer(201, self.state["roles"][name][role])

    def _delete_role(self, request: Request) -> Answer:
        name, _ = self.user(request)
        if self.state["roles"].get(name, {}).pop(request.ids[1], None) is None:
            raise self.refuse(404, "Not found: Resource not found (RoleAssignment)")
        return Answer(204)

    def _assignees(self, request: Request) -> Answer:
        names = [name for name, roles in self.state["roles"].items() if roles]
        return Answer(200, {"value": [{"id": name, "orn": f"orn:okta:directory:org:users:{name}"} for name in names]})
