"""What every simulated vendor has: latency, rate limits, faults, and a log that says what really happened."""

from __future__ import annotations

import ast
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urlsplit

import pytest
import requests

from responders.drill import simulators
from responders.drill.simulators.cyberark import CyberArkSimulator
from responders.drill.simulators.graph import GraphSimulator
from responders.drill.simulators.okta import OktaSimulator
from responders.drill.simulators.server import Fault, Simulator
from tests.drill.http import send


@pytest.fixture
def okta() -> Iterator[OktaSimulator]:
    with OktaSimulator() as found:
        found.admin = found.add_user("root@corp.example")  # type: ignore[attr-defined]
        found.add_role(found.admin, "SUPER_ADMIN")  # type: ignore[attr-defined]
        found.key = found.add_api_token(found.admin)  # type: ignore[attr-defined]
        yield found


def call(okta: Any, method: str, path: str, **more: Any) -> requests.Response:
    return send(method, okta.url + path, headers={"Authorization": f"SSWS {okta.key}"}, **more)


def test_simulators_import_nothing_of_the_responder() -> None:
    """They must not share its mistakes: they import each other and the standard library only."""
    folder = Path(str(simulators.__file__)).parent
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert not name.startswith("responders") or name.startswith("responders.drill.simulators"), (path, name)
                assert name.partition(".")[0] in sys.stdlib_module_names | {"responders"}, (path, name)


def test_no_module_of_the_simulators_is_over_the_limit() -> None:
    """The rule of 400 lines holds here too."""
    for path in Path(str(simulators.__file__)).parent.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path


def test_latency_is_kept() -> None:
    """Each answer takes the latency set, and a new connection its own on top."""
    with OktaSimulator(latency=0.05, connect_latency=0.1) as slow, requests.Session() as session:
        session.trust_env = False
        times = []
        for _ in range(2):
            start = time.monotonic()
            session.get(slow.url + "/api/v1/users/x", timeout=5)
            times.append(time.monotonic() - start)
    assert times[0] >= 0.15
    assert 0.05 <= times[1] < times[0]


@pytest.mark.parametrize(
    ("vendor", "path", "headers"),
    [
        (OktaSimulator, "/api/v1/users/x", ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset")),
        (GraphSimulator, "/users/x", ("Retry-After",)),
        (CyberArkSimulator, "/API/Users", ()),
    ],
)
def test_over_the_rate_limit_is_429(vendor: Any, path: str, headers: Any) -> None:
    """The call after the last one allowed is refused with the vendor's headers, and acts on nothing."""
    with vendor() as limited:
        limited.per_minute = 2
        stranger = {"Authorization": "Bearer stranger"}
        statuses = [send("GET", limited.url + path, headers=stranger).status_code for _ in range(2)]
        last = send("GET", limited.url + path, headers=stranger)
    assert statuses == [401, 401]
    assert last.status_code == 429
    assert all(name in last.headers for name in headers), dict(last.headers)


def test_okta_counts_down_and_names_the_reset(okta: Any) -> None:
    """Each answer says how many calls are left; the reset is an epoch second within the next minute."""
    okta.per_minute = 3
    answers = [call(okta, "GET", f"/api/v1/users/{okta.admin}") for _ in range(4)]
    assert [a.headers["X-Rate-Limit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[-1].headers["X-Rate-Limit-Reset"]) - time.time() <= 60


def test_a_limited_call_changes_nothing(okta: Any) -> None:
    """A 429 is given before acting."""
    user = okta.add_user("a@corp.example")
    okta.per_minute = 0
    assert call(okta, "POST", f"/api/v1/users/{user}/lifecycle/suspend").status_code == 429
    assert okta.state["users"][user]["status"] == "ACTIVE"


@pytest.mark.parametrize(("kind", "acts"), [("drop", False), ("lost", True), ("status", False)])
def test_faults(okta: Any, kind: str, acts: bool) -> None:
    """drop closes before acting, lost acts and never answers, status answers in its place; each once, then all is well."""
    user = okta.add_user("a@corp.example")
    path = f"/api/v1/users/{user}/lifecycle/suspend"
    okta.faults.append(Fault("POST", "/suspend", kind, 503))
    if kind == "status":
        assert call(okta, "POST", path).status_code == 503
    else:
        with pytest.raises(requests.ConnectionError):
            call(okta, "POST", path)
    assert (okta.state["users"][user]["status"] == "SUSPENDED") is acts
    assert call(okta, "GET", f"/api/v1/users/{user}").status_code == 200
    assert call(okta, "POST", path).status_code == (400 if acts else 200)


@pytest.mark.parametrize(("kind", "check"), [("garbage", lambda a: b"<html>" in a.content),
                                             ("huge", lambda a: len(a.content) > 8 * 1024 * 1024)])  # fmt: skip
def test_faults_of_the_answer(okta: Any, kind: str, check: Any) -> None:
    """garbage is no JSON, huge is more than a client should take."""
    okta.faults.append(Fault("GET", ".", kind))
    assert check(call(okta, "GET", f"/api/v1/users/{okta.admin}"))


def test_a_vendor_that_is_down_answers_nothing(okta: Any) -> None:
    """No status at all, and it is back when it is back."""
    okta.down = True
    with pytest.raises(requests.ConnectionError):
        call(okta, "GET", f"/api/v1/users/{okta.admin}")
    okta.down = False
    assert call(okta, "GET", f"/api/v1/users/{okta.admin}").status_code == 200


def test_half_a_request_is_no_request(okta: Any) -> None:
    """A client killed in the middle of a body has asked for nothing: nothing acts and nothing is logged."""
    host, port = urlsplit(okta.url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=5) as half:
        half.sendall(b"POST /api/v1/authn HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n{")
        half.shutdown(socket.SHUT_WR)
        assert half.recv(100) == b""
    assert okta.requests == []


def test_the_log_keeps_no_secret_and_does_not_change_afterwards(okta: Any) -> None:
    """Of a credential only its scheme is kept; an answer logged stays as it was sent, whatever happens to the state."""
    factor = okta.add_factor(okta.admin)
    call(okta, "GET", f"/api/v1/users/{okta.admin}/factors")
    entry = okta.requests[-1]
    assert entry.headers["authorization"] == "SSWS ***"
    assert okta.key not in json.dumps([dict(entry.headers), entry.answer])
    assert (entry.method, entry.status, entry.principal, entry.injected) == ("GET", 200, okta.admin, "")
    okta.state["factors"][okta.admin][factor]["status"] = "CHANGED"
    assert entry.answer[0]["status"] == "ACTIVE"


def test_dump_and_load_give_the_state_back(okta: Any) -> None:
    """A dump, loaded elsewhere, is the same org: what restore is measured by."""
    okta.add_session(okta.add_user("a@corp.example"))
    other = OktaSimulator()
    other.load(okta.dump() | {"log": []})
    assert other.dump() == okta.dump()


@pytest.mark.off_spec("calls what does not exist")
@pytest.mark.parametrize(
    ("vendor", "path"),
    [(OktaSimulator, "/api/v1/nothing"), (GraphSimulator, "/nothing"), (CyberArkSimulator, "/API/Nothing")],
)
def test_an_endpoint_that_does_not_exist_is_404_in_the_vendors_form(vendor: Any, path: str) -> None:
    """It looks like a missing object, as at the vendor: who takes it for "nothing left" is fooled."""
    with vendor() as found:
        answer = send("GET", found.url + path)
    assert answer.status_code == 404
    assert set(answer.json()) & {"errorCode", "error", "ErrorCode"}


@pytest.mark.off_spec("no JSON")
def test_a_body_that_is_no_json_is_400(okta: Any) -> None:
    """Nothing acts on a body that can't be read."""
    answer = send("POST", okta.url + "/api/v1/authn", data=b"{nope", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_a_bare_simulator_can_be_stopped_twice() -> None:
    """Stopping is idempotent."""
    found = Simulator()
    found.start()
    found.stop()
    found.stop()
