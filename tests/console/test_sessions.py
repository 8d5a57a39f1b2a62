"""Sessions, their cookie, and how often anything may be tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from responders.console.door import Known, WrongCredential
from responders.console.limits import Gate, Tries
from responders.console.sessions import MOST, MOST_OF_ONE, Sessions
from responders.console.settings import console_roles, console_settings
from responders.settings import Secret
from responders.surfaces.service.config import SCHEMA
from tests.console.house import CONSOLE, House

ROLE = frozenset({"viewer"})


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_ends_when_idle_and_in_any_case() -> None:
    """Used, it lives on; half an hour without a click ends it, and eight hours end it whatever is clicked."""
    clock = Clock()
    sessions = Sessions(1800, 28800, clock)
    cookie, session = sessions.begin("nora", "nora", ROLE, "realm")
    clock.now += 1800
    assert sessions.find(cookie) is not None
    clock.now += 1801
    assert sessions.find(cookie) is None and len(sessions) == 0
    cookie, session = sessions.begin("nora", "nora", ROLE, "realm")
    for _ in range(16):
        clock.now += 1795
        assert sessions.find(cookie) is not None
    clock.now += 100
    assert sessions.find(cookie) is None


def test_what_a_page_asks_by_itself_does_not_keep_a_session_alive() -> None:
    """A live page that nobody looks at is idle."""
    clock = Clock()
    sessions = Sessions(1800, 28800, clock)
    cookie, session = sessions.begin("nora", "nora", ROLE, "realm")
    clock.now += 1000
    assert sessions.find(cookie, touch=False) is not None and sessions.again(session.name) is not None
    clock.now += 1000
    assert sessions.find(cookie, touch=False) is None


def test_sessions_are_few_and_none_is_known_by_what_is_stored() -> None:
    """The oldest gives way, of one user and of all; the store holds no cookie, and its words no token."""
    sessions = Sessions(1800, 28800, Clock())
    cookies = [sessions.begin("nora", "nora", ROLE, "realm")[0] for _ in range(MOST_OF_ONE + 2)]
    assert [sessions.find(cookie) is not None for cookie in cookies] == [False, False] + [True] * MOST_OF_ONE
    made = [sessions.begin(f"user{number}", "x", ROLE, "realm") for number in range(MOST + 10)]
    assert len(sessions) == MOST and sessions.find(made[-1][0]) is not None and sessions.find(cookies[-1]) is None
    cookie, session = made[-1]
    assert cookie not in repr(session) and session.csrf not in repr(session) and cookie.encode() not in session.name
    assert sessions.find("") is None and sessions.find("é" * 5000) is None


def test_tries_are_counted_in_a_window_and_in_little_memory() -> None:
    """Five in a window; a new window is free again; a flood of keys does not grow the memory."""
    clock = Clock()
    tries = Tries(5, 300, size=100, clock=clock)
    for number in range(5):
        assert tries.wait("a") == 0
        tries.count("a")
        clock.now += number
    assert tries.wait("a") == pytest.approx(290)
    assert tries.wait("b") == 0
    clock.now += 300
    assert tries.wait("a") == 0
    for number in range(5000):
        tries.count(str(number))
    assert len(tries) == 100


def test_who_guesses_from_elsewhere_does_not_lock_a_user_out() -> None:
    """A user's limit over all addresses holds for strangers; where they signed in before they still can."""
    gate = Gate(Clock())
    gate.right("nora", "192.0.2.1")
    for number in range(60):
        assert gate.wait("nora", f"203.0.113.{number}") == 0
        gate.begin("nora", f"203.0.113.{number}")
    assert gate.wait("nora", "203.0.113.200") > 0 and gate.wait("nora", "192.0.2.1") == 0
    for number in range(30):
        gate.begin(f"user{number}", "198.51.100.1")
    assert gate.wait("anybody", "198.51.100.1") > 0
    for _ in range(20):
        gate.begin("omar", "192.0.2.9")
        gate.void("omar", "192.0.2.9")
    assert gate.wait("omar", "192.0.2.9") == 0


class Answers:
    """Elasticsearch's answer, where only the console's part of a sign-in is tested; test_sign_in.py asks a real one."""

    def __init__(self, *roles: str) -> None:
        self.roles, self.given = frozenset(roles), [("", "")]

    def ask(self, user: str, secret: Secret) -> Known:
        self.given.append((user, secret.reveal()))
        if secret.reveal() != "right":
            raise WrongCredential("Elasticsearch does not know this user")
        return Known(user or "nora", "native", "realm" if user else "api_key", self.roles)


@pytest.fixture
def answers(house: House, monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = Answers("viewer", "restorer")
    monkeypatch.setattr(house.site, "door", found)
    monkeypatch.setattr(house.site, "gate", Gate())
    return found


def test_signing_in_and_out(house: House, answers: Answers) -> None:
    """The cookie is strict, unreadable to scripts, new with each sign-in; signed out, it opens nothing any more."""
    guest = house.guest()
    guest.client.set_cookie(house.site.cookie, "chosen-by-an-attacker", domain="localhost")
    form = {"user": "nora", "credential": "right", "next": "/console/policy"}
    answer = guest.post("/console/sign-in", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/policy")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie and "Domain" not in cookie
    assert "chosen-by" not in cookie
    first = guest.client.get_cookie(house.site.cookie, domain="localhost")
    guest.post("/console/sign-in", form)
    second = guest.client.get_cookie(house.site.cookie, domain="localhost")
    assert first is not None and second is not None and first.value != second.value
    assert house.site.sessions.find(first.value) is None
    session = house.site.sessions.find(second.value)
    assert session is not None and session.identity == "nora" and session.roles == {"viewer", "restorer"}
    guest.csrf = session.csrf
    answer = guest.post("/console/sign-out")
    assert answer.headers["Location"] == "/console/sign-in" and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert house.site.sessions.find(second.value) is None
    assert [e.body["user"] for e in house.clicks() if e.body["what"] == "sign in"][-1] == "nora"
    assert "right" not in house.log.getvalue()


def test_behind_https_the_cookie_is_bound_to_host_and_https(
    house: House, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`__Host-` with Secure; strict transport is told with every page."""
    monkeypatch.setattr(house.site, "settings", replace(house.site.settings, origin="https://tq.corp.example"))
    answer = house.guest().client.post(
        "/console/sign-in", base_url="https://tq.corp.example", data={"user": "nora", "credential": "right"},
        headers={"Origin": "https://tq.corp.example"},
    )  # fmt: skip
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-tourniquet=") and "; Secure" in cookie and "Strict-Transport-Security" in answer.headers


def test_wrong_credentials_are_few_and_stay_out_of_the_journal(house: House, answers: Answers) -> None:
    """The sixth try of a user from an address is not even sent; strangers can't fill the journal."""
    before = len(house.clicks())
    guest = house.guest()
    texts = [guest.post("/console/sign-in", {"user": "nora", "credential": "wrong"}).text for _ in range(6)]
    assert "does not know this user" in texts[4] and "too many wrong sign-ins" in texts[5]
    assert len(answers.given) == 6 and len(house.clicks()) == before
    assert guest.post("/console/sign-in", {"user": "omar", "credential": "right"}).status_code == 303


def test_who_guesses_from_the_same_address_keeps_nobody_from_acting_who_is_signed_in(
    house: House, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An office shares one address. A session has its own few tries at the password that is asked for again."""
    guest = house.guest()
    guest.post("/console/sign-in", {"user": "nora", "credential": "right"})
    cookie = guest.client.get_cookie(house.site.cookie, domain="localhost")
    session = house.site.sessions.find(cookie.value if cookie is not None else "")
    assert session is not None
    guest.csrf = session.csrf
    stranger = house.guest()
    for number in range(80):
        stranger.post("/console/sign-in", {"user": "nora" if number % 2 else f"u{number}", "credential": "guess"})
    assert "too many wrong" in stranger.post("/console/sign-in", {"user": "omar", "credential": "right"}).text
    monkeypatch.setattr(house.site, "settings", replace(house.site.settings, confirm=-1.0))
    form = {"do": "halt", "reason": "a drill"}
    try:
        assert guest.post("/console/halt", {**form, "credential": "right"}).status_code == 303
    finally:
        guest.post("/console/halt", {**form, "do": "resume", "credential": "right"})
    texts = [guest.post("/console/halt", {**form, "credential": "guess"}).text for _ in range(6)]
    assert "does not know this user" in texts[4] and "too many wrong sign-ins" in texts[5]


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/console//evil.example", "/\\evil.example", "/console/\\evil",
     "javascript:x", "/console/sign-out", "/console/x\r\nSet-Cookie: a=b", "/metrics"],
)  # fmt: skip
def test_a_sign_in_leads_to_no_other_place(house: House, answers: Answers, wanted: str) -> None:
    """What the form says of where to go on is a page of the console, or nothing."""
    answer = house.guest().post("/console/sign-in", {"user": "nora", "credential": "right", "next": wanted})
    assert answer.headers["Location"] == "/console/"


def test_who_has_no_role_or_is_nobody_in_the_inventory_stays_out(house: House, answers: Answers) -> None:
    """Known to Elasticsearch is not enough; the page says what is missing."""
    answer = house.guest().post("/console/sign-in", {"user": "stranger", "credential": "right"})
    assert answer.status_code == 403 and "elastic:default:stranger" in answer.text and "Set-Cookie" not in answer.headers
    answers.roles = frozenset()
    answer = house.guest().post("/console/sign-in", {"user": "nora", "credential": "right"})
    assert answer.status_code == 403 and "has no role of the console" in answer.text
    house.office.inventory_row(
        "svc-deploy", kind="service", accounts="okta:default:0oadeploy", aliases="elastic:default:deploy"
    )
    house.service.reload()
    answers.roles = ROLE
    answer = house.guest().post("/console/sign-in", {"user": "deploy", "credential": "right"})
    assert answer.status_code == 403 and "is no person" in answer.text


def test_roles_of_elasticsearch_become_console_roles() -> None:
    """Exactly as the settings map them; a role that they don't name gives nothing."""
    defaults = SCHEMA["properties"]["console"]["properties"]
    given = {"roles": {"restorer": ["a", "b"], "viewer": ["b"]}}
    settings = console_settings(given, defaults, False)
    assert console_roles(settings, ["b", "superuser"]) == {"restorer", "viewer"}
    assert console_roles(settings, ["A", "superuser"]) == frozenset()


@pytest.mark.parametrize("origin", ["http://tq.corp.example", "https://tq.corp.example/console", "https://"])
def test_an_origin_that_would_not_do_is_refused(origin: str) -> None:
    """Cookies go over https only, but for this machine itself."""
    with pytest.raises(ValueError, match=r"origin|clear|missing"):
        console_settings({**CONSOLE, "origin": origin}, SCHEMA["properties"]["console"]["properties"], False)


def test_with_tls_of_its_own_the_origin_must_be_said() -> None:
    """Else any Host would have to be believed."""
    with pytest.raises(ValueError, match="is missing"):
        console_settings(CONSOLE, SCHEMA["properties"]["console"]["properties"], True)
