"""A simulated Okta org: sign-in, users, sessions, tokens, groups, roles. Credentials and apps: okta_things.py.

Behaviour follows Okta's API reference ("User Lifecycle", "User Sessions", "Rate limits"); error bodies are Okta's form.
"""

from __future__ import annotations

import itertools
import secrets
import time
from datetime import datetime, timezone
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.drill.simulators.jwt import claims_of
from responders.drill.simulators.okta_things import Things
from responders.drill.simulators.server import Answer, Refuse, Request, Simulator

_LIVE = ("ACTIVE", "PASSWORD_EXPIRED", "RECOVERY")
_TOPICS = (
    "users", "groups", "group_policy", "sessions", "tokens", "grants", "api_tokens", "factors", "devices", "apps",
    "roles", "risk", "idps", "services",
)  # fmt: skip


class OktaSimulator(Things, Simulator):
    """Stateful Okta. `add_*` seed it; the attacker's endpoints say whether a credential works now."""

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.state = {name: {} for name in _TOPICS}
        self.state["log"] = []
        self._numbers = itertools.count(1)
        self._used: set[str] = set()
        self.log_lag = 0.0
        self._routes_of_users()
        self.routes_of_things()

    def _routes_of_users(self) -> None:
        read, manage = "okta.users.read", "okta.users.manage"
        self.route("POST", "/oauth2/v1/token", self._token)
        self.route("POST", "/api/v1/authn", self._authn)
        self.route("GET", "/api/v1/sessions/me", self._session)
        self.route("GET", "/oauth2/v1/userinfo", self._userinfo)
        self.guarded("GET", "/api/v1/users/{id}", read, self._get_user)
        for verb in ("suspend", "unsuspend", "unlock", "deactivate", "activate", "expire_password", "reset_factors"):
            self.guarded("POST", f"/api/v1/users/{{id}}/lifecycle/{verb}", manage, getattr(self, f"_{verb}"))
        self.guarded("DELETE", "/api/v1/users/{id}/sessions", manage, self._clear_sessions)
        self.guarded("POST", "/oauth2/v1/global-token-revocation", "okta.universalLogout.manage", self._revoke_all)
        self.guarded("GET", "/api/v1/users/{id}/grants", read, lambda r: self._list(r, "grants"))
        self.guarded("DELETE", "/api/v1/users/{id}/grants", manage, self._delete_grants)
        self.guarded("GET", "/api/v1/users/{id}/clients", read, self._clients)
        self.guarded("GET", "/api/v1/users/{id}/clients/{c}/tokens", read, self._client_tokens)
        self.guarded("DELETE", "/api/v1/users/{id}/clients/{c}/tokens", manage, self._delete_client_tokens)
        self.guarded("GET", "/api/v1/users/{id}/groups", read, self._groups)
        self.guarded("PUT", "/api/v1/groups/{g}/users/{id}", "okta.groups.manage", self._join)
        self.guarded("DELETE", "/api/v1/groups/{g}/users/{id}", "okta.groups.manage", self._leave)
        self.guarded("GET", "/api/v1/users/{id}/roles", "okta.roles.read", lambda r: self._list(r, "roles"))
        self.guarded("POST", "/api/v1/users/{id}/roles", "okta.roles.manage", self._add_role)
        self.guarded("DELETE", "/api/v1/users/{id}/roles/{r}", "okta.roles.manage", self._delete_role)
        self.guarded("GET", "/api/v1/iam/assignees/users", "okta.roles.read", self._assignees)
        self.guarded("GET", "/api/v1/users/{id}/risk", "okta.userRisk.read", self._get_risk)
        self.guarded("PUT", "/api/v1/users/{id}/risk", "okta.userRisk.manage", self._put_risk)
        self.guarded("GET", "/api/v1/logs", "okta.logs.read", self._logs)

    # -- the vendor's manner ------------------------------------------------------------------------------

    def error(self, status: int, text: str, code: str = "") -> Answer:
        known = {400: "E0000001", 401: "E0000011", 403: "E0000006", 404: "E0000007", 405: "E0000022", 429: "E0000047"}
        code = code or known.get(status, "E0000009")
        body = {
            "errorCode": code,
            "errorSummary": text,
            "errorLink": code,
            "errorId": self.new_id("oae"),
            "errorCauses": [],
        }
        return Answer(status, body)

    def limited(self) -> Answer:
        reset = str(int(self._window[0] + 60))
        return Answer(429, self.error(429, "API call exceeded rate limit due to too many requests.").body, {
            "X-Rate-Limit-Limit": str(self.per_minute), "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset,
        })  # fmt: skip

    def headers_of(self, remaining: int, limit: int, reset: float) -> Mapping[str, str]:
        return {
            "X-Rate-Limit-Limit": str(limit),
            "X-Rate-Limit-Remaining": str(remaining),
            "X-Rate-Limit-Reset": str(int(reset)),
        }

    def refuse(self, status: int, text: str, code: str = "") -> Refuse:
        return Refuse(self.error(status, text, code))

    def guarded(self, method: str, template: str, scope: str, handler: Any) -> None:
        """A management endpoint: the caller needs the scope, or an administrator's API token."""

        def checked(request: Request) -> Answer:
            self._authorize(request, scope)
            answer: Answer = handler(request)
            return answer

        self.route(method, template, checked)

    def principal(self, request: Request) -> str:
        caller = self._caller(request)
        return caller[0] if caller else ""

    def _caller(self, request: Request) -> Optional[Tuple[str, Tuple[str, ...]]]:
        """(who, scopes) of a management credential; administrators by API token have every scope."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind == "SSWS":
            for token in self.state["api_tokens"].values():
                if token["value"] == value:
                    admin = any(r["type"] == "SUPER_ADMIN" for r in self.state["roles"].get(token["userId"], {}).values())
                    return token["userId"], ("*",) if admin else ()
        if kind == "Bearer" and value in self.state["tokens"]:
            token = self.state["tokens"][value]
            if token["expires"] > self.clock() and token["kind"] == "service":
                return token["client"], tuple(token["scopes"])
        return None

    def _authorize(self, request: Request, scope: str) -> None:
        caller = self._caller(request)
        if caller is None:
            raise self.refuse(401, "Invalid token provided")
        implied = (scope, scope.replace(".read", ".manage"), "*")
        if not any(name in caller[1] for name in implied):
            raise self.refuse(403, "You do not have permission to perform the requested action")

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):017d}"

    def stamp(self, at: Optional[float] = None) -> str:
        moment = datetime.fromtimestamp(self.clock() if at is None else at, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def record(self, event: str, target: str, actor: str = "", kind: str = "User") -> None:
        """One System Log event."""
        self.state["log"].append({
            "uuid": self.new_id("evt"), "published": self.stamp(), "eventType": event,
            "actor": {"id": actor, "type": "User"}, "target": [{"id": target, "type": kind}],
            "outcome": {"result": "SUCCESS"},
        })  # fmt: skip

    def dump(self) -> Any:
        found = super().dump()
        found.pop("log")
        found["tokens"] = {key: value for key, value in found["tokens"].items() if value["kind"] != "service"}
        return found

    # -- seeding ------------------------------------------------------------------------------------------

    def add_user(self, login: str, *, password: str = "pw", status: str = "ACTIVE", provider: str = "OKTA") -> str:
        user = self.new_id("00u")
        self.state["users"][user] = {
            "login": login, "password": password, "status": status, "provider": provider, "created": self.stamp(),
        }  # fmt: skip
        return user

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

    def add_session(self, user: str) -> str:
        """A session cookie, as sign-in or theft gives it."""
        sid = self.new_id("102")
        self.state["sessions"][sid] = user
        return sid

    def add_token(self, user: str, client: str, kind: str = "refresh") -> str:
        """A refresh or access token of a client for a user."""
        value = secrets.token_hex(12)
        self.state["tokens"][value] = {
            "id": self.new_id("oar"), "user": user, "client": client, "kind": kind, "expires": self.clock() + 3600,
        }  # fmt: skip
        return value

    def add_grant(self, user: str, client: str, scope: str) -> str:
        grant = self.new_id("oag")
        self.state["grants"].setdefault(user, {})[grant] = {"id": grant, "clientId": client, "scopeId": scope}
        return grant

    def add_service(self, client: str, jwk: Mapping[str, str], scopes: Tuple[str, ...]) -> None:
        """A service app of the responder: its public key and the scopes granted to it."""
        self.state["services"][client] = {"key": dict(jwk), "scopes": list(scopes)}

    # -- sign-in, and what the attacker holds -------------------------------------------------------------

    def denied(self, user: str) -> bool:
        """True when the user can't sign in: status, or a group whose policy denies."""
        if self.state["users"][user]["status"] not in _LIVE:
            return True
        groups = [g for g, found in self.state["groups"].items() if user in found["members"]]
        return any(self.state["group_policy"][group] == "deny" for group in groups)

    def _authn(self, request: Request) -> Answer:
        body = request.body if isinstance(request.body, dict) else {}
        for user, found in self.state["users"].items():
            if found["login"] == body.get("username") and found["password"] == body.get("password"):
                if self.denied(user):
                    break
                self.record("user.session.start", user, user)
                return Answer(200, {"status": "SUCCESS", "sessionToken": self.add_session(user)}, principal=user)
        return self.error(401, "Authentication failed", "E0000004")

    def _session(self, request: Request) -> Answer:
        sid = dict(p.strip().partition("=")[::2] for p in request.headers.get("cookie", "").split(";")).get("sid", "")
        user = self.state["sessions"].get(sid)
        if user is None or self.denied(user):
            return self.error(404, "Not found: Resource not found: me (Session)")
        return Answer(200, {"id": sid, "userId": user, "status": "ACTIVE"}, principal=user)

    def _userinfo(self, request: Request) -> Answer:
        token = self.state["tokens"].get(request.headers.get("authorization", "").partition(" ")[2])
        if token is None or token["expires"] <= self.clock():
            return self.error(401, "The access token is invalid")
        return Answer(200, {"sub": token["user"]}, principal=token["user"])

    def _token(self, request: Request) -> Answer:
        form = request.body if request.form and isinstance(request.body, dict) else {}
        if form.get("grant_type") == "refresh_token":
            token = self.state["tokens"].get(form.get("refresh_token", ""))
            if token is None or token["kind"] != "refresh" or self.denied(token["user"]):
                return Answer(400, {"error": "invalid_grant", "error_description": "The refresh token is invalid"})
            value = self.add_token(token["user"], token["client"], "access")
            return Answer(200, {"access_token": value, "token_type": "Bearer", "expires_in": 3600})
        if form.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type", "error_description": "unsupported"})
        return self._client_credentials(form)

    def _client_credentials(self, form: Dict[str, Any]) -> Answer:
        if "client_secret" in form:
            return self.secret_login(str(form.get("client_id", "")), str(form["client_secret"]))
        for client, service in self.state["services"].items():
            claims = claims_of(str(form.get("client_assertion", "")), service["key"])
            if claims is None or claims.get("sub") != client or claims.get("iss") != client:
                continue
            fresh = isinstance(claims.get("exp"), int) and time.time() < claims["exp"] <= time.time() + 3600
            if not fresh or claims.get("aud") != f"{self.url}/oauth2/v1/token" or claims.get("jti") in self._used:
                break
            self._used.add(str(claims.get("jti")))
            asked = str(form.get("scope", "")).split()
            if not asked or not set(asked) <= set(service["scopes"]):
                return Answer(400, {"error": "invalid_scope", "error_description": "a scope is not granted"})
            value = secrets.token_hex(12)
            self.state["tokens"][value] = {
                "id": value, "user": "", "client": client, "kind": "service", "scopes": asked,
                "expires": self.clock() + 3600,
            }  # fmt: skip
            return Answer(200, {"access_token": value, "token_type": "Bearer", "expires_in": 3600, "scope": " ".join(asked)})
        return Answer(401, {"error": "invalid_client", "error_description": "The client assertion is not valid"})

    # -- users --------------------------------------------------------------------------------------------

    def user(self, request: Request, place: int = 0) -> Tuple[str, Dict[str, Any]]:
        name = request.ids[place]
        if name not in self.state["users"]:
            raise self.refuse(404, f"Not found: Resource not found: {name} (User)")
        return name, self.state["users"][name]

    def _get_user(self, request: Request) -> Answer:
        if request.ids[0] == "me":
            caller = self._caller(request)
            if caller is None or caller[0] not in self.state["users"]:
                raise self.refuse(403, "You do not have permission to perform the requested action")
            return self._shown(caller[0])
        return self._shown(self.user(request)[0])

    def _shown(self, name: str) -> Answer:
        found = self.state["users"][name]
        return Answer(200, {
            "id": name, "status": found["status"], "created": found["created"], "profile": {"login": found["login"]},
            "credentials": {"provider": {"type": found["provider"], "name": found["provider"]}},
        })  # fmt: skip

    def _change(self, request: Request, allowed: Tuple[str, ...], to: str, text: str, event: str) -> Answer:
        name, found = self.user(request)
        if found["status"] not in allowed:
            raise self.refuse(400, text)
        found["status"] = to
        self.record(event, name, self.principal(request))
        return Answer(200, {})

    def _suspend(self, request: Request) -> Answer:
        text = "Cannot suspend a user that is not active"
        return self._change(request, ("ACTIVE",), "SUSPENDED", text, "user.lifecycle.suspend")

    def _unsuspend(self, request: Request) -> Answer:
        text = "Cannot unsuspend a user that is not suspended."
        return self._change(request, ("SUSPENDED",), "ACTIVE", text, "user.lifecycle.unsuspend")

    def _unlock(self, request: Request) -> Answer:
        _, found = self.user(request)
        if found["provider"] != "OKTA":
            raise self.refuse(403, "This operation is not allowed in the user's current status.", "E0000032")
        return self._change(
            request, ("LOCKED_OUT",), "ACTIVE", "Unlock is not allowed for this user.", "user.account.unlock"
        )

    def _deactivate(self, request: Request) -> Answer:
        allowed = ("ACTIVE", "SUSPENDED", "LOCKED_OUT", "PASSWORD_EXPIRED", "RECOVERY", "PROVISIONED", "STAGED")
        answer = self._change(
            request, allowed, "DEPROVISIONED", "The user is deactivated already", "user.lifecycle.deactivate"
        )
        self._drop_live(request.ids[0])
        return answer

    def _activate(self, request: Request) -> Answer:
        text = "This operation is not allowed in the user's current status."
        return self._change(request, ("STAGED", "DEPROVISIONED"), "PROVISIONED", text, "user.lifecycle.activate")

    def _expire_password(self, request: Request) -> Answer:
        text = "Password can't be expired in this status"
        return self._change(request, ("ACTIVE",), "PASSWORD_EXPIRED", text, "user.account.expire_password")

    def _reset_factors(self, request: Request) -> Answer:
        name, _ = self.user(request)
        self.state["factors"].pop(name, None)
        self.record("user.mfa.factor.reset_all", name, self.principal(request))
        return Answer(200, {})

    def _clear_sessions(self, request: Request) -> Answer:
        name, _ = self.user(request)
        for sid in [sid for sid, user in self.state["sessions"].items() if user == name]:
            del self.state["sessions"][sid]
        if request.query.get("oauthTokens") == "true":
            self._drop_tokens(lambda token: token["user"] == name)
        self.record("user.session.clear", name, self.principal(request))
        return Answer(204)

    def _revoke_all(self, request: Request) -> Answer:
        subject = request.body.get("subject") if isinstance(request.body, dict) else None
        if not isinstance(subject, dict) or subject.get("id") not in self.state["users"]:
            raise self.refuse(400, "The subject is not valid")
        self._drop_live(subject["id"])
        self.record("user.session.clear", subject["id"], self.principal(request))
        return Answer(204)

    def _drop_live(self, name: str) -> None:
        for sid in [sid for sid, user in self.state["sessions"].items() if user == name]:
            del self.state["sessions"][sid]
        self._drop_tokens(lambda token: token["user"] == name)

    def _drop_tokens(self, which: Any) -> None:
        for value in [value for value, token in self.state["tokens"].items() if which(token)]:
            del self.state["tokens"][value]

    def _list(self, request: Request, topic: str) -> Answer:
        name, _ = self.user(request)
        return self.paged(request, list(self.state[topic].get(name, {}).values()))

    def paged(self, request: Request, items: List[Any]) -> Answer:
        """One page by `limit` and `after`, the next one in a Link header."""
        size, start = int(request.query.get("limit", "200")), int(request.query.get("after", "0"))
        link = {}
        if start + size < len(items):
            query = "&".join(f"{k}={v}" for k, v in {**request.query, "after": str(start + size)}.items() if " " not in v)
            link = {"Link": f'<{self.url}{request.path}?{query}>; rel="next"'}
        return Answer(200, items[start : start + size], link)

    def _delete_grants(self, request: Request) -> Answer:
        name, _ = self.user(request)
        self.state["grants"].pop(name, None)
        return Answer(204)

    def _clients(self, request: Request) -> Answer:
        name, _ = self.user(request)
        clients = sorted({token["client"] for token in self.state["tokens"].values() if token["user"] == name})
        return Answer(200, [{"client_id": client, "client_name": client} for client in clients])

    def _held(self, request: Request) -> List[Dict[str, Any]]:
        name, _ = self.user(request)
        both = (name, request.ids[1])
        return [t for t in self.state["tokens"].values() if (t["user"], t["client"]) == both and t["kind"] == "refresh"]

    def _client_tokens(self, request: Request) -> Answer:
        return Answer(200, [{"id": t["id"], "status": "ACTIVE", "userId": t["user"]} for t in self._held(request)])

    def _delete_client_tokens(self, request: Request) -> Answer:
        name, _ = self.user(request)
        self._drop_tokens(lambda token: (token["user"], token["client"]) == (name, request.ids[1]))
        return Answer(204)

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

    def _get_risk(self, request: Request) -> Answer:
        name, _ = self.user(request)
        return Answer(200, {"riskLevel": self.state["risk"].get(name, "NONE")})

    def _put_risk(self, request: Request) -> Answer:
        name, _ = self.user(request)
        level = request.body.get("riskLevel") if isinstance(request.body, dict) else None
        if level not in ("LOW", "MEDIUM", "HIGH"):
            raise self.refuse(400, "Api validation failed: riskLevel")
        self.state["risk"][name] = level
        return Answer(200, {"riskLevel": level, "reason": "Admin override risk"})

    def _logs(self, request: Request) -> Answer:
        wanted = request.query.get("filter", "")
        until = self.stamp(self.clock() - self.log_lag)
        found = [
            event
            for event in self.state["log"]
            if request.query.get("since", "") <= event["published"] <= until and _matches(event, wanted)
        ]
        return self.paged(request, found)


def _matches(event: Mapping[str, Any], wanted: str) -> bool:
    """The part of Okta's filter language that is used here: `field eq "x"` joined by and, or, parentheses."""
    text = wanted.replace("(", "").replace(")", "")
    for part in text.split(" and "):
        options = [option.strip().split(" eq ") for option in part.split(" or ")]
        if not any(len(o) == 2 and o[1].strip('"') in _values(event, o[0]) for o in options):
            return not wanted
    return True


def _values(event: Mapping[str, Any], name: str) -> List[str]:
    if name == "target.id":
        return [str(item["id"]) for item in event["target"]]
    return [str(event["actor"]["id"])] if name == "actor.id" else [str(event.get(name, ""))]
