"""Applications, their credentials and tokens, and identity providers."""

from __future__ import annotations

import secrets
from typing import Any, Callable, Dict

from responders.drill.simulators.okta.org import OktaOrg
from responders.drill.simulators.server import Answer, Request


class Apps(OktaOrg):
    """A service or agent identity is an app here."""

    def routes_of_apps(self) -> None:
        read, manage = "okta.apps.read", "okta.apps.manage"
        self.guarded("GET", "/api/v1/apps/{a}", read, self._get_app)
        self.guarded("GET", "/api/v1/apps/{a}/tokens", read, self._app_tokens)
        self.guarded("DELETE", "/api/v1/apps/{a}/tokens", manage, self._delete_app_tokens)
        self.guarded("GET", "/api/v1/idps/{i}", "okta.idps.read", self._get_idp)
        for kind in ("secrets", "jwks"):
            self.guarded("GET", f"/api/v1/apps/{{a}}/credentials/{kind}", read, self._credentials(kind))
        for verb in ("activate", "deactivate"):
            self.guarded("POST", f"/api/v1/apps/{{a}}/lifecycle/{verb}", manage, getattr(self, f"_app_{verb}"))
            for kind in ("secrets", "jwks"):
                path = f"/api/v1/apps/{{a}}/credentials/{kind}/{{k}}/lifecycle/{verb}"
                self.guarded("POST", path, manage, self._credential_verb(kind, verb))
            path = f"/api/v1/idps/{{i}}/lifecycle/{verb}"
            self.guarded("POST", path, "okta.idps.manage", getattr(self, f"_idp_{verb}"))

    def add_app(self, name: str, kind: str = "service") -> str:
        """An application that signs in by itself; of kind `web` also for people."""
        app = self.new_id("0oa")
        self.state["apps"][app] = {
            "label": name, "status": "ACTIVE", "kind": kind, "secrets": {}, "jwks": {}, "tokens": {}, "groups": [],
            "people": [],
        }  # fmt: skip
        return app

    def assign(self, app: str, *, group: str = "", user: str = "") -> None:
        """An administrator assigns an application."""
        found = self.state["apps"][app]
        found["groups"].extend([group] if group else [])
        found["people"].extend([user] if user else [])

    def add_credential(self, app: str, kind: str = "secrets") -> str:
        """A client secret or key of an app; its id. The secret's value is `value` in the state."""
        key = self.new_id("ocs")
        found = {"id": key, "status": "ACTIVE", "created": self.stamp(), "value": secrets.token_hex(16)}
        if kind == "jwks":
            found.update(kty="RSA", alg="RS256", kid=key, e="AQAB", n=secrets.token_urlsafe(256), use="sig")
        self.state["apps"][app][kind][key] = found
        return key

    def add_idp(self, name: str) -> str:
        idp = self.new_id("0oi")
        self.state["idps"][idp] = {"id": idp, "name": name, "status": "ACTIVE", "type": "SAML2"}
        return idp

    def secret_login(self, client: str, value: str) -> Answer:
        """Client-credentials sign-in of an app with a secret: the attacker's way in."""
        app = self.state["apps"].get(client)
        live = [s for s in app["secrets"].values() if s["status"] == "ACTIVE" and s["value"] == value] if app else []
        if app is None or app["status"] != "ACTIVE" or not live:
            return Answer(401, {"error": "invalid_client", "error_description": "The client is not active"})
        token = self.new_id("oar")
        app["tokens"][token] = {"id": token, "status": "ACTIVE", "clientId": client}
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _app(self, request: Request) -> Dict[str, Any]:
        found = self.state["apps"].get(request.ids[0])
        if found is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (AppInstance)")
        app: Dict[str, Any] = found
        return app

    def _get_app(self, request: Request) -> Answer:
        found = self._app(request)
        shown = {
            "id": request.ids[0],
            "label": found["label"],
            "status": found["status"],
            "signOnMode": "OPENID_CONNECT",
        }
        return Answer(200, shown)

    def _app_activate(self, request: Request) -> Answer:
        self._app(request)["status"] = "ACTIVE"
        return Answer(200, {})

    def _app_deactivate(self, request: Request) -> Answer:
        self._app(request)["status"] = "INACTIVE"
        return Answer(200, {})

    def _credentials(self, kind: str) -> Callable[[Request], Answer]:
        def listed(request: Request) -> Answer:
            found = self._app(request)[kind].values()
            shown = [{key: value for key, value in item.items() if key != "value"} for item in found]
            return Answer(200, shown)

        return listed

    def _credential_verb(self, kind: str, verb: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            found = self._app(request)[kind]
            item = found.get(request.ids[1])
            if item is None:
                raise self.refuse(404, "Not found: Resource not found (ClientCredential)")
            active = [key for key, other in found.items() if other["status"] == "ACTIVE"]
            if verb == "deactivate" and active == [request.ids[1]]:
                raise self.refuse(400, "You can't deactivate the only active credential of a client")
            item["status"] = "ACTIVE" if verb == "activate" else "INACTIVE"
            return Answer(200, {key: value for key, value in item.items() if key != "value"})

        return change

    def _app_tokens(self, request: Request) -> Answer:
        return self.paged(request, list(self._app(request)["tokens"].values()), 20)

    def _delete_app_tokens(self, request: Request) -> Answer:
        self._app(request)["tokens"].clear()
        return Answer(204)

    def _get_idp(self, request: Request) -> Answer:
        found = self.state["idps"].get(request.ids[0])
        if found is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (Idp)")
        return Answer(200, found)

    def _idp(self, request: Request, to: str) -> Answer:
        self._get_idp(request)
        self.state["idps"][request.ids[0]]["status"] = to
        return Answer(200, self.state["idps"][request.ids[0]])

    def _idp_activate(self, request: Request) -> Answer:
        return self._idp(request, "ACTIVE")

    def _idp_deactivate(self, request: Request) -> Answer:
        return self._idp(request, "INACTIVE")
