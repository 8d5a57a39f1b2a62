"""Sessions, tokens and grants of users: how they come to be, and how they are cut."""

from __future__ import annotations

import secrets
from typing import Any, Dict, List

from responders.drill.simulators.okta.org import OktaOrg
from responders.drill.simulators.server import Answer, Request

_LIVE = ("ACTIVE", "PASSWORD_EXPIRED", "RECOVERY")


class Sessions(OktaOrg):
    """Sign-in evaluates the groups' policies; what was given out before lives on until it is cut or the user is no
    longer live (Okta, "Global session policies": evaluated when a session is made)."""

    def routes_of_sessions(self) -> None:
        read, manage = "okta.users.read", "okta.users.manage"
        self.route("POST", "/api/v1/authn", self._authn)
        self.route("GET", "/api/v1/sessions/me", self._session)
        self.guarded("DELETE", "/api/v1/users/{id}/sessions", manage, self._clear_sessions)
        self.guarded("POST", "/oauth2/v1/global-token-revocation", "okta.universalLogout.manage", self._revoke_all)
        self.guarded("GET", "/api/v1/users/{id}/grants", read, lambda r: self.listed(r, "grants"))
        self.guarded("DELETE", "/api/v1/users/{id}/grants", manage, self._delete_grants)
        self.guarded("GET", "/api/v1/users/{id}/clients", read, self._clients)
        self.guarded("GET", "/api/v1/users/{id}/clients/{c}/tokens", read, self._client_tokens)
        self.guarded("DELETE", "/api/v1/users/{id}/clients/{c}/tokens", manage, self._delete_client_tokens)

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
        self.state["grants"].setdefault(user, {})[grant] = {
            "id": grant, "clientId": client, "scopeId": scope, "issuer": self.url, "userId": user, "status": "ACTIVE",
        }  # fmt: skip
        return grant

    def denied(self, user: str) -> bool:
        """True when the user can't sign in: status, or a group whose policy denies."""
        if not self.live(user):
            return True
        groups = [g for g, found in self.state["groups"].items() if user in found["members"]]
        return any(self.state["group_policy"][group] == "deny" for group in groups)

    def live(self, user: str) -> bool:
        """True when the user's status lets sessions and tokens work."""
        return self.state["users"][user]["status"] in _LIVE

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
        if user is None or not self.live(user):
            return self.error(404, "Not found: Resource not found: me (Session)")
        return Answer(200, {"id": sid, "userId": user, "status": "ACTIVE"}, principal=user)

    def _clear_sessions(self, request: Request) -> Answer:
        name, _ = self.user(request)
        for sid in [sid for sid, user in self.state["sessions"].items() if user == name]:
            del self.state["sessions"][sid]
        if request.query.get("oauthTokens") == "true":
            self._drop_tokens(lambda token: token["user"] == name)
        self.record("user.session.clear", name, self.principal(request))
        return Answer(204)

    def _revoke_all(self, request: Request) -> Answer:
        subject = request.body.get("sub_id") if isinstance(request.body, dict) else None
        if not isinstance(subject, dict) or subject.get("id") not in self.state["users"]:
            raise self.refuse(400, "Api validation failed: sub_id")
        self.drop_live(subject["id"])
        self.record("user.session.clear", subject["id"], self.principal(request))
        return Answer(204)

    def drop_live(self, name: str) -> None:
        for sid in [sid for sid, user in self.state["sessions"].items() if user == name]:
            del self.state["sessions"][sid]
        self._drop_tokens(lambda token: token["user"] == name)

    def _drop_tokens(self, which: Any) -> None:
        for value in [value for value, token in self.state["tokens"].items() if which(token)]:
            del self.state["tokens"][value]

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
        found = [{"id": t["id"], "status": "ACTIVE", "userId": t["user"]} for t in self._held(request)]
        return self.paged(request, found, 20)

    def _delete_client_tokens(self, request: Request) -> Answer:
        name, _ = self.user(request)
        self._drop_tokens(lambda token: (token["user"], token["client"]) == (name, request.ids[1]))
        return Answer(204)
