"""CyberArk's session: log on once, use it for all calls, log off always."""

from __future__ import annotations

from typing import Any, Iterator

import pytest

from responders.drill.simulators.cyberark import ALL_RIGHTS, CyberArkSimulator
from responders.drill.simulators.server import Fault
from responders.errors import BadSettings, Forbidden, Unauthorized
from responders.vendors import cyberark
from responders.vendors.cyberark import CyberArkClient
from responders.vendors.transport import Endpoint, Limits, Transport


@pytest.fixture
def vendor() -> Iterator[CyberArkSimulator]:
    with CyberArkSimulator() as found:
        assert isinstance(found, CyberArkSimulator)
        found.add_user("tourniquet", password="pvwa-s3cr3t", rights=ALL_RIGHTS)
        yield found


def client(vendor: CyberArkSimulator, **more: Any) -> CyberArkClient:
    endpoint = Endpoint("cyberark", vendor.url, allow_loopback_http=True, limits=Limits(attempt=2, retries=1))
    given = {"username": "tourniquet", "password": "pvwa-s3cr3t", **more}
    return CyberArkClient(Transport(endpoint, cyberark.explain), "default", {}, **given)


def logons(vendor: CyberArkSimulator) -> int:
    return sum(entry.path.endswith("/Logon") for entry in vendor.requests)


@pytest.mark.parametrize("method", ["cyberark", "LDAP", "radius"])
def test_one_session_serves_all_calls_and_is_logged_off(vendor: CyberArkSimulator, method: str) -> None:
    """One logon, one logoff, and no session stays behind."""
    found = client(vendor, method=method)
    user = vendor.add_user("alice")
    for _ in range(3):
        found.call("GET", "/API/Users/{}", ids=(user,))
    assert len(found.own_ids()) == 1
    assert len(vendor.state["logons"]) == 1
    found.close()
    assert logons(vendor) == 1
    assert vendor.state["logons"] == {}


def test_closing_without_a_session_calls_nobody(vendor: CyberArkSimulator) -> None:
    """A client that was never used, or is closed twice, does not log off."""
    found = client(vendor)
    found.close()
    assert vendor.requests == []
    found.warm()
    found.close()
    found.close()
    assert sum(entry.path.endswith("/Logoff") for entry in vendor.requests) == 1


def test_a_logoff_that_fails_does_not_break_closing(vendor: CyberArkSimulator) -> None:
    """The vault may be down by then; the session ends by itself."""
    found = client(vendor)
    found.warm()
    vendor.faults.append(Fault("POST", "/Logoff", "drop", times=9))
    found.close()


def test_a_second_responder_does_not_end_the_first_ones_session(vendor: CyberArkSimulator) -> None:
    """concurrentSession is asked for."""
    first, second = client(vendor), client(vendor)
    first.warm()
    second.warm()
    first.call("GET", "/API/Users", query={"search": "alice"})
    assert logons(vendor) == 2
    first.close()
    second.close()


def test_a_wrong_password_is_unauthorized(vendor: CyberArkSimulator) -> None:
    """The logon's 403 means our own credential, not a missing permission; the password is not shown."""
    found = client(vendor, password="wr0ng-s3cr3t")
    with pytest.raises(Unauthorized, match="sign-in") as caught:
        found.call("GET", "/API/Users")
    assert "wr0ng" not in f"{caught.value!r}{found!r}"
    found.close()
    assert logons(vendor) == 1, "a vault locks a user out after a few wrong passwords"


def test_a_session_that_ends_midway_is_renewed_once(vendor: CyberArkSimulator) -> None:
    """The call that meets the ended session logs on anew and goes through; the vendor acted once."""
    found = client(vendor)
    user = vendor.add_user("alice")
    found.warm()
    vendor.state["logons"].clear()
    assert found.call("POST", "/API/Users/{}/disable/", ids=(user,)).status == 200
    assert vendor.state["users"][user]["enabled"] is False
    assert logons(vendor) == 2
    found.close()


def test_a_missing_right_is_forbidden(vendor: CyberArkSimulator) -> None:
    """403 on a call is a missing permission, and no reason to log on again."""
    vendor.add_user("weak", password="pw", rights=())
    found = client(vendor, username="weak", password="pw")
    user = vendor.add_user("alice")
    with pytest.raises(Forbidden):
        found.call("POST", "/API/Users/{}/disable/", ids=(user,))
    found.close()
    assert logons(vendor) == 1


def test_an_unknown_logon_method_is_a_setting_to_correct(vendor: CyberArkSimulator) -> None:
    """A method the vault doesn't know is told before anything is sent."""
    with pytest.raises(BadSettings, match=r"cyberark\.method.*ldap"):
        client(vendor, method="saml/../x")
