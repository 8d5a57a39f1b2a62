"""Users: lifecycle and risk."""

from __future__ import annotations

import math
from typing import Tuple

from responders.drill.simulators.okta.sessions import Sessions
from responders.drill.simulators.server import Answer, Request


class Users(Sessions):
    """Okta, "User Lifecycle": which change is allowed from which status.

    `deactivation_seconds` is how long a deactivation takes: until then the user is as before, and `transitioningToStatus`
    tells what is coming.
    """

    deactivation_seconds = 0.0

    def routes_of_users(self) -> None:
        read, manage = "okta.users.read", "okta.users.manage"
        self.guarded("GET", "/api/v1/users/{id}", read, self._get_user)
        for verb in ("suspend", "unsuspend", "unlock", "deactivate", "activate", "expire_password", "reset_factors"):
            self.guarded("POST", f"/api/v1/users/{{id}}/lifecycle/{verb}", manage, getattr(self, f"_{verb}"))
        self.guarded("GET", "/api/v1/users/{id}/risk", "okta.userRisk.read", self._get_risk)
        self.guarded("PUT", "/api/v1/users/{id}/risk", "okta.userRisk.manage", self._put_risk)

    def add_user(self, login: str, *, password: str = "pw", status: str = "ACTIVE", provider: str = "OKTA") -> str:
        user = self.new_id("00u")
        self.state["users"][user] = {
            "login": login, "password": password, "status": status, "provider": provider, "created": self.stamp(),
        }  # fmt: skip
        return user

    def serve(self, request: Request) -> Answer:
        with self.lock:
            for name, found in self.state["users"].items():
                if found.get("gone_at", math.inf) <= self.clock():
                    self._gone(name)
        return super().serve(request)

    def _gone(self, name: str) -> None:
        found = self.state["users"][name]
        found.pop("gone_at", None)
        found["status"] = "DEPROVISIONED"
        self.drop_live(name)

    def _get_user(self, request: Request) -> Answer:
        if request.ids[0] == "me":
            caller = self.caller(request)
            if caller is None or caller[0] not in self.state["users"]:
                raise self.refuse(403, "You do not have permission to perform the requested action")
            return self._shown(caller[0])
        return self._shown(self.user(request)[0])

    def _shown(self, name: str) -> Answer:
        found = self.state["users"][name]
        coming = {"transitioningToStatus": "DEPROVISIONED"} if "gone_at" in found else {}
        return Answer(200, {
            **coming, "id": name, "status": found["status"], "created": found["created"],
            "profile": {"login": found["login"]},
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
        name, found = self.user(request)
        if found["status"] not in allowed or "gone_at" in found:
            raise self.refuse(400, "The user is deactivated already")
        if self.deactivation_seconds:
            found["gone_at"] = self.clock() + self.deactivation_seconds
        else:
            self._gone(name)
        self.record("user.lifecycle.deactivate", name, self.principal(request))
        return Answer(200, {})

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
