"""What a test or a drill puts into the tenant before it starts. Each `add_*` gives the new id."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any, Dict, Mapping, Optional, Tuple

from responders.drill.simulators.graph.core import GLOBAL_ADMINISTRATOR, GraphCore

HOUR = 3600.0
LIFETIMES = {"access": HOUR, "app": HOUR, "refresh": 90 * 24 * HOUR}
"""Seconds. Source: Microsoft Entra, "Configurable token lifetimes" (access 60 to 90 minutes, refresh 90 days)."""
CAE_LIFETIME = 28 * HOUR
"""Seconds. Source: Microsoft Entra, "Continuous access evaluation"."""


class GraphSeeds(GraphCore):
    """Seeding by method call, and what the drill does to the tenant from outside (`sync`)."""

    def add_user(
        self, name: str, *, password: str = "pw", enabled: bool = True, synced: bool = False, guest: bool = False
    ) -> str:
        user = self.new_id()
        self.state["users"][user] = {
            "id": user, "userPrincipalName": name, "accountEnabled": enabled, "onPremisesSyncEnabled": synced or None,
            "userType": "Guest" if guest else "Member", "password": password, "created": self.clock(),
            "signInSessionsValidFromDateTime": self.stamp(self.clock() - HOUR),
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
            "passwordCredentials": [], "keyCredentials": [],
        }  # fmt: skip
        if jwk:
            self.add_certificate(sp, jwk)
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

    def add_certificate(self, sp: str, jwk: Mapping[str, str]) -> str:
        """A certificate on the application, known by its public key (RFC 7518 `n`, `e`); its key id."""
        key, held = self.new_id(), dict(jwk)
        raw = json.dumps(held, sort_keys=True).encode()
        self.application(sp)["keyCredentials"].append({
            "keyId": key, "displayName": f"CN=certificate {key[-4:]}", "type": "AsymmetricX509Cert", "usage": "Verify",
            "customKeyIdentifier": hashlib.sha1(raw).hexdigest().upper(),  # noqa: S324 - a thumbprint, not a signature
            "key": base64.b64encode(raw).decode(), "jwk": held,
        })  # fmt: skip
        return key

    def add_federated(self, sp: str, issuer: str, *, subject: str = "repo:x") -> str:
        """A federated identity credential on the application."""
        key = self.new_id()
        self.application(sp)["federated"][key] = {
            "id": key, "name": f"f-{key[-4:]}", "issuer": issuer, "subject": subject,
            "audiences": ["api://AzureADTokenExchange"],
        }  # fmt: skip
        return key

    def add_issuer(self, issuer: str, jwk: Mapping[str, str]) -> None:
        """An outside issuer of tokens, such as a CI system, by its public key."""
        self.issuers[issuer] = dict(jwk)

    def add_group(self, name: str, *, denies: bool = False) -> str:
        """`denies`: a Conditional Access policy blocks its members."""
        group = self.new_id()
        self.state["groups"][group] = {"displayName": name, "members": []}
        if denies:
            self.state["denied_groups"][group] = True
        return group

    def add_device(self, user: str, *, system: str = "Windows") -> str:
        device = self.new_id()
        self.state["devices"][device] = {
            "id": device, "accountEnabled": True, "registrationDateTime": self.stamp(), "owner": user,
            "operatingSystem": system,
        }  # fmt: skip
        return device

    def add_method(self, user: str, kind: str = "microsoftAuthenticator", *, value: str = "") -> str:
        """An authentication method. `value` is what it signs in with (a Temporary Access Pass)."""
        method = self.new_id()
        found = {
            "@odata.type": f"#microsoft.graph.{kind}AuthenticationMethod", "id": method,
            "createdDateTime": self.stamp(),
        }  # fmt: skip
        self.state["methods"].setdefault(user, {})[method] = {**found, **({"value": value} if value else {})}
        return method

    def add_role(self, principal: str, role: str = GLOBAL_ADMINISTRATOR) -> str:
        return self.new("roles", _scoped(principal, role))

    def add_assignment(self, principal: str, role: str) -> str:
        """An active role assignment schedule (Privileged Identity Management)."""
        return self.new("assignments", _scoped(principal, role))

    def add_eligibility(self, principal: str, role: str) -> str:
        return self.new("eligibilities", _scoped(principal, role))

    def add_grant(self, client: str, user: str, scope: str) -> str:
        """Delegated consent of a user to a client app's service principal."""
        body = {
            "clientId": client, "consentType": "Principal", "principalId": user, "resourceId": self.new_id(),
            "scope": scope,
        }  # fmt: skip
        return self.new("grants", body)

    def add_app_role(self, principal: str) -> str:
        body = {"principalId": principal, "resourceId": self.new_id(), "appRoleId": self.new_id()}
        return self.new("app_roles", body)

    def add_token(
        self, subject: str, kind: str = "refresh", *, cae: bool = False, client: str = "", device: str = "",
        home: bool = False,
    ) -> str:  # fmt: skip
        """A refresh or access token of a user, as sign-in or theft gives it.

        `client`: issued to this service principal under delegated consent. `device`: bound to a registered device, as
        a primary refresh token is. `home`: a guest's, issued by the home tenant.
        """
        value, now = secrets.token_hex(12), self.moment()
        lifetime = CAE_LIFETIME if cae and kind != "refresh" else LIFETIMES[kind]
        more = {name: held for name, held in (("client", client), ("device", device), ("home", home)) if held}
        self.state["tokens"][value] = {
            "subject": subject, "kind": kind, "cae": cae, "issued": now, "expires": now + lifetime, **more,
        }  # fmt: skip
        return value

    def sync(self) -> None:
        """The directory sync: users mastered on premises come back enabled."""
        with self.lock:
            for user in self.state["users"].values():
                if user["onPremisesSyncEnabled"]:
                    user["accountEnabled"] = True


def _scoped(principal: str, role: str) -> Dict[str, str]:
    return {"principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/"}
