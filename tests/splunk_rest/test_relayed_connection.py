"""A connection through a relay: its name and key are kept, and nothing that signs in at the vendor."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from tests.splunk_rest.office import Office, Reply
from tests.splunk_rest.test_connections import conf, make, password

KEY = "0123456789abcdef" * 4
RELAYED: Dict[str, Any] = {"vendor": "vault", "tenant": "prod", "relay": "dc1", "credential": "relay_key", "secret": KEY}


def made(office: Office, **more: Any) -> Reply:
    return office.ask("carl", "POST", "connections", {**RELAYED, **more})


def test_it_is_made_of_a_name_and_a_key(office: Office) -> None:
    """No address, no sign-in; the key is a secret like any other."""
    reply = made(office, settings={"list_accessors": "no"})
    assert reply.status == 200, reply
    shown = reply.body["connection"]
    assert (shown["relay"], shown["url"], shown["credential"], shown["secret_stored"]) == ("dc1", "", "relay_key", True)
    assert password(office, "vault_prod.relay_key") == KEY
    assert conf(office, "vault_prod")["settings.list_accessors"] == "no"


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"url": "https://vault.corp.example"}, "body.url"),
        ({"role_id": "r"}, "body.role_id"),
        ({"proxy": "http://proxy:8080"}, "body.proxy"),
        ({"privileged": {"credential": "token", "secret": "x"}}, "body.privileged"),
        ({"credential": "secret_id"}, "body.credential"),
        ({"secret": ""}, "body.secret"),
        ({"secret": "short"}, "relay_key"),
        ({"relay": "../dc1"}, "relay"),
        ({"vendor": "okta"}, "relay"),
    ],
)
def test_what_does_not_go_with_it(more: Dict[str, Any], place: str, office: Office) -> None:
    """What belongs into the relay's settings, a key too short, a vendor that is not on the premises."""
    reply = made(office, **more)
    assert reply.status == 400, reply
    assert any(place in error["place"] for error in reply.body["errors"]), reply.body


def test_the_vendors_secret_is_forgotten_when_a_relay_takes_over(office: Office) -> None:
    """A connection that called the vendor itself keeps neither its address nor its credential; and back again."""
    assert make(office).status == 200
    change = {"relay": "dc1", "credential": "relay_key"}
    assert office.ask("carl", "POST", "connections/vault_prod", change).status == 400, "without the key"
    assert office.ask("carl", "POST", "connections/vault_prod", {**change, "secret": KEY}).status == 200
    assert not password(office, "vault_prod.secret_id") and password(office, "vault_prod.relay_key") == KEY
    assert not conf(office, "vault_prod")["url"] and not conf(office, "vault_prod")["role_id"]
    back = {"relay": "", "url": "https://vault.corp.example:8200", "credential": "token", "secret": "a-token"}
    assert office.ask("carl", "POST", "connections/vault_prod", {**back, "secret": ""}).status == 400
    assert office.ask("carl", "POST", "connections/vault_prod", back).status == 200
    assert not password(office, "vault_prod.relay_key") and password(office, "vault_prod.token") == "a-token"


def test_another_relay_needs_the_key_again(office: Office) -> None:
    """Whoever may edit a connection must not hand signed requests to a relay of his own choice without knowing the key."""
    made(office)
    assert office.ask("carl", "POST", "connections/vault_prod", {"relay": "dc2"}).status == 400
    assert office.ask("carl", "POST", "connections/vault_prod", {"relay": "dc2", "secret": KEY}).status == 200
    assert office.ask("carl", "POST", "connections/vault_prod", {"disabled": True}).status == 200
    assert conf(office, "vault_prod")["relay"] == "dc2"
