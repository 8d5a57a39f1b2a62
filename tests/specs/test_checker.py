"""The check of exchanges turns red where it should: each test breaks a good exchange in one place."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, List

import pytest
from openapi_spec_validator import validate

from responders.drill.simulators.cyberark import CyberArkSimulator
from responders.drill.simulators.graph import GraphSimulator
from responders.drill.simulators.okta import OktaSimulator
from responders.drill.simulators.server import Logged, Simulator
from tests.specs.checker import beyond, spec_of, violations

pytest_plugins = ("pytester",)

_HEADERS = {"authorization": "Bearer ***", "content-type": "application/json"}
_USER = {"id": "00u1", "status": "ACTIVE", "created": "2026-01-01T00:00:00.000Z", "profile": {"login": "a@corp.example"}}


def exchange(method: str, path: str, **more: Any) -> Logged:
    """A good exchange, but for what is given."""
    empty = Logged(0.0, 1, method, path, {}, _HEADERS, None, 200, None, "app")
    return replace(empty, **more)


def told(simulator: Simulator, entry: Logged) -> List[str]:
    return [str(found) for found in violations(simulator, [entry])]


PATCH = exchange("PATCH", "/v1.0/users/u1", body={"accountEnabled": False}, status=204)
READ = exchange("GET", "/api/v1/users/00u1", answer=_USER)


def test_good_exchanges_pass() -> None:
    """The exchanges that the tests below break have no violation as they are."""
    assert told(GraphSimulator(), PATCH) == []
    assert told(OktaSimulator(), READ) == []


def test_a_wrong_type_in_a_request_body_is_red() -> None:
    """A text where Microsoft's schema has a boolean."""
    (found,) = told(GraphSimulator(), replace(PATCH, body={"accountEnabled": "no"}))
    assert "request of PATCH /users/{user-id}" in found and "accountEnabled" in found and "boolean" in found


def test_a_wrong_type_in_an_answer_is_red() -> None:
    """A number where Okta's schema has a text; a status that Okta does not have."""
    (found,) = told(OktaSimulator(), replace(READ, answer={**_USER, "id": 7}))
    assert "answer of GET /api/v1/users/{id}" in found and "string" in found
    assert told(OktaSimulator(), replace(READ, answer={**_USER, "status": "FROZEN"}))


@pytest.mark.parametrize(
    ("simulator", "entry", "text"),
    [
        (GraphSimulator, replace(PATCH, body={"acountEnabled": False}), "unknown property acountEnabled"),
        (GraphSimulator, replace(PATCH, body=None), "Missing required request body"),
        (GraphSimulator, replace(PATCH, headers={}), "Security"),
        (GraphSimulator, replace(PATCH, headers={"authorization": "SSWS ***"}), "Security"),
        (GraphSimulator, replace(PATCH, status=418), "418"),
        (GraphSimulator, exchange("PATCH", "/v1.0/user/u1"), "neither in the description nor in beyond.yaml"),
        (GraphSimulator, exchange("PUT", "/v1.0/users/u1"), "neither in the description nor in beyond.yaml"),
        (OktaSimulator, exchange("DELETE", "/api/v1/users/u/sessions", query={"oauthToken": "true"}, status=204),
         "unknown query parameter oauthToken"),
        (OktaSimulator, exchange("DELETE", "/api/v1/users/u/sessions", query={"oauthTokens": "maybe"}, status=204),
         "oauthTokens"),
        (OktaSimulator, exchange("POST", "/oauth2/v1/global-token-revocation", status=204,
                                 body={"subject": {"format": "opaque", "id": "u"}}), "sub_id"),
        (OktaSimulator, exchange("GET", "/api/v1/users/u/grants", answer=[{"id": "x"}]), "issuer"),
        (CyberArkSimulator, exchange("GET", "/PasswordVault/API/Users", answer={"Users": [{"id": "1", "username": "a"}]}),
         "integer"),
        (CyberArkSimulator, exchange("POST", "/PasswordVault/API/UserGroups/1/Members", body={"memberId": 5}, status=201,
                                     answer={"memberId": "a"}), "memberId"),
    ],
)  # fmt: skip
def test_is_red(simulator: Any, entry: Logged, text: str) -> None:
    """Misspelt names, missing bodies and credentials, unknown paths, statuses, parameters and fields, each is told."""
    found = told(simulator(), entry)
    assert found and any(text in line for line in found), found


def test_an_injected_fault_excuses_the_answer_and_not_the_request() -> None:
    """A 500 that a test put in is no violation; a bad body sent to it is."""
    broken = replace(PATCH, status=500, answer={"whatever": 1}, injected="status")
    assert told(GraphSimulator(), broken) == []
    assert told(GraphSimulator(), replace(broken, body={"accountEnabled": 1}))
    assert told(GraphSimulator(), replace(broken, injected=""))


@pytest.mark.parametrize("simulator", [OktaSimulator, GraphSimulator, CyberArkSimulator])
def test_every_route_is_described(simulator: Any) -> None:
    """No simulator serves an operation that is neither in its vendor's description nor, with a reason, in beyond.yaml."""
    spec = spec_of(simulator)
    assert spec is not None
    for method, pattern, _ in simulator()._routes:
        path = re.sub(r"\\(.)", r"\1", pattern.pattern.removesuffix("\\Z").replace("([^/]+)", "x"))
        path = path.removeprefix(spec.vendor.prefix)
        assert spec.template(method, path), f"{method} {path}"


@pytest.mark.parametrize("simulator", [OktaSimulator, GraphSimulator, CyberArkSimulator])
def test_the_descriptions_are_valid_openapi(simulator: Any) -> None:
    """Each, with what beyond.yaml adds, is a document that the OpenAPI 3.0 schema accepts: a typo would check nothing."""
    spec = spec_of(simulator)
    assert spec is not None
    validate(spec.document())


def test_every_exception_says_why() -> None:
    """Each entry of beyond.yaml has a reason and a source, and stands there once."""
    keys = [(more["vendor"], more["method"], more["path"]) for more in beyond()]
    assert len(set(keys)) == len(keys)
    for more in (*beyond(), *beyond("everywhere")):
        assert len(more["reason"]) > 20 and len(more["source"]) > 10, more


def test_a_simulator_of_no_vendor_is_left_alone() -> None:
    """A test's own small server is judged by nobody."""
    assert spec_of(Simulator) is None
    assert violations(Simulator(), [exchange("GET", "/anything")]) == []


def test_the_plugin_fails_a_test_whose_exchange_is_wrong(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that passes by itself ends in an error for its exchange, unless it says that it is off the description."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeconftest('pytest_plugins = ("tests.specs.plugin",)')
    pytester.makepyfile(
        """
        import pytest, requests
        from responders.drill.simulators.okta import OktaSimulator

        def call():
            with OktaSimulator() as okta, requests.Session() as session:
                session.trust_env = False
                assert session.get(okta.url + "/api/v1/typo").status_code == 404

        def test_wrong():
            call()

        @pytest.mark.off_spec("on purpose")
        def test_on_purpose():
            call()
        """
    )
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*okta: operation of GET /api/v1/typo: neither in the description*"])
