"""Applications, service principals, their credentials, grants and app roles."""

from __future__ import annotations

import uuid
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from responders.drill.simulators.graph.tenant import GraphTenant
from responders.drill.simulators.server import Answer, Request

GRAPH = "00000003-0000-4000-8000-000000000000"
"""The service principal of Microsoft Graph itself, whose app roles are the application permissions."""
_PATCHABLE = {"accountEnabled": bool, "keyCredentials": list}


class Applications(GraphTenant):
    """A service or agent identity is an application with its service principal."""

    def routes_of_applications(self) -> None:
        write = ("Application.ReadWrite.All",)
        read = ("Application.Read.All", "Directory.Read.All", *write)
        for place, topic in (("servicePrincipals", "service_principals"), ("applications", "applications")):
            self.guarded("GET", f"/{place}", read, self.find(topic))
            self.guarded("GET", f"/{place}/{{id}}", read, self._get(topic))
            self.guarded("PATCH", f"/{place}/{{id}}", write, self._patch(topic))
            self.guarded("POST", f"/{place}/{{id}}/removePassword", write, self._remove_password(topic))
            self.guarded("POST", f"/{place}/{{id}}/removeKey", write, self._remove_key(topic))
            self.guarded("GET", f"/{place}/{{id}}/owners", read, self._owners(topic))
        path = "/applications/{id}/federatedIdentityCredentials"
        self.guarded("GET", path, read, self._federated)
        self.guarded("POST", path, write, self._add_federated)
        self.guarded("DELETE", path + "/{f}", write, self._delete_federated)
        consent = ("DelegatedPermissionGrant.ReadWrite.All",)
        self.guarded("GET", "/oauth2PermissionGrants", (*consent, "Directory.Read.All"), self.find("grants"))
        self.guarded(
            "POST",
            "/oauth2PermissionGrants",
            consent,
            self.create("grants"),
        )
        self.guarded("DELETE", "/oauth2PermissionGrants/{id}", consent, self.delete_one("grants"))
        roles = ("AppRoleAssignment.ReadWrite.All",)
        # Microsoft Graph permissions: writing app roles does not let a caller read a service principal's.
        for place, readers in (("servicePrincipals", read), ("users", (*roles, "Directory.Read.All"))):
            self.guarded("GET", f"/{place}/{{id}}/appRoleAssignments", readers, self._app_roles)
            self.guarded(
                "POST",
                f"/{place}/{{id}}/appRoleAssignments",
                roles,
                self.create("app_roles"),
            )
            self.guarded("DELETE", f"/{place}/{{id}}/appRoleAssignments/{{a}}", roles, self.delete_one("app_roles", 1))

    def add_app(
        self, name: str, *, secret: str = "", roles: Tuple[str, ...] = (), jwk: Optional[Mapping[str, str]] = None
    ) -> str:
        """Application and service principal; the service principal's id. `roles` are its application permissions."""
        app, sp, app_id = self.new_id(), self.new_id(), self.new_id()
        keys = [{"keyId": self.new_id(), "displayName": "first", "value": secret}] if secret else []
        self.state["applications"][app] = {
            "id": app, "appId": app_id, "displayName": name, "passwordCredentials": keys, "keyCredentials": [],
            "federated": {},
        }  # fmt: skip
        self.state["service_principals"][sp] = {
            "id": sp, "appId": app_id, "displayName": name, "accountEnabled": True, "roles": list(roles),
            "jwk": dict(jwk) if jwk else None, "passwordCredentials": [], "keyCredentials": [],
        }  # fmt: skip
        return sp

    def application(self, sp: str) -> Dict[str, Any]:
        """The application of a service principal."""
        app_id = self.state["service_principals"][sp]["appId"]
        found: Dict[str, Any] = next(a for a in self.state["applications"].values() if a["appId"] == app_id)
        return found

    def add_secret(self, sp: str, value: str) -> str:
        """A client secret on the application; its key id."""
        key = self.new_id()
        self.application(sp)["passwordCredentials"].append({"keyId": key, "displayName": "more", "value": value})
        return key

    def add_grant(self, client: str, user: str, scope: str) -> str:
        body = {
            "clientId": client,
            "consentType": "Principal",
            "principalId": user,
            "resourceId": self.new_id(),
            "scope": scope,
        }
        return self.new("grants", body)

    def add_app_role(self, principal: str) -> str:
        return self.new("app_roles", {"principalId": principal, "resourceId": self.new_id(), "appRoleId": self.new_id()})

    def assign(self, sp: str, principal: str) -> str:
        """Let a user or group sign in through an application, by its default role."""
        body = {"principalId": principal, "resourceId": sp, "appRoleId": "00000000-0000-0000-0000-000000000000"}
        return self.new("app_roles", body)

    def add_owner(self, sp: str, owner: str, *, of_application: bool = False) -> None:
        """A user or service principal that may change the service principal, or its application."""
        found = self.application(sp) if of_application else self.state["service_principals"][sp]
        found.setdefault("owners", []).append(owner)

    def add_federated(self, sp: str, issuer: str, subject: str = "repo:x") -> str:
        key = self.new_id()
        body = {
            "id": key,
            "name": f"f-{key[-4:]}",
            "issuer": issuer,
            "subject": subject,
            "audiences": ["api://AzureADTokenExchange"],
        }
        self.application(sp)["federated"][key] = body
        return key

    def _get(self, topic: str) -> Callable[[Request], Answer]:
        return lambda request: Answer(200, self._one(topic, request))

    def _one(self, topic: str, request: Request) -> Dict[str, Any]:
        if (topic, request.ids[0]) != ("service_principals", GRAPH):
            return self.shown(self.thing(topic, request.ids[0]))
        return self.graph()

    def graph(self) -> Dict[str, Any]:
        """The service principal of Microsoft Graph itself."""
        known = {name for found in self.state["service_principals"].values() for name in found["roles"]}
        roles = [
            {"id": role_id(name), "value": name, "isEnabled": True, "allowedMemberTypes": ["Application"]}
            for name in sorted(known)
        ]
        return {"id": GRAPH, "appId": "00000003-0000-0000-c000-000000000000", "displayName": "Microsoft Graph",
                "accountEnabled": True, "appRoles": roles}  # fmt: skip

    def _owners(self, topic: str) -> Callable[[Request], Answer]:
        def listed(request: Request) -> Answer:
            return self.paged(request, [self._owner(name) for name in self.thing(topic, request.ids[0]).get("owners", ())])

        return listed

    def _owner(self, name: str) -> Dict[str, Any]:
        user = self.state["users"].get(name)
        if user is not None:
            return {"@odata.type": "#microsoft.graph.user", "id": name, "userPrincipalName": user["userPrincipalName"]}
        shown = self.state["service_principals"][name]["displayName"]
        return {"@odata.type": "#microsoft.graph.servicePrincipal", "id": name, "displayName": shown}

    def _patch(self, topic: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            found = self.thing(topic, request.ids[0])
            body = request.body
            if not isinstance(body, dict) or not body:
                raise self.refuse(400, "Invalid body")
            if not all(isinstance(value, _PATCHABLE.get(key, ())) for key, value in body.items()):
                raise self.refuse(400, "Invalid property")
            found.update(body)
            return Answer(204)

        return change

    def _remove_password(self, topic: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            found = self.thing(topic, request.ids[0])
            key = request.body.get("keyId") if isinstance(request.body, dict) else None
            left = [item for item in found["passwordCredentials"] if item["keyId"] != key]
            if len(left) == len(found["passwordCredentials"]):
                raise self.refuse(400, "No password credential found with keyId")
            found["passwordCredentials"] = left
            return Answer(204)

        return change

    def _remove_key(self, topic: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            self.thing(topic, request.ids[0])
            raise self.refuse(400, "Property proof is required.")

        return change

    def _federated(self, request: Request) -> Answer:
        return self.paged(request, list(self.thing("applications", request.ids[0])["federated"].values()))

    def _add_federated(self, request: Request) -> Answer:
        found = self.thing("applications", request.ids[0])
        if not isinstance(request.body, dict) or not {"name", "issuer", "subject", "audiences"} <= set(request.body):
            raise self.refuse(400, "Invalid property")
        key = self.new_id()
        found["federated"][key] = {"id": key, **request.body}
        return Answer(201, found["federated"][key])

    def _delete_federated(self, request: Request) -> Answer:
        if self.thing("applications", request.ids[0])["federated"].pop(request.ids[1], None) is None:
            raise self.refuse(404, "Resource does not exist")
        return Answer(204)

    def _app_roles(self, request: Request) -> Answer:
        topic = "users" if request.path.startswith(f"{self.prefix}/users/") else "service_principals"
        permissions = self.thing(topic, request.ids[0]).get("roles", [])
        found = [i for i in self.state["app_roles"].values() if i["principalId"] == request.ids[0]]
        return self.paged(request, [*found, *(_assigned(request.ids[0], name) for name in permissions)])


def role_id(permission: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, permission))


def _assigned(principal: str, permission: str) -> Dict[str, str]:
    """An application permission as the assignment that stands behind it."""
    role = role_id(permission)
    return {"id": f"{principal}-{role}", "principalId": principal, "resourceId": GRAPH, "appRoleId": role}
