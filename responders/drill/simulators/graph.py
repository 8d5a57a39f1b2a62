"""A simulated Entra tenant behind Microsoft Graph v1.0 and its token endpoint.

Behaviour follows Microsoft Graph's reference and "Continuous access evaluation"; ids are made here. Permissions are
checked for each endpoint as application roles of the calling app.
"""

from __future__ import annotations

import itertools
import re
import secrets
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from responders.drill.simulators.jwt import claims_of
from responders.drill.simulators.server import Answer, Refuse, Request, Simulator

TENANT = "11111111-1111-4111-8111-111111111111"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
_TOPICS = (
    "users", "groups", "denied_groups", "service_principals", "applications", "devices", "methods", "grants",
    "app_roles", "roles", "assignments", "eligibilities", "risk", "tokens",
)  # fmt: skip
_FILTER = re.compile(r"\A(\w+) eq '([^']*)'\Z")
_HOUR = 3600.0


class GraphSimulator(Simulator):
    """Stateful Graph. `add_*` seed it; `sign_in`-like endpoints say whether the attacker's credential works now."""

    prefix = "/v1.0"

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.state = {name: {} for name in _TOPICS}
        self._numbers = itertools.count(1)
        self.p2 = True
        self.stale_reads = 0
        self._old: Dict[str, str] = {}
        self._users()
        self._machines()
        self._roles()

    def _users(self) -> None:
        read = ("User.Read.All", "User.EnableDisableAccount.All", "Directory.Read.All")
        self.guarded("GET", "/users/{id}", read, self._get_user)
        self.guarded("PATCH", "/users/{id}", ("User.EnableDisableAccount.All",), self._patch_user)
        self.guarded("POST", "/users/{id}/revokeSignInSessions", ("User.RevokeSessions.All",), self._revoke)
        self.guarded("GET", "/users/{id}/registeredDevices", read, self._devices)
        self.guarded("PATCH", "/devices/{id}", ("Device.ReadWrite.All",), self._patch_device)
        methods = ("UserAuthenticationMethod.ReadWrite.All", "UserAuthenticationMethod.Read.All")
        self.guarded("GET", "/users/{id}/authentication/methods", methods, self._methods)
        for kind in ("fido2", "microsoftAuthenticator", "phone", "email", "softwareOath", "temporaryAccessPass"):
            path = f"/users/{{id}}/authentication/{kind}Methods/{{m}}"
            self.guarded("DELETE", path, methods[:1], self._delete_method)
        member = ("GroupMember.ReadWrite.All",)
        self.guarded("GET", "/groups/{g}/members", member, self._members)
        self.guarded("POST", "/groups/{g}/members/$ref", member, self._join)
        self.guarded("DELETE", "/groups/{g}/members/{m}/$ref", member, self._leave)
        for kind, name in (
            ("riskyUsers", "IdentityRiskyUser"),
            ("riskyServicePrincipals", "IdentityRiskyServicePrincipal"),
        ):
            needed = (f"{name}.ReadWrite.All",)
            self.guarded("GET", f"/identityProtection/{kind}/{{id}}", needed, self._get_risk)
            self.guarded(
                "POST", f"/identityProtection/{kind}/confirmCompromised", needed, self._risk("confirmedCompromised")
            )
            self.guarded("POST", f"/identityProtection/{kind}/dismiss", needed, self._risk("dismissed"))
        self.route("GET", "/me", self._me)

    def _machines(self) -> None:
        write = ("Application.ReadWrite.All",)
        self.guarded("GET", "/servicePrincipals", write, self._find("service_principals"))
        self.guarded("GET", "/applications", write, self._find("applications"))
        for place, topic in (("servicePrincipals", "service_principals"), ("applications", "applications")):
            self.guarded("GET", f"/{place}/{{id}}", write, self._get(topic))
            self.guarded("PATCH", f"/{place}/{{id}}", write, self._patch(topic))
            self.guarded("POST", f"/{place}/{{id}}/removePassword", write, self._remove_password(topic))
            self.guarded("POST", f"/{place}/{{id}}/removeKey", write, self._remove_key(topic))
        path = "/applications/{id}/federatedIdentityCredentials"
        self.guarded("GET", path, write, self._federated)
        self.guarded("POST", path, write, self._add_federated)
        self.guarded("DELETE", path + "/{f}", write, self._delete_federated)
        consent = ("DelegatedPermissionGrant.ReadWrite.All",)
        self.guarded("GET", "/oauth2PermissionGrants", consent, self._find("grants"))
        self.guarded("POST", "/oauth2PermissionGrants", consent, self._create("grants"))
        self.guarded("DELETE", "/oauth2PermissionGrants/{id}", consent, self._delete("grants"))
        roles = ("AppRoleAssignment.ReadWrite.All",)
        for place in ("servicePrincipals", "users"):
            self.guarded("GET", f"/{place}/{{id}}/appRoleAssignments", roles, self._app_roles)
            self.guarded("POST", f"/{place}/{{id}}/appRoleAssignments", roles, self._create("app_roles"))
            self.guarded("DELETE", f"/{place}/{{id}}/appRoleAssignments/{{a}}", roles, self._delete("app_roles", 1))

    def _roles(self) -> None:
        manage = ("RoleManagement.ReadWrite.Directory",)
        base = "/roleManagement/directory"
        self.guarded("GET", f"{base}/roleAssignments", (*manage, "RoleManagement.Read.Directory"), self._find("roles"))
        self.guarded("POST", f"{base}/roleAssignments", manage, self._create("roles"))
        self.guarded("DELETE", f"{base}/roleAssignments/{{id}}", manage, self._delete("roles"))
        for kind, topic in (("Assignment", "assignments"), ("Eligibility", "eligibilities")):
            self.guarded("GET", f"{base}/role{kind}Schedules", manage, self._find(topic))
            self.guarded("POST", f"{base}/role{kind}ScheduleRequests", manage, self._schedule(topic))

    # -- the vendor's manner ------------------------------------------------------------------------------

    def error(self, status: int, text: str, code: str = "") -> Answer:
        known = {400: "Request_BadRequest", 401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied",
                 404: "Request_ResourceNotFound", 405: "Request_BadRequest", 429: "TooManyRequests"}  # fmt: skip
        found = code or known.get(status, "UnknownError")
        headers = {"Retry-After": "1"} if status in (429, 503) else {}
        return Answer(status, {"error": {"code": found, "message": text, "innerError": {}}}, headers)

    def limited(self) -> Answer:
        return self.error(429, "Too many requests")

    def refuse(self, status: int, text: str, code: str = "") -> Refuse:
        return Refuse(self.error(status, text, code))

    def guarded(self, method: str, template: str, roles: Tuple[str, ...], handler: Callable[[Request], Answer]) -> None:
        """An endpoint that an app with one of `roles` may call."""

        def checked(request: Request) -> Answer:
            token = self._token_of(request)
            if token is None or token["kind"] != "app":
                raise self.refuse(401, "Access token is empty or has expired.")
            app = self.state["service_principals"][token["subject"]]
            if not any(role in app["roles"] for role in roles):
                raise self.refuse(403, "Insufficient privileges to complete the operation.")
            return handler(request)

        self.route(method, template, checked)

    def _token_of(self, request: Request) -> Optional[Dict[str, Any]]:
        token: Optional[Dict[str, Any]]
        token = self.state["tokens"].get(request.headers.get("authorization", "").partition(" ")[2])
        if token is None or token["expires"] <= self.clock():
            return None
        return token

    def principal(self, request: Request) -> str:
        token = self._token_of(request)
        return str(token["subject"]) if token else ""

    def serve(self, request: Request) -> Answer:
        if request.path.startswith(f"/{TENANT}/"):
            with self.lock:
                return self._login(request)
        return super().serve(request)

    def new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._numbers):012d}"

    def stamp(self, at: Optional[float] = None) -> str:
        moment = datetime.fromtimestamp(self.clock() if at is None else at, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def login(self) -> str:
        """The authority without the tenant."""
        return self.url[: -len(self.prefix)]

    def dump(self) -> Any:
        found = super().dump()
        found["tokens"] = {key: value for key, value in found["tokens"].items() if value["kind"] != "app"}
        return found

    # -- seeding ------------------------------------------------------------------------------------------

    def add_user(
        self, name: str, *, password: str = "pw", enabled: bool = True, synced: bool = False, guest: bool = False
    ) -> str:
        user = self.new_id()
        self.state["users"][user] = {
            "id": user, "userPrincipalName": name, "accountEnabled": enabled, "onPremisesSyncEnabled": synced or None,
            "userType": "Guest" if guest else "Member", "password": password, "created": self.clock(),
            "signInSessionsValidFromDateTime": self.stamp(self.clock() - _HOUR),
        }  # fmt: skip
        return user

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

    def add_group(self, name: str, *, denies: bool = False) -> str:
        group = self.new_id()
        self.state["groups"][group] = {"displayName": name, "members": []}
        if denies:
            self.state["denied_groups"][group] = True
        return group

    def add_device(self, user: str) -> str:
        device = self.new_id()
        self.state["devices"][device] = {
            "id": device, "accountEnabled": True, "registrationDateTime": self.stamp(), "owner": user,
        }  # fmt: skip
        return device

    def add_method(self, user: str, kind: str = "microsoftAuthenticator") -> str:
        method = self.new_id()
        found = {
            "@odata.type": f"#microsoft.graph.{kind}AuthenticationMethod",
            "id": method,
            "createdDateTime": self.stamp(),
        }
        self.state["methods"].setdefault(user, {})[method] = found
        return method

    def add_role(self, principal: str, role: str = GLOBAL_ADMINISTRATOR) -> str:
        return self._new("roles", {"principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/"})

    def add_eligibility(self, principal: str, role: str) -> str:
        return self._new("eligibilities", {"principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/"})

    def add_grant(self, client: str, user: str, scope: str) -> str:
        body = {
            "clientId": client,
            "consentType": "Principal",
            "principalId": user,
            "resourceId": self.new_id(),
            "scope": scope,
        }
        return self._new("grants", body)

    def add_app_role(self, principal: str) -> str:
        return self._new("app_roles", {"principalId": principal, "resourceId": self.new_id(), "appRoleId": self.new_id()})

    def add_federated(self, sp: str, issuer: str) -> str:
        key = self.new_id()
        body = {
            "id": key,
            "name": f"f-{key[-4:]}",
            "issuer": issuer,
            "subject": "repo:x",
            "audiences": ["api://AzureADTokenExchange"],
        }
        self.application(sp)["federated"][key] = body
        return key

    def add_token(self, subject: str, kind: str = "refresh", *, cae: bool = False) -> str:
        """A refresh or access token of a user, as sign-in or theft gives it."""
        value = secrets.token_hex(12)
        self.state["tokens"][value] = {
            "subject": subject, "kind": kind, "cae": cae, "issued": self.clock(), "expires": self.clock() + _HOUR,
        }  # fmt: skip
        return value

    def sync(self) -> None:
        """The directory sync: users mastered on premises come back enabled."""
        with self.lock:
            for user in self.state["users"].values():
                if user["onPremisesSyncEnabled"]:
                    user["accountEnabled"] = True

    def _new(self, topic: str, body: Mapping[str, Any]) -> str:
        key = self.new_id()
        self.state[topic][key] = {"id": key, **body}
        return key

    # -- sign-in, and what the attacker holds -------------------------------------------------------------

    def denied(self, user: str) -> bool:
        """True when the user can't sign in anew."""
        found = self.state["users"][user]
        groups = [g for g in self.state["denied_groups"] if user in self.state["groups"][g]["members"]]
        return not found["accountEnabled"] or bool(groups)

    def _login(self, request: Request) -> Answer:
        base = f"https://{self.login.partition('://')[2]}/{TENANT}"
        if request.path.endswith("/.well-known/openid-configuration"):
            return Answer(200, {
                "issuer": f"{base}/v2.0", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token", "device_authorization_endpoint": f"{base}/devicecode",
            })  # fmt: skip
        if request.path != f"/{TENANT}/oauth2/v2.0/token" or request.method != "POST" or not request.form:
            return self.error(404, "no such endpoint")
        kind = request.body.get("grant_type")
        if kind == "client_credentials":
            return self._app_login(request.body)
        if kind == "password":
            for user, found in self.state["users"].items():
                given = (request.body.get("username"), request.body.get("password"))
                if (found["userPrincipalName"], found["password"]) == given and not self.denied(user):
                    return self._tokens_for(user)
            return _denied("invalid_grant", "AADSTS50126: Error validating credentials.")
        if kind == "refresh_token":
            token = self.state["tokens"].get(request.body.get("refresh_token", ""))
            if token and token["kind"] == "refresh" and self._fresh(token) and not self.denied(token["subject"]):
                return self._tokens_for(token["subject"], token["cae"])
            return _denied("invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked.")
        return _denied("unsupported_grant_type", "AADSTS70003")

    def _tokens_for(self, user: str, cae: bool = False) -> Answer:
        return Answer(200, {
            "access_token": self.add_token(user, "access", cae=cae), "refresh_token": self.add_token(user, cae=cae),
            "token_type": "Bearer", "expires_in": 3600,
        }, principal=user)  # fmt: skip

    def _fresh(self, token: Mapping[str, Any]) -> bool:
        """True when the token was issued after the user's sessions were last revoked."""
        start = self.state["users"][token["subject"]].get("revoked_at", 0.0)
        return bool(token["issued"] > start)

    def _app_login(self, form: Mapping[str, Any]) -> Answer:
        for sp, found in self.state["service_principals"].items():
            if found["appId"] != form.get("client_id") or not found["accountEnabled"]:
                continue
            values = [item.get("value") for item in self.application(sp)["passwordCredentials"]]
            right = form.get("client_secret") in values and bool(form.get("client_secret"))
            if not right and found["jwk"] and form.get("client_assertion"):
                right = claims_of(str(form["client_assertion"]), found["jwk"]) is not None
            if not right:
                return _denied("invalid_client", "AADSTS7000215: Invalid client secret provided.")
            value = secrets.token_hex(12)
            self.state["tokens"][value] = {
                "subject": sp, "kind": "app", "cae": False, "issued": self.clock(), "expires": self.clock() + _HOUR,
            }  # fmt: skip
            return Answer(200, {"access_token": value, "token_type": "Bearer", "expires_in": 3600}, principal=sp)
        return _denied("unauthorized_client", "AADSTS700016: Application was not found, or is disabled.")

    def _me(self, request: Request) -> Answer:
        """A resource: an access token without CAE works until it ends, one with CAE not after a revocation."""
        token = self._token_of(request)
        if token is None or token["kind"] != "access":
            raise self.refuse(401, "Access token has expired.")
        if token["cae"] and (not self._fresh(token) or self.denied(token["subject"])):
            raise self.refuse(401, "Continuous access evaluation resulted in challenge", "InvalidAuthenticationToken")
        return Answer(200, {"id": token["subject"]}, principal=token["subject"])

    # -- users --------------------------------------------------------------------------------------------

    def thing(self, topic: str, key: str) -> Dict[str, Any]:
        found = self.state[topic].get(key)
        if found is None:
            raise self.refuse(404, f"Resource '{key}' does not exist or one of its queried references is not present.")
        item: Dict[str, Any] = found
        return item

    def _get_user(self, request: Request) -> Answer:
        found = dict(self.thing("users", request.ids[0]))
        if self.stale_reads > 0 and request.ids[0] in self._old:
            self.stale_reads -= 1
            found["signInSessionsValidFromDateTime"] = self._old[request.ids[0]]
        for hidden in ("password", "created", "revoked_at"):
            found.pop(hidden, None)
        return Answer(200, found)

    def _patch_user(self, request: Request) -> Answer:
        found = self.thing("users", request.ids[0])
        body = request.body
        if not isinstance(body, dict) or set(body) != {"accountEnabled"} or not isinstance(body["accountEnabled"], bool):
            raise self.refuse(400, "Invalid value specified for property")
        caller = self._token_of(request)
        privileged = any(role["principalId"] == request.ids[0] for role in self.state["roles"].values())
        holders = {role["principalId"] for role in self.state["roles"].values()}
        if privileged and (caller is None or caller["subject"] not in holders):
            raise self.refuse(403, "Insufficient privileges to complete the operation.")
        found["accountEnabled"] = body["accountEnabled"]
        return Answer(204)

    def _revoke(self, request: Request) -> Answer:
        found = self.thing("users", request.ids[0])
        self._old[request.ids[0]] = found["signInSessionsValidFromDateTime"]
        found["signInSessionsValidFromDateTime"] = self.stamp()
        found["revoked_at"] = self.clock()
        return Answer(200, {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Edm.Boolean", "value": True})

    def _devices(self, request: Request) -> Answer:
        self.thing("users", request.ids[0])
        return self.paged(request, [d for d in self.state["devices"].values() if d["owner"] == request.ids[0]])

    def _patch_device(self, request: Request) -> Answer:
        found = self.thing("devices", request.ids[0])
        if not isinstance(request.body, dict) or set(request.body) != {"accountEnabled"}:
            raise self.refuse(400, "Invalid value specified for property")
        found["accountEnabled"] = bool(request.body["accountEnabled"])
        return Answer(204)

    def _methods(self, request: Request) -> Answer:
        self.thing("users", request.ids[0])
        return self.paged(request, list(self.state["methods"].get(request.ids[0], {}).values()))

    def _delete_method(self, request: Request) -> Answer:
        if self.state["methods"].get(request.ids[0], {}).pop(request.ids[1], None) is None:
            raise self.refuse(404, "The method does not exist")
        return Answer(204)

    def _members(self, request: Request) -> Answer:
        found = self.thing("groups", request.ids[0])
        return self.paged(request, [{"@odata.type": "#microsoft.graph.user", "id": member} for member in found["members"]])

    def _join(self, request: Request) -> Answer:
        found = self.thing("groups", request.ids[0])
        link = request.body.get("@odata.id") if isinstance(request.body, dict) else None
        member = str(link or "").rpartition("/")[2]
        if not str(link or "").startswith("http") or member not in {
            **self.state["users"],
            **self.state["service_principals"],
        }:
            raise self.refuse(400, "Invalid object identifier")
        if member in found["members"]:
            raise self.refuse(
                400,
                "One or more added object references already exist for the following modified properties: 'members'.",
            )
        found["members"].append(member)
        return Answer(204)

    def _leave(self, request: Request) -> Answer:
        found = self.thing("groups", request.ids[0])
        if request.ids[1] not in found["members"]:
            raise self.refuse(404, f"Resource '{request.ids[1]}' does not exist")
        found["members"].remove(request.ids[1])
        return Answer(204)

    def _get_risk(self, request: Request) -> Answer:
        if not self.p2:
            raise self.refuse(403, "Your tenant is not licensed for this feature.", "Forbidden")
        if request.ids[0] not in self.state["risk"]:
            raise self.refuse(404, "Unable to find the risky object")
        return Answer(200, {"id": request.ids[0], "riskState": self.state["risk"][request.ids[0]]})

    def _risk(self, to: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            if not self.p2:
                raise self.refuse(403, "Your tenant is not licensed for this feature.", "Forbidden")
            body = request.body if isinstance(request.body, dict) else {}
            listed = body.get("userIds") or body.get("servicePrincipalIds")
            if not isinstance(listed, list) or not listed:
                raise self.refuse(400, "The list of ids is missing")
            self.state["risk"].update(dict.fromkeys(listed, to))
            return Answer(204)

        return change

    # -- applications, roles ------------------------------------------------------------------------------

    def paged(self, request: Request, items: List[Any]) -> Answer:
        size, start = int(request.query.get("$top", "100")), int(request.query.get("$skiptoken", "0"))
        body: Dict[str, Any] = {"value": items[start : start + size]}
        if start + size < len(items):
            body["@odata.nextLink"] = f"{self.login}{request.path}?$top={size}&$skiptoken={start + size}"
        return Answer(200, body)

    def _shown(self, item: Mapping[str, Any]) -> Dict[str, Any]:
        found = {key: value for key, value in item.items() if key not in ("roles", "jwk", "federated")}
        if "passwordCredentials" in found:
            found["passwordCredentials"] = [{**c, "value": None} for c in found["passwordCredentials"]]
            found["passwordCredentials"] = [
                {k: v for k, v in c.items() if k != "value"} for c in found["passwordCredentials"]
            ]
        return found

    def _find(self, topic: str) -> Callable[[Request], Answer]:
        def listed(request: Request) -> Answer:
            match = _FILTER.match(request.query.get("$filter", ""))
            if request.query.get("$filter") and match is None:
                raise self.refuse(400, "Invalid filter clause")
            items = [self._shown(item) for item in self.state[topic].values()]
            return self.paged(request, [i for i in items if match is None or str(i.get(match[1])) == match[2]])

        return listed

    def _get(self, topic: str) -> Callable[[Request], Answer]:
        return lambda request: Answer(200, self._shown(self.thing(topic, request.ids[0])))

    def _patch(self, topic: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            found = self.thing(topic, request.ids[0])
            body = request.body
            if not isinstance(body, dict) or not set(body) <= {"accountEnabled", "keyCredentials"} or not body:
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

    def _create(self, topic: str) -> Callable[[Request], Answer]:
        def create(request: Request) -> Answer:
            if not isinstance(request.body, dict) or not request.body:
                raise self.refuse(400, "Invalid body")
            key = self._new(topic, request.body)
            return Answer(201, self.state[topic][key])

        return create

    def _delete(self, topic: str, place: int = 0) -> Callable[[Request], Answer]:
        def delete(request: Request) -> Answer:
            if self.state[topic].pop(request.ids[place], None) is None:
                raise self.refuse(404, f"Resource '{request.ids[place]}' does not exist")
            return Answer(204)

        return delete

    def _app_roles(self, request: Request) -> Answer:
        return self.paged(request, [i for i in self.state["app_roles"].values() if i["principalId"] == request.ids[0]])

    def _schedule(self, topic: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            body = request.body if isinstance(request.body, dict) else {}
            if body.get("action") not in ("adminRemove", "adminAssign") or not body.get("principalId"):
                raise self.refuse(400, "The action is not valid")
            keys = ("principalId", "roleDefinitionId", "directoryScopeId")
            wanted = {key: body.get(key) for key in keys}
            held = [k for k, item in self.state[topic].items() if {key: item.get(key) for key in keys} == wanted]
            if body["action"] == "adminAssign":
                self._new(topic, wanted)
            elif not held:
                raise self.refuse(404, "The role assignment schedule does not exist")
            else:
                del self.state[topic][held[0]]
            return Answer(201, {"id": self.new_id(), "status": "Provisioned", **wanted})

        return change


def _denied(code: str, text: str) -> Answer:
    return Answer(400 if code != "invalid_client" else 401, {"error": code, "error_description": text})
