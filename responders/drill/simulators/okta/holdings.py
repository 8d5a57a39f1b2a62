"""What a user holds beside sessions: API tokens, factors, devices."""

from __future__ import annotations

import secrets

from responders.drill.simulators.okta.org import OktaOrg
from responders.drill.simulators.server import Answer, Request


class Holdings(OktaOrg):
    """API tokens outlive a suspended owner (Okta, "Create an API token"); factors and devices are enrolled."""

    def routes_of_holdings(self) -> None:
        self.guarded("GET", "/api/v1/api-tokens", "okta.apiTokens.read", self._api_tokens)
        self.guarded("DELETE", "/api/v1/api-tokens/{t}", "okta.apiTokens.manage", self._delete_api_token)
        self.guarded("GET", "/api/v1/users/{id}/factors", "okta.users.read", self._factors)
        self.guarded("DELETE", "/api/v1/users/{id}/factors/{f}", "okta.users.manage", self._delete_factor)
        self.guarded("GET", "/api/v1/users/{id}/devices", "okta.users.read", self._devices)
        for verb in ("suspend", "unsuspend"):
            path = f"/api/v1/devices/{{d}}/lifecycle/{verb}"
            self.guarded("POST", path, "okta.devices.manage", getattr(self, f"_device_{verb}"))

    def add_api_token(self, user: str, name: str = "token") -> str:
        """An API token; its value."""
        token, value = self.new_id("00T"), secrets.token_hex(16)
        self.state["api_tokens"][token] = {
            "id": token, "name": name, "userId": user, "value": value, "created": self.stamp(),
        }  # fmt: skip
        self.record("system.api_token.create", token, user, "Token")
        return value

    def add_factor(self, user: str, kind: str = "push") -> str:
        factor = self.new_id("opf")
        found = {"id": factor, "factorType": kind, "provider": "OKTA", "status": "ACTIVE", "created": self.stamp()}
        self.state["factors"].setdefault(user, {})[factor] = found
        self.record("user.mfa.factor.activate", factor, user, "Factor")
        return factor

    def add_device(self, user: str) -> str:
        device = self.new_id("guo")
        self.state["devices"][device] = {"user": user, "status": "ACTIVE", "created": self.stamp()}
        return device

    def _api_tokens(self, request: Request) -> Answer:
        names = ("id", "name", "userId", "created")
        return Answer(200, [{key: item[key] for key in names} for item in self.state["api_tokens"].values()])

    def _delete_api_token(self, request: Request) -> Answer:
        if self.state["api_tokens"].pop(request.ids[0], None) is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (ApiToken)")
        self.record("system.api_token.revoke", request.ids[0], self.principal(request), "Token")
        return Answer(204)

    def _factors(self, request: Request) -> Answer:
        name, _ = self.user(request)
        return Answer(200, list(self.state["factors"].get(name, {}).values()))

    def _delete_factor(self, request: Request) -> Answer:
        name, _ = self.user(request)
        if self.state["factors"].get(name, {}).pop(request.ids[1], None) is None:
            raise self.refuse(404, "Not found: Resource not found (UserFactor)")
        return Answer(204)

    def _devices(self, request: Request) -> Answer:
        name, _ = self.user(request)
        return Answer(200, [
            {"created": found["created"], "device": {"id": device, "status": found["status"]}}
            for device, found in self.state["devices"].items() if found["user"] == name
        ])  # fmt: skip

    def _device(self, request: Request, allowed: str, to: str) -> Answer:
        found = self.state["devices"].get(request.ids[0])
        if found is None:
            raise self.refuse(404, f"Not found: Resource not found: {request.ids[0]} (Device)")
        if found["status"] != allowed:
            raise self.refuse(400, "The device is in another state")
        found["status"] = to
        return Answer(204)

    def _device_suspend(self, request: Request) -> Answer:
        return self._device(request, "ACTIVE", "SUSPENDED")

    def _device_unsuspend(self, request: Request) -> Answer:
        return self._device(request, "SUSPENDED", "ACTIVE")
