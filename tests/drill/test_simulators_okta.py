"""The simulated Okta org is hard to fool: what lives on at the vendor lives on here."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, Dict, Iterator

import pytest
import requests

from responders.drill.simulators.okta import OktaSimulator
from responders.drill.world import rsa_key
from responders.vendors.signing import rs256
from tests.drill.http import send

SCOPES = ("okta.users.read", "okta.users.manage", "okta.groups.manage", "okta.logs.read")
PEM, JWK = rsa_key()


class Org(SimpleNamespace):
    """A simulator, the responder's access token, a user and what the attacker holds."""

    okta: OktaSimulator
    token: str
    user: str

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return send(method, self.okta.url + path, headers={"Authorization": f"Bearer {self.token}"}, **more)

    def sign_in(self) -> requests.Response:
        return send("POST", f"{self.okta.url}/api/v1/authn", json={"username": "a@corp.example", "password": "pw"})

    def session_lives(self, sid: str) -> bool:
        return send("GET", f"{self.okta.url}/api/v1/sessions/me", headers={"Cookie": f"sid={sid}"}).status_code == 200

    def refresh(self, value: str) -> requests.Response:
        return send("POST", f"{self.okta.url}/oauth2/v1/token", data={"grant_type": "refresh_token", "refresh_token": value})

    def access_lives(self, value: str) -> bool:
        url = f"{self.okta.url}/oauth2/v1/userinfo"
        return send("GET", url, headers={"Authorization": f"Bearer {value}"}).status_code == 200


def assertion(okta: OktaSimulator, pem: str = PEM, **more: Any) -> Dict[str, str]:
    now = int(time.time())
    claims = {"iss": "app", "sub": "app", "aud": f"{okta.url}/oauth2/v1/token", "iat": now, "exp": now + 300, "jti": "1"}
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    signed = rs256(pem, {}, {**claims, **more.pop("claims", {})})
    form = {"grant_type": "client_credentials", "scope": " ".join(SCOPES), "client_assertion_type": kind}
    return {**form, "client_assertion": signed, **more}


@pytest.fixture
def org() -> Iterator[Org]:
    with OktaSimulator() as okta:
        okta.add_service("app", JWK, SCOPES)
        token = send("POST", f"{okta.url}/oauth2/v1/token", data=assertion(okta)).json()["access_token"]
        yield Org(okta=okta, token=token, user=okta.add_user("a@corp.example"))


# -- who may call -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        {"pem": rsa_key()[0]},
        {"claims": {"exp": int(time.time()) - 1}},
        {"claims": {"exp": int(time.time()) + 90000}},
        {"claims": {"aud": "https://elsewhere.example/oauth2/v1/token"}},
        {"claims": {"sub": "other"}},
        {"client_assertion": "not.a.jwt"},
    ],
    ids=["foreign key", "expired", "too long", "foreign audience", "foreign subject", "no jwt"],
)
def test_a_bad_assertion_gets_no_token(org: Org, bad: Dict[str, Any]) -> None:
    """Signature, lifetime, audience and subject of a client assertion are checked."""
    answer = send("POST", f"{org.okta.url}/oauth2/v1/token", data=assertion(org.okta, **{"claims": {"jti": "2"}, **bad}))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_an_assertion_is_good_once(org: Org) -> None:
    """A replayed jti is refused."""
    form = assertion(org.okta, claims={"jti": "3"})
    assert [send("POST", f"{org.okta.url}/oauth2/v1/token", data=form).status_code for _ in range(2)] == [200, 401]


def test_a_scope_that_was_not_granted_is_refused(org: Org) -> None:
    """No token for it, and no call with a token that lacks it."""
    form = assertion(org.okta, claims={"jti": "4"}, scope="okta.apps.manage")
    assert send("POST", f"{org.okta.url}/oauth2/v1/token", data=form).json()["error"] == "invalid_scope"
    assert org.call("GET", "/api/v1/apps/x").status_code == 403


def test_expired_and_foreign_tokens_are_refused(org: Org) -> None:
    """An hour later the token is dead; a user's own token never was an administrator's."""
    own = org.okta.add_token(org.user, "mobile", "access")
    path = f"/api/v1/users/{org.user}"
    assert org.call("GET", path).status_code == 200
    for header in (f"Bearer {own}", "Bearer made-up", "SSWS made-up", f"Basic {org.token}"):
        assert send("GET", org.okta.url + path, headers={"Authorization": header}).status_code == 401
    org.okta.clock = lambda: time.time() + 3601
    assert org.call("GET", path).status_code == 401


def test_an_api_token_has_its_owners_rights_and_outlives_his_suspension(org: Org) -> None:
    """403 while he is no administrator, 200 when he is one, still when he is suspended, and 401 once it is revoked."""
    value = org.okta.add_api_token(org.user)
    url, headers = f"{org.okta.url}/api/v1/users/{org.user}", {"Authorization": f"SSWS {value}"}
    assert send("GET", url, headers=headers).status_code == 403
    org.okta.add_role(org.user, "SUPER_ADMIN")
    assert send("GET", url, headers=headers).status_code == 200
    assert org.call("POST", f"/api/v1/users/{org.user}/lifecycle/suspend").status_code == 200
    assert send("GET", url, headers=headers).status_code == 200
    org.okta.state["api_tokens"].clear()
    assert send("GET", url, headers=headers).status_code == 401


# -- pages and lateness -----------------------------------------------------------------------------------


def test_lists_come_in_pages(org: Org) -> None:
    """The whole list is what the Link headers lead to; one page is not the list."""
    for number in range(5):
        org.okta.record("test.event", f"target-{number}")
    until = "2999-01-01T00:00:00.000Z"
    url, seen = f"/api/v1/logs?limit=2&until={until}", []
    while url:
        answer = org.call("GET", url)
        seen.append([event["target"][0]["id"] for event in answer.json()])
        url = answer.links.get("next", {}).get("url", "").removeprefix(org.okta.url)
    assert seen == [["target-0", "target-1"], ["target-2", "target-3"], ["target-4"]]


def test_a_log_without_an_end_has_no_last_page(org: Org) -> None:
    """Okta, "System Log query": a request without `until` polls, and its next link is there even when nothing is new."""
    answer = org.call("GET", "/api/v1/logs")
    again = org.call("GET", answer.links["next"]["url"].removeprefix(org.okta.url))
    assert again.json() == [] and "next" in again.links


def test_a_next_page_keeps_the_filter(org: Org) -> None:
    """What the first page leaves out, the second one does too."""
    for number in range(3):
        org.okta.record("test.wanted", f"target-{number}")
        org.okta.record("test.other", f"target-{number}")
    answer = org.call("GET", '/api/v1/logs?limit=2&filter=eventType eq "test.wanted"')
    second = org.call("GET", answer.links["next"]["url"].removeprefix(org.okta.url)).json()
    assert [event["eventType"] for event in second] == ["test.wanted"]


def test_the_log_says_who_changed_what(org: Org) -> None:
    """A change by a service is in the log with the service as the actor, and with everything it touched as targets."""
    group = org.okta.add_group("a group")
    org.call("PUT", f"/api/v1/groups/{group}/users/{org.user}")
    event = org.okta.state["log"][-1]
    assert event["eventType"] == "group.user_membership.add"
    assert [target["id"] for target in event["target"]] == [group, org.user]
    assert event["actor"]["id"] in org.okta.state["services"]


@pytest.mark.off_spec("a parameter of the wrong type")
def test_a_limit_that_is_no_number_is_refused(org: Org) -> None:
    """Neither taken for the default nor a crash."""
    assert org.call("GET", f"/api/v1/users/{org.user}/groups?limit=many").status_code == 400
    assert org.call("GET", f"/api/v1/users/{org.user}/groups?limit=0").status_code == 400


def test_the_system_log_is_late(org: Org) -> None:
    """An event is seen after the lag only: who proves by the log has to wait for it."""
    org.okta.log_lag = 30.0
    org.call("DELETE", f"/api/v1/users/{org.user}/sessions")
    query = f'/api/v1/logs?filter=eventType eq "user.session.clear" and target.id eq "{org.user}"'
    assert org.call("GET", query).json() == []
    org.okta.clock = lambda: time.time() + 31
    assert len(org.call("GET", query).json()) == 1


# -- what the attacker keeps ------------------------------------------------------------------------------


def test_cleared_sessions_leave_a_re_login_race(org: Org) -> None:
    """Who knows the password is back at once when only sessions were cleared; after a suspension he is not."""
    stolen = org.okta.add_session(org.user)
    org.call("DELETE", f"/api/v1/users/{org.user}/sessions?oauthTokens=true")
    assert not org.session_lives(stolen)
    again = org.sign_in().json()["sessionToken"]
    assert org.session_lives(again)
    org.call("POST", f"/api/v1/users/{org.user}/lifecycle/suspend")
    assert not org.session_lives(again)
    assert org.sign_in().status_code == 401


def test_sessions_cleared_without_oauth_tokens_leave_refresh_tokens(org: Org) -> None:
    """Mistake 2: without oauthTokens=true the refresh token goes on giving access tokens."""
    stolen = org.okta.add_token(org.user, "mobile")
    org.call("DELETE", f"/api/v1/users/{org.user}/sessions")
    assert org.refresh(stolen).status_code == 200
    org.call("DELETE", f"/api/v1/users/{org.user}/sessions?oauthTokens=true")
    assert org.refresh(stolen).status_code == 400


def test_an_access_token_outlives_a_suspended_user_until_it_expires(org: Org) -> None:
    """The refresh token is refused at once, the access token only when its hour is over."""
    refresh, access = org.okta.add_token(org.user, "mobile"), org.okta.add_token(org.user, "mobile", "access")
    org.call("POST", f"/api/v1/users/{org.user}/lifecycle/suspend")
    assert org.refresh(refresh).status_code == 400
    assert org.access_lives(access)
    org.okta.clock = lambda: time.time() + 3601
    assert not org.access_lives(access)


def test_a_quarantine_group_refuses_the_next_sign_in_only(org: Org) -> None:
    """Policies are evaluated when a session is made: what is open stays open until it is cleared."""
    stolen, refresh = org.okta.add_session(org.user), org.okta.add_token(org.user, "mobile")
    group = org.okta.add_group("quarantine", denies=True)
    assert org.call("PUT", f"/api/v1/groups/{group}/users/{org.user}").status_code == 204
    assert org.sign_in().status_code == 401
    assert org.session_lives(stolen)
    assert org.refresh(refresh).status_code == 200
    org.call("DELETE", f"/api/v1/users/{org.user}/sessions?oauthTokens=true")
    assert not org.session_lives(stolen)


@pytest.mark.parametrize("status", ["LOCKED_OUT", "PASSWORD_EXPIRED", "RECOVERY", "PROVISIONED", "STAGED"])
def test_only_an_active_user_can_be_suspended(org: Org, status: str) -> None:
    """Mistake 1: the 400 is no containment, and a user with an expired password still has his session."""
    user = org.okta.add_user("b@corp.example", status=status)
    stolen = org.okta.add_session(user)
    answer = org.call("POST", f"/api/v1/users/{user}/lifecycle/suspend")
    assert (answer.status_code, answer.json()["errorSummary"]) == (400, "Cannot suspend a user that is not active")
    assert org.session_lives(stolen) is (status in ("PASSWORD_EXPIRED", "RECOVERY"))


def test_a_directorys_user_is_not_unlocked_here(org: Org) -> None:
    """LOCKED_OUT in Active Directory can't be lifted in Okta, so that user can't be suspended."""
    user = org.okta.add_user("c@corp.example", status="LOCKED_OUT", provider="ACTIVE_DIRECTORY")
    assert org.call("POST", f"/api/v1/users/{user}/lifecycle/unlock").status_code == 403


def test_the_only_credential_of_a_client_stays(org: Org) -> None:
    """Okta refuses to deactivate a client's only secret."""
    org.okta.add_service("apps", JWK, ("okta.apps.manage",))
    form = assertion(org.okta, claims={"jti": "5", "iss": "apps", "sub": "apps"}, scope="okta.apps.manage")
    org.token = send("POST", f"{org.okta.url}/oauth2/v1/token", data=form).json()["access_token"]
    app = org.okta.add_app("robot")
    secret = org.okta.add_credential(app)
    path = f"/api/v1/apps/{app}/credentials/secrets/{secret}/lifecycle/deactivate"
    assert org.call("POST", path).status_code == 400
    org.okta.add_credential(app)
    assert org.call("POST", path).status_code == 200
