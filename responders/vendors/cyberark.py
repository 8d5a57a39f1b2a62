"""CyberArk PAM (PVWA): log on, one session for all calls, log off. Not checked against a real vault."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, FrozenSet, Mapping, Tuple

from responders.errors import BadAnswer, BadSettings, VendorError
from responders.vendors.base import BaseClient, Page, listed
from responders.vendors.client import Response
from responders.vendors.transport import Transport

_LISTS = ("value", "Users", "users", "LiveSessions", "SafeMembers", "Activities")


class CyberArkClient(BaseClient):
    """PVWA's REST API below /PasswordVault.

    `concurrentSession` keeps a second responder's logon from ending this one's session.
    Source: CyberArk, "Logon", "Logoff".
    """

    vendor = "cyberark"

    def __init__(
        self,
        transport: Transport,
        tenant: str,
        settings: Mapping[str, str],
        *,
        username: str,
        password: str,
        method: str = "cyberark",
    ) -> None:
        super().__init__(transport, tenant, settings)
        method = method.lower()
        if method not in ("cyberark", "ldap", "radius"):
            raise BadSettings(f"unknown logon method {method!r}", place="cyberark.method", remedy="cyberark, ldap or radius")
        transport.keep_secret((password,))
        self._username, self._password, self._method = username, password, method

    def sign_in(self) -> Dict[str, str]:
        body = {"username": self._username, "password": self._password, "concurrentSession": True}
        path = self.transport.path("/API/auth/{}/Logon", (self._method,))
        answer = self.transport.send("POST", path, headers={}, body=body, gated=False).body
        if not isinstance(answer, str) or not answer:
            raise BadAnswer(self.vendor, "the logon gave no session token")
        self.transport.keep_secret((answer,))
        return {"Authorization": answer}

    def page(self, answer: Response) -> Page:
        items = listed(self.vendor, answer.body, *_LISTS)
        following = answer.body.get("nextLink")
        if not following:
            return items, None
        text = str(following)
        return items, text if text.startswith(("http://", "https://")) else "/" + text.lstrip("/")

    def read_own_ids(self) -> FrozenSet[str]:
        found = self.items("/API/Users", query={"search": self._username})
        return frozenset(str(user["id"]) for user in found if str(user.get("username", "")) == self._username)

    def close(self) -> None:
        with self._lock:
            headers, self._auth = self._auth, None
        if headers is not None:
            # A session that could not be ended ends by itself; closing must not fail for it.
            with contextlib.suppress(VendorError):
                self.transport.send("POST", "/API/Auth/Logoff", headers=headers, gated=False)
        super().close()


def explain(body: Any) -> Tuple[str, str]:
    """CyberArk's error body: ErrorCode, ErrorMessage."""
    return str(body.get("ErrorCode", "")), str(body.get("ErrorMessage", ""))
