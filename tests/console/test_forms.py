"""Whose form it is: host, origin, token, session, and how long a sign-in is believed."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MisdirectedRequest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from responders.console.door import Known, NoAnswer, WrongCredential
from responders.console.headers import address_of, own_origin
from responders.console.settings import REVOKE
from responders.settings import Secret
from tests.console.house import ORIGIN, Guest, House

HALT = {"do": "halt", "reason": "somebody else's idea"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "", "Sec-Fetch-Site": ""},
    ],
)
def test_a_form_of_another_site_does_nothing(house: House, headers: dict[str, str]) -> None:
    """With a live session and its token even: what the browser says of where the form came from decides."""
    guest = house.signed_in("restorer")
    before = len(house.clicks())
    assert guest.post("/console/halt", HALT, **headers).status_code == 403
    assert guest.post("/console/sign-in", {"user": "nora", "credential": "x"}, **headers).status_code == 403
    assert not house.service.responder().halted() and len(house.clicks()) == before


def test_a_form_without_the_sessions_token_does_nothing(house: House) -> None:
    """No token, a made-up one, a colleague's: refused, and not in the journal as a click."""
    guest, other = house.signed_in("restorer"), house.signed_in("restorer", user="omar")
    before = len(house.clicks())
    for token in ("", "x" * 43, other.csrf, "é"):
        guest.csrf = token
        answer = guest.post("/console/halt", HALT)
        assert answer.status_code == 403 and "not of your session" in answer.text
    assert not house.service.responder().halted() and len(house.clicks()) == before


def test_an_address_never_does_anything(house: House) -> None:
    """A link can't click: what acts is POST only, GET of the same address is another page or refused."""
    guest = house.signed_in("restorer", "revoke")
    for path in ("halt?do=halt&reason=x", "contain?do=contain&who=pia&tier=revoke&reason=x", "journal", "readiness"):
        assert guest.get(f"/console/{path}").status_code == 200
    assert guest.get("/console/sign-out").status_code == 405
    assert not house.service.responder().halted() and guest.get("/console/").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1:8766", "", "[::2]", "["])
def test_a_strange_host_is_no_console(house: House, host: str) -> None:
    """A name that an attacker points at this machine (DNS rebinding) reaches nothing, signed in or not."""
    guest = house.signed_in("restorer")
    answer = guest.client.get("/console/", base_url=ORIGIN, headers={"Host": host})
    assert answer.status_code == 421 and "Containments" not in answer.text
    assert guest.client.get("/console/sign-in", base_url=ORIGIN, headers={"Host": host}).status_code == 421


def test_behind_a_proxy_only_the_set_origin_counts(house: House) -> None:
    """With `origin` the host must be that one; the cookie is bound to https, and the proxy's last word is the address."""
    settings = replace(house.site.settings, origin="https://tq.corp.example")

    def request(**headers: str) -> Request:
        given = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7", **headers}
        return EnvironBuilder(headers=Headers(given), environ_base={"REMOTE_ADDR": "127.0.0.1"}).get_request(Request)

    assert own_origin(settings, request(Host="TQ.corp.example")) == "https://tq.corp.example"
    assert own_origin(settings, request(Host="tq.corp.example:443")) == "https://tq.corp.example"
    with pytest.raises(MisdirectedRequest):
        own_origin(settings, request(Host="127.0.0.1:8766"))
    assert address_of(settings, request()) == "192.0.2.7"
    assert address_of(house.site.settings, request()) == "127.0.0.1"


def test_a_link_from_elsewhere_reaches_its_page(house: House) -> None:
    """A strict cookie is not sent with the first request of a link in Kibana: the page asks for itself once more."""
    answer = house.guest().get("/console/contain?space=default&alert=abc", **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/console/contain?space=default&amp;alert=abc">' in answer.text


class Answers:
    """Elasticsearch's answer, where only what the console makes of it is tested; test_sign_in.py asks a real one."""

    def __init__(self, *roles: str, user: str = "nora") -> None:
        self.known = Known(user, "native", "realm", frozenset(roles))
        self.asked = 0

    def ask(self, user: str, secret: Secret) -> Known:
        self.asked += 1
        if secret.reveal() == "down":
            raise NoAnswer("Elasticsearch can't be asked now")
        if secret.reveal() != "right":
            raise WrongCredential("wrong")
        return self.known


def stale(house: House, patch: pytest.MonkeyPatch, *roles: str) -> Guest:
    """Somebody who signed in 1,000 seconds ago."""
    patch.setattr(house.site.sessions, "clock", time.monotonic)
    guest = house.signed_in(*roles)
    patch.setattr(house.site.sessions, "clock", lambda: time.monotonic() + 1000)
    return guest


def test_old_roles_are_read_again_before_anything_is_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of an hour after the sign-in a click asks for the password; with it, the same click goes on."""
    answers = Answers("restorer")
    monkeypatch.setattr(house.site, "door", answers)
    guest = stale(house, monkeypatch, "restorer")
    answer = guest.post("/console/halt", {"do": "halt", "reason": "a <b>drill</b>"})
    assert (
        answer.status_code == 401
        and 'value="a &lt;b&gt;drill&lt;/b&gt;"' in answer.text
        and 'name="credential"' in answer.text
    )
    assert not house.service.responder().halted()
    again = {"do": "halt", "reason": "a drill", "credential": "wrong"}
    assert guest.post("/console/halt", again).status_code == 401
    assert guest.post("/console/halt", {**again, "credential": "down"}).status_code == 401
    assert not house.service.responder().halted()
    try:
        assert guest.post("/console/halt", {**again, "credential": "right"}).status_code == 303
        assert "a drill" in house.service.responder().halted()
        asked = answers.asked
        assert guest.post("/console/halt", {"do": "resume", "reason": "over"}).status_code == 303
        assert answers.asked == asked
    finally:
        if house.service.responder().halted():
            house.service.responder().lift_halt("test", "test")
    assert "right" not in house.log.getvalue()


def test_a_role_that_was_taken_away_is_gone_by_then(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles are those that Elasticsearch names now; without any, or as somebody else, the session ends."""
    monkeypatch.setattr(house.site, "door", Answers("viewer"))
    guest = stale(house, monkeypatch, "restorer")
    answer = guest.post("/console/halt", {**HALT, "credential": "right"})
    assert answer.status_code == 403 and "lacks the console role restorer" in answer.text
    for answers in (Answers(), Answers("restorer", user="omar")):
        monkeypatch.setattr(house.site, "door", answers)
        guest = stale(house, monkeypatch, "restorer")
        answer = guest.post("/console/halt", {**HALT, "credential": "right"})
        assert answer.status_code == 401
        assert guest.get("/console/").status_code == 303
    assert not house.service.responder().halted()


def test_clicks_are_few(house: House) -> None:
    """More than 40 forms in a minute of one user are refused; a page still shows."""
    guest = house.signed_in("restrict", user="pia")
    asked = [guest.post("/console/contain", {"who": "pia", "tier": "nothing"}).text for _ in range(41)]
    assert "choose a tier" in asked[0] and "40 clicks" in asked[-1]
    assert guest.get("/console/").status_code == 200
    house.site.posts.forget("pia")


def test_a_long_form_is_refused(house: House) -> None:
    """A body over the route's limit is not read."""
    guest = house.signed_in(REVOKE)
    assert guest.post("/console/contain", {"who": "x" * 100_000, "tier": "restrict", "do": "preview"}).status_code == 413
