"""The simulated PVWA is hard to fool: a password works at its target until the CPM has changed it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, Iterator, List

import pytest
import requests

from responders.drill.simulators.cyberark import ALL_RIGHTS, CyberArkSimulator
from tests.drill.http import send


class Vault(SimpleNamespace):
    """A simulator, the responder's session, a user and an account he took the password of."""

    pvwa: CyberArkSimulator
    token: str
    user: str
    account: str
    password: str

    def call(self, method: str, path: str, token: str = "", **more: Any) -> requests.Response:
        return send(method, self.pvwa.url + path, headers={"Authorization": token or self.token}, **more)

    def logon(self, name: str, *, concurrent: bool = True) -> requests.Response:
        body = {"username": name, "password": "pw", "concurrentSession": concurrent}
        return send("POST", f"{self.pvwa.url}/API/auth/cyberark/Logon", json=body)

    def password_works(self) -> bool:
        url = f"{self.pvwa.url}/target/{self.account}/login"
        return send("POST", url, json={"password": self.password}).status_code == 200


@pytest.fixture
def vault() -> Iterator[Vault]:
    with CyberArkSimulator() as pvwa:
        pvwa.add_user("tourniquet", rights=ALL_RIGHTS)
        user, account = pvwa.add_user("alice"), pvwa.add_account("root", "unix")
        found = Vault(pvwa=pvwa, user=user, account=account, password=pvwa.check_out(user, account))
        found.token = found.logon("tourniquet").json()
        yield found


def test_expired_foreign_and_ended_sessions_are_refused(vault: Vault) -> None:
    """A session token works until logoff or its time is over; a made-up one never; a user without rights is 403."""
    path = f"/API/Users/{vault.user}"
    assert vault.call("GET", path).status_code == 200
    assert vault.call("GET", path, "made-up").status_code == 401
    assert vault.call("GET", path, vault.logon("alice").json()).status_code == 403
    other = vault.logon("tourniquet").json()
    assert vault.call("POST", "/API/Auth/Logoff", other).status_code == 200
    assert vault.call("GET", path, other).status_code == 401
    vault.pvwa.clock = lambda: time.time() + 1201
    assert vault.call("GET", path).status_code == 401


def test_a_second_logon_ends_the_first_unless_concurrent(vault: Vault) -> None:
    """One session a user, unless concurrentSession is true."""
    first = vault.logon("alice").json()
    vault.logon("alice", concurrent=True)
    assert vault.call("GET", "/API/Accounts", first).status_code == 200
    vault.logon("alice", concurrent=False)
    assert vault.call("GET", "/API/Accounts", first).status_code == 401


def test_a_disabled_user_is_out_and_his_live_session_and_password_are_not(vault: Vault) -> None:
    """Disabling ends his PVWA sessions; the PSM session and the password he took live on until they are cut."""
    held, session = vault.logon("alice").json(), vault.pvwa.add_live_session(vault.user, vault.account)
    assert vault.call("POST", f"/API/Users/{vault.user}/disable/").status_code == 200
    assert vault.logon("alice").status_code == 403
    assert vault.call("GET", "/API/Accounts", held).status_code == 401
    assert send("GET", f"{vault.pvwa.url}/psm/{session}").status_code == 200
    assert vault.password_works()
    assert vault.call("POST", f"/API/LiveSessions/{session}/Terminate").status_code == 200
    assert send("GET", f"{vault.pvwa.url}/psm/{session}").status_code == 404


def test_change_only_marks_the_account(vault: Vault) -> None:
    """The password works until the CPM has run: a 200 is no new password."""
    vault.pvwa.cpm_seconds = 60.0
    assert vault.call("POST", f"/API/Accounts/{vault.account}/Change").status_code == 200
    shown = vault.call("GET", f"/API/Accounts/{vault.account}").json()["secretManagement"]
    assert shown["status"] == "inProcess" and vault.password_works()
    vault.pvwa.clock = lambda: time.time() + 61
    shown = vault.call("GET", f"/API/Accounts/{vault.account}").json()["secretManagement"]
    assert shown["status"] == "success" and not vault.password_works()


def test_a_cpm_that_fails_leaves_the_password(vault: Vault) -> None:
    """status says failure, and the stolen password still opens the machine."""
    vault.pvwa.cpm_fails = True
    vault.call("POST", f"/API/Accounts/{vault.account}/Change")
    shown = vault.call("GET", f"/API/Accounts/{vault.account}").json()["secretManagement"]
    assert shown["status"] == "failure" and vault.password_works()


def test_a_suspended_session_comes_back_with_resume(vault: Vault) -> None:
    """Suspend is no end."""
    session = vault.pvwa.add_live_session(vault.user, vault.account)
    states = []
    for verb in ("Suspend", "Resume"):
        vault.call("POST", f"/API/LiveSessions/{session}/{verb}")
        states.append(send("GET", f"{vault.pvwa.url}/psm/{session}").status_code)
    assert states == [404, 200]


def test_who_has_the_password_takes_the_next_one_too(vault: Vault) -> None:
    """A member of the safe checks the changed password out again: the change alone keeps nobody out."""
    vault.pvwa.add_member("unix", "alice", {"retrieveAccounts": True})
    alice = vault.logon("alice").json()
    vault.call("POST", f"/API/Accounts/{vault.account}/Change")
    vault.pvwa.run_cpm()
    assert not vault.password_works()
    body = {"reason": "work"}
    vault.password = vault.call("POST", f"/API/Accounts/{vault.account}/Password/Retrieve", alice, json=body).json()
    assert vault.password_works()
    vault.call("DELETE", "/API/Safes/unix/Members/alice/")
    assert vault.call("POST", f"/API/Accounts/{vault.account}/Password/Retrieve", alice, json=body).status_code == 403


def test_lists_come_in_pages(vault: Vault) -> None:
    """The whole list is what nextLink leads to, which is relative and in lower case, as IIS takes it."""
    vault.pvwa.page_size = 2
    names = [f"acc{number}" for number in range(4)]
    for name in names:
        vault.pvwa.add_account(name, "unix")
    url, seen = "/API/Accounts?search=acc", []
    while url:
        body = vault.call("GET", url).json()
        seen.append([item["name"] for item in body["value"]])
        url = body.get("nextLink", "") and "/" + body["nextLink"]
    assert seen == [names[:2], names[2:]]


@pytest.mark.off_spec("a member without a name, on purpose")
def test_bad_bodies_are_refused(vault: Vault) -> None:
    """A list as the user's name (mistake 9), permissions that are no object: 400, and nothing changes."""
    bodies: List[Any] = [{"memberName": ["alice"], "permissions": {}}, {"memberName": "alice", "permissions": "all"}, []]
    for body in bodies:
        assert vault.call("POST", "/API/Safes/unix/Members", json=body).status_code == 400
    assert vault.pvwa.state["safes"]["unix"] == {}
