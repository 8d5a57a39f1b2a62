"""The org authorization server: tokens for service apps by private-key JWT or secret, and by refresh token."""

from __future__ import annotations

import secrets
import time
from typing import Any, Dict, Mapping, Tuple

from responders.drill.simulators.jwt import claims_of
from responders.drill.simulators.okta.apps import Apps
from responders.drill.simulators.okta.sessions import Sessions
from responders.drill.simulators.server import Answer, Request


class Oauth(Sessions, Apps):
    """Okta, "OpenID Connect & OAuth 2.0"; "Implement OAuth for Okta with a service app"."""

    def routes_of_oauth(self) -> None:
        self._used: set[str] = set()
        self.route("POST", "/oauth2/v1/token", self._token)
        self.route("GET", "/oauth2/v1/userinfo", self._userinfo)
        self.guarded("GET", "/oauth2/v1/clients/{id}/roles", "okta.roles.read", self._client_roles)

    def add_service(self, client: str, jwk: Mapping[str, str], scopes: Tuple[str, ...], role: str = "SUPER_ADMIN") -> None:
        """A service app of the responder: its public key, the scopes granted to it, its administrator role ("": none)."""
        self.state["services"][client] = {"key": dict(jwk), "scopes": list(scopes), "role": role}

    def _client_roles(self, request: Request) -> Answer:
        service = self.state["services"].get(request.ids[0])
        if service is None:
            return self.error(404, f"Not found: Resource not found: {request.ids[0]} (PublicClientApp)")
        role = service["role"]
        held = [{"id": "irb1", "label": role, "type": role, "status": "ACTIVE", "assignmentType": "CLIENT"}] if role else []
        return Answer(200, held)

    def _userinfo(self, request: Request) -> Answer:
        token = self.state["tokens"].get(request.headers.get("authorization", "").partition(" ")[2])
        if token is None or token["expires"] <= self.clock():
            return self.error(401, "The access token is invalid")
        return Answer(200, {"sub": token["user"]}, principal=token["user"])

    def _token(self, request: Request) -> Answer:
        form = request.body if request.form and isinstance(request.body, dict) else {}
        if form.get("grant_type") == "refresh_token":
            token = self.state["tokens"].get(form.get("refresh_token", ""))
            if token is None or token["kind"] != "refresh" or not self.live(token["user"]):
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
