"""The login endpoint, and what a token opens: refresh tokens, access tokens with and without CAE."""

from __future__ import annotations

import secrets
import time
from typing import Any, Mapping, Optional

from responders.drill.simulators.graph.applications import Applications
from responders.drill.simulators.graph.tenant import TENANT
from responders.drill.simulators.jwt import claims_of, unsigned
from responders.drill.simulators.server import Answer, Request

_HOUR = 3600.0


class Login(Applications):
    """Microsoft Learn, "Continuous access evaluation"; "Refresh tokens in the Microsoft identity platform"."""

    def routes_of_login(self) -> None:
        self.route("GET", "/me", self._me)

    def serve(self, request: Request) -> Answer:
        if request.path.startswith(f"/{TENANT}/"):
            with self.lock:
                return self._login(request)
        return super().serve(request)

    def add_token(self, subject: str, kind: str = "refresh", *, cae: bool = False) -> str:
        """A refresh or access token of a user, as sign-in or theft gives it."""
        value = secrets.token_hex(12)
        self.state["tokens"][value] = {
            "subject": subject, "kind": kind, "cae": cae, "issued": self.clock(), "expires": self.clock() + _HOUR,
        }  # fmt: skip
        return value

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
            if token and token["kind"] == "refresh" and self.fresh(token) and not self.denied(token["subject"]):
                return self._tokens_for(token["subject"], token["cae"])
            return _denied("invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked.")
        return _denied("unsupported_grant_type", "AADSTS70003")

    def _tokens_for(self, user: str, cae: bool = False) -> Answer:
        return Answer(200, {
            "access_token": self.add_token(user, "access", cae=cae), "refresh_token": self.add_token(user, cae=cae),
            "token_type": "Bearer", "expires_in": 3600,
        }, principal=user)  # fmt: skip

    def fresh(self, token: Mapping[str, Any]) -> bool:
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
                right = self._vouches(claims_of(str(form["client_assertion"]), found["jwk"]), found["appId"])
            if not right:
                return _denied("invalid_client", "AADSTS7000215: Invalid client secret provided.")
            value = unsigned({"aud": "https://graph.microsoft.com", "oid": sp, "roles": found["roles"]})
            self.state["tokens"][value] = {
                "subject": sp, "kind": "app", "cae": False, "issued": self.clock(), "expires": self.clock() + _HOUR,
            }  # fmt: skip
            return Answer(200, {"access_token": value, "token_type": "Bearer", "expires_in": 3600}, principal=sp)
        return _denied("unauthorized_client", "AADSTS700016: Application was not found, or is disabled.")

    def _vouches(self, claims: Optional[Mapping[str, Any]], app_id: str) -> bool:
        """True when a certificate's assertion is for this endpoint and app, and still good."""
        if claims is None or (claims.get("iss"), claims.get("sub")) != (app_id, app_id):
            return False
        fresh = isinstance(claims.get("exp"), int) and claims["exp"] > time.time()
        return fresh and claims.get("aud") == f"{self.login}/{TENANT}/oauth2/v2.0/token"

    def _me(self, request: Request) -> Answer:
        """A resource: an access token without CAE works until it ends, one with CAE not after a revocation."""
        token = self.token_of(request)
        if token is None or token["kind"] != "access":
            raise self.refuse(401, "Access token has expired.")
        # A group's policy is seen at the next sign-in only, and reaches what is open already after up to a day.
        enabled = self.state["users"][token["subject"]]["accountEnabled"]
        if token["cae"] and not (enabled and self.fresh(token)):
            raise self.refuse(401, "Continuous access evaluation resulted in challenge", "InvalidAuthenticationToken")
        return Answer(200, {"id": token["subject"]}, principal=token["subject"])


def _denied(code: str, text: str) -> Answer:
    return Answer(400 if code != "invalid_client" else 401, {"error": code, "error_description": text})
