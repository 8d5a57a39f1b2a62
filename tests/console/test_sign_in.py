"""Signing in against a real Elasticsearch with security on: users, API keys, what they may do, what is told of them."""

from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Iterator, List, Tuple

import pytest

from responders.console.door import APPLICATION, Door, NoAnswer, WrongCredential
from responders.console.settings import console_settings
from responders.content.elastic.server import Server
from responders.drill.world import World
from responders.errors import Refused
from responders.settings import ElasticSettings, Secret
from responders.surfaces.service.config import SCHEMA
from tests.console.house import CONSOLE, House
from tests.service.front import Front

pytestmark = pytest.mark.engine("elasticsearch")
PASSWORD = "correct-horse-battery"


class Users:
    """Users of a real Elasticsearch, of this module's own."""

    def __init__(self, url: str) -> None:
        self.url, self.space = url, f"tq{secrets.token_hex(4)}"
        self.server = Server(url)
        self.made: List[str] = []

    def add(self, name: str, *roles: str) -> str:
        user = f"{self.space}-{name}"
        for role in roles:
            self.server.call("PUT", f"/_security/role/{role}", {"cluster": []})
        self.server.call("PUT", f"/_security/user/{user}", {"password": PASSWORD, "roles": list(roles)})
        self.made.append(f"/_security/user/{user}")
        return user

    def key(self, user: str, *privileges: str) -> str:
        """An API key of this user, encoded, with these privileges of the console."""
        application = {"application": APPLICATION, "privileges": list(privileges) or ["none:none"], "resources": ["*"]}
        role: Any = {"console-restorer": {"applications": [application]}}
        asked = {
            "grant_type": "password", "username": user, "password": PASSWORD,
            "api_key": {"name": f"{user}-key", "expiration": "1h", "role_descriptors": role},
        }  # fmt: skip
        return str(self.server.call("POST", "/_security/api_key/grant", asked)["encoded"])

    def close(self) -> None:
        self.server.call("DELETE", "/_security/api_key", {"name": f"{self.space}*"})
        for path in reversed(self.made):
            self.server.call("DELETE", path)
        self.server.__exit__(None, None, None)


@pytest.fixture(scope="module")
def users(elasticsearch_url: str) -> Iterator[Users]:
    found = Users(elasticsearch_url)
    try:
        yield found
    finally:
        found.close()


def door(url: str, **console: Any) -> Door:
    settings = console_settings({**CONSOLE, **console}, SCHEMA["properties"]["console"]["properties"], False)
    return Door(ElasticSettings((url,)), settings)


def test_a_user_has_the_console_roles_of_their_roles(users: Users, elasticsearch_url: str) -> None:
    """Roles of Elasticsearch, as the settings map them; a wrong password and a user that is not there are told alike."""
    user = users.add("nora", "soc-restorer", "soc-viewer")
    asked = door(elasticsearch_url)
    found = asked.ask(user, Secret(PASSWORD))
    assert (found.user, found.realm, found.how) == (user, "default_native", "realm")
    assert found.roles == {"restorer", "viewer"}
    told = set()
    for name, password in ((user, "wrong-password"), ("nobody-at-all", PASSWORD), (f"{user}:x", PASSWORD), (user, "")):
        with pytest.raises(WrongCredential) as error:
            asked.ask(name, Secret(password))
        told.add(str(error.value))
    assert len(told) == 1 and PASSWORD not in told.pop()
    asked.close()


def test_passwords_in_other_letters(users: Users, elasticsearch_url: str) -> None:
    """An umlaut, a sign of another script, a colon: as Elasticsearch knows them."""
    password = "Grüße:東京-🔑-x"
    user = f"{users.space}-zoe"
    path = f"/_security/user/{user}"
    asked = door(elasticsearch_url)
    users.server.call("PUT", path, {"password": password, "roles": ["soc-viewer"]})
    try:
        assert asked.ask(user, Secret(password)).user == user
        with pytest.raises(WrongCredential):
            asked.ask(user, Secret("Gr??e:??-?-x"))
    finally:
        users.server.call("DELETE", path)
        asked.close()


def test_an_api_key_may_what_its_privileges_say(users: Users, elasticsearch_url: str) -> None:
    """Elasticsearch lists no roles for a key. Its application privileges count; what its maker calls its roles does not."""
    user = users.add("omar", "soc-viewer")
    asked = door(elasticsearch_url)
    found = asked.ask("", Secret(users.key(user, "console:viewer", "console:restrict")))
    assert (found.user, found.how, found.realm) == (user, "api_key", "_es_api_key")
    assert found.roles == {"viewer", "restrict"}
    assert asked.ask("", Secret(users.key(user))).roles == frozenset()
    for key in ("", "x" * 40, "not base64 !", "é" * 30):
        with pytest.raises(WrongCredential):
            asked.ask("", Secret(key))
    asked.close()


def test_only_the_named_realms(users: Users, elasticsearch_url: str) -> None:
    """A user of the same name in another realm is somebody else; keys are a realm of their own."""
    user = users.add("pia", "soc-viewer")
    asked = door(elasticsearch_url, realms=["saml1"])
    with pytest.raises(Refused, match="realm default_native may not"):
        asked.ask(user, Secret(PASSWORD))
    with pytest.raises(Refused, match="realm _es_api_key may not"):
        asked.ask("", Secret(users.key(user, "console:viewer")))
    asked.close()


def test_an_elasticsearch_that_is_gone_or_breaks_lets_nobody_in(elasticsearch_url: str) -> None:
    """No answer, an error, an answer for nobody: told as what it is, and it is not held against the user."""
    with Front(elasticsearch_url) as front:
        asked = door(front.url)
        front.down.set()
        with pytest.raises(NoAnswer):
            asked.ask("nora", Secret(PASSWORD))
        front.down.clear()
        front.instead = lambda method, path: (503, b'{"error": "busy"}')
        with pytest.raises(NoAnswer, match="503"):
            asked.ask("nora", Secret(PASSWORD))
        asked.close()


def test_a_credential_follows_no_redirect() -> None:
    """Whoever answers in Elasticsearch's place can't send the password on to another."""
    seen: List[Tuple[int, str]] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((int(self.connection.getsockname()[1]), self.headers.get("Authorization", "")))
            self.send_response(307)
            for name, value in (("Location", target), ("X-Elastic-Product", "Elasticsearch"), ("Content-Length", "0")):
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as first, HTTPServer(("127.0.0.1", 0), Elsewhere) as second:
        target = f"http://127.0.0.1:{second.server_address[1]}/"
        for server in (first, second):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        asked = door(f"http://127.0.0.1:{first.server_address[1]}")
        with pytest.raises(NoAnswer, match="307"):
            asked.ask("nora", Secret(PASSWORD))
        asked.close()
        for server in (first, second):
            server.shutdown()
    assert [port for port, given in seen] == [first.server_address[1]] and seen[0][1].startswith("Basic ")


def test_nobody_comes_in_as_the_anonymous_user(elasticsearch_url: str) -> None:
    """Where Elasticsearch lets the unknown in as somebody, that is nobody here."""
    anonymous = {
        "username": "tester", "roles": ["soc-restorer"], "enabled": True, "authentication_type": "anonymous",
        "authentication_realm": {"name": "__anonymous", "type": "__anonymous"},
    }  # fmt: skip
    with Front(elasticsearch_url) as front:
        front.instead = lambda method, path: (200, json.dumps(anonymous).encode())
        assert front._server is not None  # the official client believes an answer only with Elastic's product header
        front._server.RequestHandlerClass.product = "Elasticsearch"  # type: ignore[attr-defined]
        asked = door(front.url)
        with pytest.raises(Refused, match="took it as anonymous"):
            asked.ask("nora", Secret(PASSWORD))
        asked.close()


def test_from_the_form_to_a_page(users: Users, elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A real user and a real key, each through the form; the password is in no log, journal or page."""
    user = users.add("ruth", "soc-viewer", "soc-restorer")
    with World(tmp_path_factory.mktemp("sign-in"), vault=False) as world:
        house = House(world, elasticsearch_url)
        house.office.inventory_row(
            "ruth", can_restore="true", accounts="okta:default:00uruth", aliases=f"elastic:default:{user}"
        )
        with house:
            key = users.key(user, "console:viewer")
            texts = []
            for form in ({"user": user, "credential": PASSWORD}, {"how": "api_key", "credential": key}):
                guest = house.guest()
                answer = guest.post("/console/sign-in", {**form, "next": "/console/halt"})
                assert (answer.status_code, answer.headers["Location"]) == (303, "/console/halt")
                page = guest.get("/console/halt")
                assert user in page.text and ("Halt automation" in page.text) == ("user" in form)
                texts.append(page.text)
            wrong = house.guest().post("/console/sign-in", {"user": user, "credential": "my-wrong-password"})
            assert wrong.status_code == 403 and "my-wrong-password" not in wrong.text
            journal = "".join(json.dumps(doc) for _, doc in house.service.responder().journal.store.scan("e/"))
            said = house.log.getvalue() + journal + "".join(texts)
            for secret in (PASSWORD, key, "my-wrong-password"):
                assert secret not in said
            assert [entry.body["user"] for entry in house.clicks()] == [user, user]
