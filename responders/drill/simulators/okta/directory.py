"""The lists of everything: users, groups with their members, applications, the schema that says who may write what."""

from __future__ import annotations

import re
from typing import Any, Dict, List

from responders.drill.simulators.okta.org import OktaOrg
from responders.drill.simulators.server import Answer, Request

_CHANGED = re.compile(r'lastUpdated ge "([^"]+)"\Z')


class Directory(OktaOrg):
    """Okta, "List all users": without a filter those that are DEPROVISIONED are left out.

    `writable` are the profile attributes that users may write themselves.
    """

    writable = ("email",)

    def routes_of_directory(self) -> None:
        self.state.setdefault("profiles", {})
        self.guarded("GET", "/api/v1/users", "okta.users.read", self._list_users)
        self.guarded("GET", "/api/v1/groups", "okta.groups.read", self._list_groups)
        self.guarded("GET", "/api/v1/groups/{g}/users", "okta.groups.read", self._list_members)
        self.guarded("GET", "/api/v1/apps", "okta.apps.read", self._list_apps)
        self.guarded("GET", "/api/v1/apps/{a}/groups", "okta.apps.read", self._app_groups)
        self.guarded("GET", "/api/v1/apps/{a}/users", "okta.apps.read", self._app_users)
        agents = "/workload-principals/api/v1/ai-agents"
        self.guarded("GET", agents, "okta.aiAgents.read", self._list_agents)
        self.guarded("GET", f"{agents}/{{a}}/credentials/jwks", "okta.aiAgents.read", self._agent_keys)
        self.guarded("GET", "/api/v1/meta/schemas/user/{s}", "okta.schemas.read", self._schema)
        self.guarded("GET", "/oauth2/v1/clients/{c}/roles", "okta.roles.read", self._client_roles)

    def set_profile(self, user: str, **profile: str) -> None:
        """Profile attributes beside the login."""
        self.state["profiles"].setdefault(user, {}).update(profile)
        self.record("user.account.update_profile", user, "admin")

    def join_group(self, group: str, user: str) -> None:
        """An administrator adds a member."""
        self.state["groups"][group]["members"].append(user)
        self.record("group.user_membership.add", group, user, "UserGroup")

    def _updated(self) -> Dict[str, str]:
        return {str(t["id"]): str(event["published"]) for event in self.state["log"] for t in event["target"]}

    def shown_user(self, name: str, updated: Dict[str, str]) -> Dict[str, Any]:
        found = self.state["users"][name]
        return {
            "id": name, "status": found["status"], "created": found["created"],
            "lastUpdated": max(found["created"], updated.get(name, "")),
            "profile": {"login": found["login"], **self.state["profiles"].get(name, {})},
            "credentials": {"provider": {"type": found["provider"], "name": found["provider"]}},
        }  # fmt: skip

    def _list_users(self, request: Request) -> Answer:
        wanted, updated = request.query.get("filter", ""), self._updated()
        match = _CHANGED.match(wanted)
        if wanted and match is None:
            raise self.refuse(400, "Invalid search criteria.", "E0000031")
        found: List[Dict[str, Any]] = [self.shown_user(name, updated) for name in self.state["users"]]
        if match is None:
            return self.paged(request, [user for user in found if user["status"] != "DEPROVISIONED"])
        return self.paged(request, [user for user in found if user["lastUpdated"] >= match[1]])

    def _list_groups(self, request: Request) -> Answer:
        updated = self._updated()
        found = [
            {
                "id": name, "type": "OKTA_GROUP", "profile": {"name": group["name"]},
                "lastMembershipUpdated": updated.get(name, "2026-01-01T00:00:00.000Z"),
            }
            for name, group in self.state["groups"].items()
        ]  # fmt: skip
        return self.paged(request, found)

    def _list_members(self, request: Request) -> Answer:
        group = self.state["groups"].get(request.ids[0])
        if group is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (UserGroup)")
        updated = self._updated()
        return self.paged(request, [self.shown_user(name, updated) for name in group["members"]])

    def _list_apps(self, request: Request) -> Answer:
        found = [
            {
                "id": name, "label": app["label"], "status": app["status"], "signOnMode": "OPENID_CONNECT",
                "name": "oidc_client", "created": app.get("created", "2026-01-01T00:00:00.000Z"),
                "lastUpdated": app.get("updated", "2026-01-01T00:00:00.000Z"),
                "credentials": {"oauthClient": {
                    "client_id": name,
                    "token_endpoint_auth_method": "private_key_jwt" if app["jwks"] else "client_secret_basic",
                }},
                "settings": {"oauthClient": {
                    "application_type": app["kind"],
                    "grant_types": ["client_credentials" if app["kind"] == "service" else "authorization_code"],
                }},
            }
            for name, app in self.state["apps"].items()
        ]  # fmt: skip
        return self.paged(request, found)

    def add_ai_agent(self, name: str, app: str = "") -> str:
        """An AI agent, with a key, and the application that it is linked to."""
        agent = self.new_id("wlp")
        self.state["ai_agents"][agent] = {"name": name, "status": "ACTIVE", "appId": app, "keys": [self.new_id("wpc")]}
        return agent

    def _assigned_app(self, request: Request) -> Dict[str, Any]:
        found: Dict[str, Any] = self.state["apps"].get(request.ids[0])
        if found is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (AppInstance)")
        return found

    def _app_groups(self, request: Request) -> Answer:
        return self.paged(request, [{"id": name, "priority": 0} for name in self._assigned_app(request)["groups"]])

    def _app_users(self, request: Request) -> Answer:
        """Those assigned by a group, too, as Okta lists them."""
        app = self._assigned_app(request)
        through = [name for group in app["groups"] for name in self.state["groups"][group]["members"]]
        found = [{"id": name, "scope": "USER", "status": "ACTIVE"} for name in app["people"]]
        found += [{"id": name, "scope": "GROUP", "status": "ACTIVE"} for name in through if name not in app["people"]]
        return self.paged(request, found, 500)

    def _list_agents(self, request: Request) -> Answer:
        """Okta for AI Agents, "List all AI agents": `data`, and the next page by `_links.next`."""
        size, start = int(request.query.get("limit", "20")), int(request.query.get("after", "0"))
        found = [
            {
                "id": name, "status": agent["status"], "created": "2026-01-01T00:00:00.000Z",
                "lastUpdated": "2026-01-01T00:00:00.000Z", "profile": {"name": agent["name"]},
                **({"appId": agent["appId"]} if agent["appId"] else {}),
            }
            for name, agent in self.state["ai_agents"].items()
        ]  # fmt: skip
        body: Dict[str, Any] = {"data": found[start : start + size], "_links": {}}
        if start + size < len(found):
            body["_links"] = {"next": {"href": f"{self.url}{request.path}?limit={size}&after={start + size}"}}
        return Answer(200, body)

    def _agent_keys(self, request: Request) -> Answer:
        agent = self.state["ai_agents"].get(request.ids[0])
        if agent is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (AIAgent)")
        return Answer(200, [{"id": key, "kid": key, "status": "ACTIVE", "created": "2026-01-01T00:00:00.000Z"}
                            for key in agent["keys"]])  # fmt: skip

    def _schema(self, request: Request) -> Answer:
        if request.ids[0] != "default":
            raise self.refuse(404, "Not found: Resource not found (Schema)")
        names = ("login", "email", "employeeNumber", "displayName", "userType", "manager", "department")
        properties = {
            name: {"title": name, "type": "string", "permissions": [
                {"principal": "SELF", "action": "READ_WRITE" if name in self.writable else "READ_ONLY"}
            ]}
            for name in names
        }  # fmt: skip
        return Answer(200, {
            "id": f"{self.url}/meta/schemas/user/default", "name": "user", "title": "User", "type": "object",
            "definitions": {
                "base": {"id": "#base", "type": "object", "properties": properties},
                "custom": {"id": "#custom", "type": "object", "properties": {}},
            },
        })  # fmt: skip

    def _client_roles(self, request: Request) -> Answer:
        if request.ids[0] not in self.state["apps"]:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (PublicClientApp)")
        return Answer(200, list(self.state["roles"].get(request.ids[0], {}).values()))
