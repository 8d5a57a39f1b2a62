"""A simulated CyberArk PVWA. Assembled from public clients of its API, not checked against a real vault.

Paths, methods and least permissions follow tests/specs/cyberark-pvwa-containment.openapi.json, which says what of it is
from memory.
"""

from __future__ import annotations

import itertools
import secrets
from typing import Any, Callable, Dict, List, Mapping, Optional

from responders.drill.simulators.cyberark_lists import CyberArkLists
from responders.drill.simulators.cyberark_rights import as_member, authorizations, on_every_safe
from responders.drill.simulators.cyberark_rights import groups as groups_of
from responders.drill.simulators.server import Answer, Request

ALL_RIGHTS = (
    "AuditUsers", "ManageUsers", "ResetUsersPasswords", "LiveSessionAuditor", "ListAccounts", "InitiateCPM",
    "ViewSafeMembers", "ManageSafeMembers",
)  # fmt: skip
"""From "LiveSessionAuditor" on: permissions on safes, held on every safe through a group that is in all of them."""
_TOPICS = ("users", "logons", "sessions", "accounts", "checked_out", "safes", "groups", "ssh_cache", "applications")


class CyberArkSimulator(CyberArkLists):
    """Stateful PVWA with a CPM that changes marked passwords after `cpm_seconds`."""

    def __init__(self, *, latency: float = 0.0, connect_latency: float = 0.0) -> None:
        super().__init__(latency=latency, connect_latency=connect_latency)
        self.state = {name: {} for name in _TOPICS}
        self._numbers = itertools.count(1)
        self.cpm_seconds = 0.0
        self.cpm_fails = False
        self.session_seconds = 1200.0
        self.route("POST", "/API/auth/{type}/Logon", self._logon)
        self.route("POST", "/API/Auth/Logoff", self._logoff)
        self.guarded("GET", "/API/Users", "AuditUsers", self._users)
        self.guarded("GET", "/API/Users/{id}", "AuditUsers", self._get_user)
        self.guarded("GET", "/WebServices/PIMServices.svc/Applications/", "AuditUsers", self.list_applications)
        self.guarded("POST", "/API/Users/{id}/disable/", "ManageUsers", self._enabled(False))
        self.guarded("POST", "/API/Users/{id}/enable/", "ManageUsers", self._enabled(True))
        self.guarded("DELETE", "/API/Users/Secret/SSHKeys/ClearCache", "ResetUsersPasswords", self._clear_cache)
        self.guarded("GET", "/API/LiveSessions", "LiveSessionAuditor", self._sessions)
        for verb in ("Terminate", "Suspend", "Resume"):
            self.guarded("POST", f"/API/LiveSessions/{{id}}/{verb}", "LiveSessionAuditor", self._session_verb(verb))
        self.guarded("GET", "/API/Accounts", "", self._accounts)
        self.guarded("GET", "/API/Accounts/{id}", "ListAccounts", self._get_account)
        for verb in ("Change", "Reconcile"):
            self.guarded("POST", f"/API/Accounts/{{id}}/{verb}", "InitiateCPM", self._mark)
        self.guarded("POST", "/API/Accounts/{id}/Password/Retrieve", "", self._retrieve)
        self.guarded("GET", "/API/Safes", "", self._safes)
        self.guarded("GET", "/API/Safes/{s}/Members", "ViewSafeMembers", self._members)
        self.guarded("POST", "/API/Safes/{s}/Members", "ManageSafeMembers", self._add_member)
        self.guarded("DELETE", "/API/Safes/{s}/Members/{m}/", "ManageSafeMembers", self._delete_member)
        self.guarded("POST", "/API/UserGroups/{g}/Members", "ManageUsers", self._add_to_group)
        self.guarded("DELETE", "/API/UserGroups/{g}/members/{m}/", "ManageUsers", self._delete_from_group)
        self.route("POST", "/target/{account}/login", self._target)
        self.route("GET", "/psm/{session}", self._psm)
        self.route("GET", "/AIMWebService/api/Accounts", self._provider)

    # -- the vendor's manner ------------------------------------------------------------------------------

    def error(self, status: int, text: str, code: str = "") -> Answer:
        known = {
            400: "PASWS167E", 401: "PASWS006E", 403: "PASWS041E", 404: "PASWS013E", 405: "PASWS405E", 429: "PASWS429E",
        }  # fmt: skip
        return Answer(status, {"ErrorCode": code or known.get(status, "CAWS00001E"), "ErrorMessage": text})

    def limited(self) -> Answer:
        return self.error(429, "Too many requests")

    def guarded(self, method: str, template: str, right: str, handler: Callable[[Request], Answer]) -> None:
        """An endpoint for a logged-on user who holds `right` ("" for any)."""

        def checked(request: Request) -> Answer:
            user = self._caller(request)
            if user is None:
                raise self.refuse(401, "The session token is missing, invalid or expired.")
            if right and right not in self.state["users"][user]["rights"]:
                raise self.refuse(403, "You are not authorized to perform this action.")
            return handler(request)

        self.route(method, template, checked)

    def _caller(self, request: Request) -> Optional[str]:
        found = self.state["logons"].get(request.headers.get("authorization", ""))
        return str(found["user"]) if found and found["until"] > self.clock() else None

    def principal(self, request: Request) -> str:
        return self._caller(request) or ""

    def new_id(self) -> int:
        return next(self._numbers)

    def dump(self) -> Any:
        found = super().dump()
        found.pop("logons")
        return found

    # -- seeding ------------------------------------------------------------------------------------------

    def add_user(self, name: str, *, password: str = "pw", rights: tuple[str, ...] = ()) -> str:
        user = str(self.new_id() + 100)
        self.state["users"][user] = {
            "username": name, "password": password, "enabled": True, "rights": list(rights), "groups": [],
        }  # fmt: skip
        return user

    def add_application(self, name: str, owner: str = "") -> str:
        """An application that reads passwords; its id."""
        self.state["applications"][name] = {"BusinessOwnerEmail": owner}
        return name

    def add_account(self, name: str, safe: str, *, address: str = "db1") -> str:
        """A privileged account in a safe."""
        account = f"{self.new_id()}_3"
        self.state["safes"].setdefault(safe, {})
        self.state["accounts"][account] = {
            "name": name, "safe": safe, "userName": name, "address": address, "password": secrets.token_hex(8),
            "changed": int(self.clock()), "created": int(self.clock()), "marked": None, "status": "success", "managed": True,
        }  # fmt: skip
        return account

    def check_out(self, user: str, account: str) -> str:
        """A user takes a password; the password, which works at the target until it is changed."""
        self.state["checked_out"].setdefault(account, {})[user] = int(self.clock())
        return str(self.state["accounts"][account]["password"])

    def add_live_session(self, user: str, account: str) -> str:
        session = f"{self.new_id()}_4"
        self.state["sessions"][session] = {"user": user, "account": account, "suspended": False}
        return session

    def add_member(self, safe: str, name: str, permissions: Mapping[str, bool], kind: str = "User") -> None:
        self.state["safes"].setdefault(safe, {})[name] = {"memberType": kind, "permissions": dict(permissions)}

    def add_group(self, name: str) -> str:
        group = str(self.new_id() + 10)
        self.state["groups"][group] = {"groupName": name, "members": []}
        return group

    def run_cpm(self) -> None:
        """Change every marked password whose time has come."""
        with self.lock:
            for account in self.state["accounts"].values():
                due = account["marked"] is not None and self.clock() >= account["marked"] + self.cpm_seconds
                if due and self.cpm_fails:
                    account.update(status="failure", marked=None)
                elif due:
                    account.update(
                        password=secrets.token_hex(8), changed=int(self.clock()) + 1, marked=None, status="success"
                    )

    # -- sign-in, and what the attacker holds -------------------------------------------------------------

    def _logon(self, request: Request) -> Answer:
        body = request.body
        if request.ids[0].lower() not in ("cyberark", "ldap", "radius"):
            raise self.refuse(404, "unknown authentication type")
        if (
            not isinstance(body, dict)
            or not isinstance(body.get("username"), str)
            or not isinstance(body.get("password"), str)
        ):
            raise self.refuse(400, "username and password must be text")
        for user, found in self.state["users"].items():
            if (found["username"], found["password"]) == (body["username"], body["password"]) and found["enabled"]:
                if body.get("concurrentSession") is not True:
                    self._end_logons(user)
                token = secrets.token_hex(24)
                self.state["logons"][token] = {"user": user, "until": self.clock() + self.session_seconds}
                return Answer(200, token, principal=user)
        raise self.refuse(403, "Authentication failure for User.")

    def _end_logons(self, user: str) -> None:
        for token in [token for token, found in self.state["logons"].items() if found["user"] == user]:
            del self.state["logons"][token]

    def _logoff(self, request: Request) -> Answer:
        if self.state["logons"].pop(request.headers.get("authorization", ""), None) is None:
            raise self.refuse(401, "The session token is missing, invalid or expired.")
        return Answer(200)

    def _target(self, request: Request) -> Answer:
        """The machine behind an account: does this password work now?"""
        account = self.state["accounts"].get(request.ids[0])
        given = request.body.get("password") if isinstance(request.body, dict) else None
        if account is None or account["password"] != given:
            return self.error(401, "login failed")
        return Answer(200, {"ok": True})

    def _psm(self, request: Request) -> Answer:
        """A keystroke in a PSM session."""
        found = self.state["sessions"].get(request.ids[0])
        if found is None or found["suspended"]:
            return self.error(404, "no such live session")
        return Answer(200, {"ok": True}, principal=found["user"])

    def _provider(self, request: Request) -> Answer:
        """The Central Credential Provider: an application reads a password from a safe it is a member of."""
        application, safe = request.query.get("AppID", ""), request.query.get("Safe", "")
        member = self.state["safes"].get(safe, {}).get(application)
        if member is None or not member["permissions"].get("retrieveAccounts"):
            return self.error(403, f"APPAP004E Password object matching query was not found, application {application}")
        found = next((a for a in self.state["accounts"].values() if a["safe"] == safe), None)
        if found is None:
            return self.error(404, "APPAP004E Password object matching query was not found")
        return Answer(200, {"Content": found["password"], "UserName": found["userName"]}, principal=application)

    def _retrieve(self, request: Request) -> Answer:
        account, caller = self._account(request), self._caller(request)
        name = self.state["users"][caller]["username"]
        member = self.state["safes"][account["safe"]].get(name)
        if member is None or not member["permissions"].get("retrieveAccounts"):
            raise self.refuse(403, "You are not authorized to retrieve this password.")
        return Answer(200, self.check_out(str(caller), request.ids[0]), principal=str(caller))

    # -- endpoints ----------------------------------------------------------------------------------------

    def _user(self, request: Request, place: int = 0) -> Dict[str, Any]:
        found = self.state["users"].get(request.ids[place])
        if found is None:
            raise self.refuse(404, f"User {request.ids[place]} was not found")
        user: Dict[str, Any] = found
        return user

    def _shown(self, key: str) -> Dict[str, Any]:
        found = self.state["users"][key]
        groups = [{"groupID": int(g), "groupName": self.state["groups"][g]["groupName"]} for g in found["groups"]]
        return {
            "id": int(key), "username": found["username"], "source": found.get("source", "CyberArk"), "userType": "EPVUser",
            "enableUser": found["enabled"], "suspended": False, "vaultAuthorization": authorizations(found),
            "groupsMembership": [*groups, *groups_of(found)],
        }  # fmt: skip

    def _users(self, request: Request) -> Answer:
        wanted = request.query.get("search", "").lower()
        found = [self._shown(key) for key, user in self.state["users"].items() if wanted in user["username"].lower()]
        if request.query.get("ExtendedDetails") == "true":
            for item in found:
                item["internet"] = {"businessEmail": self.state["users"][str(item["id"])].get("email", "")}
        start, size = int(request.query.get("offset", "0")), int(request.query.get("limit", str(len(found) or 1)))
        return Answer(200, {"Users": found[start : start + size], "Total": len(found)})

    def _get_user(self, request: Request) -> Answer:
        self._user(request)
        return Answer(200, self._shown(request.ids[0]))

    def _enabled(self, to: bool) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            self._user(request)["enabled"] = to
            if not to:
                self._end_logons(request.ids[0])
            return Answer(200)

        return change

    def _clear_cache(self, request: Request) -> Answer:
        self.state["ssh_cache"].clear()
        return Answer(200)

    def _sessions(self, request: Request) -> Answer:
        found = [
            {
                "SessionID": key, "SessionGuid": key, "User": self.state["users"][item["user"]]["username"],
                "Start": 0, "IsLive": True, "IsSuspended": item["suspended"],
                "AccountUsername": self.state["accounts"][item["account"]]["userName"],
            }
            for key, item in self.state["sessions"].items()
        ]  # fmt: skip
        return Answer(200, {"LiveSessions": found, "Total": len(found)})

    def _session_verb(self, verb: str) -> Callable[[Request], Answer]:
        def change(request: Request) -> Answer:
            found = self.state["sessions"].get(request.ids[0])
            if found is None:
                raise self.refuse(404, f"Live session {request.ids[0]} was not found")
            if verb == "Terminate":
                del self.state["sessions"][request.ids[0]]
            else:
                found["suspended"] = verb == "Suspend"
            return Answer(200)

        return change

    def _account(self, request: Request) -> Dict[str, Any]:
        found = self.state["accounts"].get(request.ids[0])
        if found is None:
            raise self.refuse(404, f"Account {request.ids[0]} was not found")
        account: Dict[str, Any] = found
        return account

    def _shown_account(self, key: str) -> Dict[str, Any]:
        found = self.state["accounts"][key]
        return {
            "id": key, "name": found["name"], "safeName": found["safe"], "userName": found["userName"],
            "address": found["address"], "platformId": "UnixSSH", "secretType": "password",
            "createdTime": found["created"],
            "secretManagement": {
                "automaticManagementEnabled": found["managed"],
                "status": "inProcess" if found["marked"] is not None else found["status"],
                "lastModifiedTime": found["changed"],
            },
        }  # fmt: skip

    def _accounts(self, request: Request) -> Answer:
        self.run_cpm()
        rights = self.state["users"][self._caller(request)]["rights"]
        listed = self.state["accounts"] if "ListAccounts" in rights else ()  # a list shows what the caller may see
        found: List[Dict[str, Any]] = [self._shown_account(key) for key in listed]
        words = request.query.get("search", "").lower()
        found = [item for item in found if words in f"{item['name']} {item['userName']} {item['safeName']}".lower()]
        return self.paged(request, self.changed_since(request, found))

    def _get_account(self, request: Request) -> Answer:
        self.run_cpm()
        self._account(request)
        return Answer(200, self._shown_account(request.ids[0]))

    def _mark(self, request: Request) -> Answer:
        self._account(request)["marked"] = self.clock()
        return Answer(200)

    def _safe(self, request: Request) -> Dict[str, Any]:
        found = self.state["safes"].get(request.ids[0])
        if found is None:
            raise self.refuse(404, f"Safe {request.ids[0]} was not found")
        safe: Dict[str, Any] = found
        return safe

    def _safes(self, request: Request) -> Answer:
        """The safes that the caller is a member of."""
        user = self.state["users"][self._caller(request)]
        safes = self.state["safes"].items()
        mine = [name for name, members in safes if on_every_safe(user) or user["username"] in members]
        return self.paged(request, [{"safeUrlId": name, "safeName": name, "safeNumber": 1} for name in mine])

    def _members(self, request: Request) -> Answer:
        found = [{"memberName": name, **item} for name, item in self._safe(request).items()]
        found += [as_member(user) for user in self.state["users"].values() if on_every_safe(user)]
        return self.paged(request, [{"safeName": request.ids[0], **item} for item in found])

    def _add_member(self, request: Request) -> Answer:
        safe, body = self._safe(request), request.body
        if (
            not isinstance(body, dict)
            or not isinstance(body.get("memberName"), str)
            or not isinstance(body.get("permissions"), dict)
        ):
            raise self.refuse(400, "memberName and permissions are needed")
        if body["memberName"] in safe:
            raise self.refuse(409, "The member exists already")
        safe[body["memberName"]] = {"memberType": body.get("memberType", "User"), "permissions": body["permissions"]}
        return Answer(201, {"safeName": request.ids[0], **body})

    def _delete_member(self, request: Request) -> Answer:
        if self._safe(request).pop(request.ids[1], None) is None:
            raise self.refuse(404, f"Member {request.ids[1]} was not found")
        return Answer(204)

    def _group(self, request: Request) -> Dict[str, Any]:
        found = self.state["groups"].get(request.ids[0])
        if found is None:
            raise self.refuse(404, f"Group {request.ids[0]} was not found")
        group: Dict[str, Any] = found
        return group

    def _add_to_group(self, request: Request) -> Answer:
        group, body = self._group(request), request.body
        name = body.get("memberId") if isinstance(body, dict) else None
        for key, user in self.state["users"].items():
            if user["username"] == name:
                if request.ids[0] not in user["groups"]:
                    user["groups"].append(request.ids[0])
                    group["members"].append(name)
                return Answer(201, {"memberId": name, "memberType": "vault", "id": int(key)})
        raise self.refuse(400, "The member is unknown")

    def _delete_from_group(self, request: Request) -> Answer:
        group = self._group(request)
        if request.ids[1] not in group["members"]:
            raise self.refuse(404, f"Member {request.ids[1]} was not found")
        group["members"].remove(request.ids[1])
        for user in self.state["users"].values():
            if user["username"] == request.ids[1] and request.ids[0] in user["groups"]:
                user["groups"].remove(request.ids[0])
        return Answer(204)
