"""Users, their devices and authentication methods, and groups."""

from __future__ import annotations

from typing import Any, Dict

from responders.drill.simulators.graph.tenant import GraphTenant
from responders.drill.simulators.server import Answer, Request

_HOUR = 3600.0
_METHODS = ("fido2", "microsoftAuthenticator", "phone", "email", "softwareOath", "temporaryAccessPass")


class Users(GraphTenant):
    """`stale_reads` is how many reads of a user still show what was before its last change."""

    stale_reads = 0

    def routes_of_users(self) -> None:
        self._old: Dict[str, Dict[str, Any]] = {}
        read = ("User.Read.All", "Directory.Read.All")
        self.guarded("GET", "/users/{id}", ("User.ReadBasic.All", *read), self._get_user)
        self.guarded("PATCH", "/users/{id}", ("User.EnableDisableAccount.All",), self._patch_user)
        self.guarded("POST", "/users/{id}/revokeSignInSessions", ("User.RevokeSessions.All",), self._revoke)
        self.guarded("GET", "/users/{id}/registeredDevices", read, self._devices)
        self.guarded("PATCH", "/devices/{id}", ("Device.ReadWrite.All",), self._patch_device)
        methods = ("UserAuthenticationMethod.ReadWrite.All", "UserAuthenticationMethod.Read.All")
        self.guarded("GET", "/users/{id}/authentication/methods", methods, self._methods)
        for kind in _METHODS:
            path = f"/users/{{id}}/authentication/{kind}Methods/{{m}}"
            self.guarded("DELETE", path, methods[:1], self._delete_method)
        member = ("GroupMember.ReadWrite.All",)
        self.guarded("GET", "/groups/{g}/members", (*member, "GroupMember.Read.All"), self._members)
        self.guarded("POST", "/groups/{g}/members/$ref", member, self._join)
        self.guarded("DELETE", "/groups/{g}/members/{m}/$ref", member, self._leave)

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

    def sync(self) -> None:
        """The directory sync: users mastered on premises come back enabled."""
        with self.lock:
            for user in self.state["users"].values():
                if user["onPremisesSyncEnabled"]:
                    user["accountEnabled"] = True

    def _get_user(self, request: Request) -> Answer:
        found = dict(self.thing("users", request.ids[0]))
        if self.stale_reads > 0 and request.ids[0] in self._old:
            self.stale_reads -= 1
            found = dict(self._old[request.ids[0]])
        for hidden in ("password", "created", "revoked_at"):
            found.pop(hidden, None)
        if not self.may(request, "User.Read.All", "Directory.Read.All"):
            # User.ReadBasic.All shows names only; what a caller may not read comes as null (Microsoft Graph, "user").
            found.update(accountEnabled=None, onPremisesSyncEnabled=None, signInSessionsValidFromDateTime=None)
        return Answer(200, found)

    def _patch_user(self, request: Request) -> Answer:
        found = self.thing("users", request.ids[0])
        body = request.body
        if not isinstance(body, dict) or set(body) != {"accountEnabled"} or not isinstance(body["accountEnabled"], bool):
            raise self.refuse(400, "Invalid value specified for property")
        caller = self.token_of(request)
        privileged = any(role["principalId"] == request.ids[0] for role in self.state["roles"].values())
        holders = {role["principalId"] for role in self.state["roles"].values()}
        if privileged and (caller is None or caller["subject"] not in holders):
            raise self.refuse(403, "Insufficient privileges to complete the operation.")
        self._old[request.ids[0]] = dict(found)
        found["accountEnabled"] = body["accountEnabled"]
        return Answer(204)

    def _revoke(self, request: Request) -> Answer:
        found = self.thing("users", request.ids[0])
        self._old[request.ids[0]] = dict(found)
        found["signInSessionsValidFromDateTime"] = self.stamp()
        found["revoked_at"] = self.clock()
        return Answer(200, {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Edm.Boolean", "value": True})

    def _devices(self, request: Request) -> Answer:
        self.thing("users", request.ids[0])
        found = [dict(d) for d in self.state["devices"].values() if d["owner"] == request.ids[0]]
        if not self.may(request, "Device.Read.All", "Device.ReadWrite.All", "Directory.Read.All"):
            # Microsoft Graph, "List registeredDevices": members of a type the caller may not read come with null properties.
            for device in found:
                device.update(accountEnabled=None, registrationDateTime=None)
        return self.paged(request, found)

    def _patch_device(self, request: Request) -> Answer:
        found = self.thing("devices", request.ids[0])
        body = request.body
        if not isinstance(body, dict) or set(body) != {"accountEnabled"} or not isinstance(body["accountEnabled"], bool):
            raise self.refuse(400, "Invalid value specified for property")
        found["accountEnabled"] = body["accountEnabled"]
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
