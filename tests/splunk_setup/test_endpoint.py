"""The endpoints that only the setup page asks: what is missing, the due input, a test message, the end of the set-up."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from responders.drill.world import World
from responders.surfaces.splunk_rest.setting_up import CHECK, DUE
from tests.splunk_rest.office import Office
from tests.vendors.servers import Server, always, answer, certificates


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world"), vault=False) as found:
        yield found


@pytest.fixture
def office(world: World, tmp_path: Path) -> Iterator[Office]:
    found = Office(world, tmp_path)
    found.user("carl", "view_journal", "configure")
    found.user("ida", "view_journal", "restore", identity="ida", restorer=True)
    yield found
    found.close()


def test_before_anything_is_set_up_it_says_what_is_missing(office: Office) -> None:
    """No key, no inventory: still an answer, with the caller's own capabilities and the first obstacle as a sentence."""
    found = office.ask("carl", "GET", "setup").body
    assert found["user"] == "carl"
    assert found["capabilities"] == ["tourniquet_configure", "tourniquet_view_journal"]
    assert (found["configured"], found["due_input"], found["accounts"]) == (False, False, False)
    assert "journal_key" in found["problem"]


def test_who_is_a_person_of_the_inventory_is_told_so(office: Office) -> None:
    """Policy and halt want that: the page says beforehand whose session is nobody's."""
    office.connect()
    office.inventory()
    assert office.ask("ida", "GET", "setup").body["identity"] == "ida"
    found = office.ask("carl", "GET", "setup").body
    assert "splunk:default:carl" in found["problem"]
    assert found["restorers"] == 1


def test_the_due_input_is_switched_and_read_anew(office: Office) -> None:
    """In local/inputs.conf, the one stanza of ours; splunkd reads it at once."""
    office.connect()
    assert office.ask("carl", "POST", "setup", {"due_input": True}).body["due_input"] is True
    assert office.deployment.merged("tourniquet", "inputs")[DUE]["disabled"] == "0"
    assert office.ask("carl", "POST", "setup", {"due_input": False}).body["due_input"] is False
    assert office.deployment.reloaded == ["data/inputs/script"] * 2


def test_the_check_of_the_vendors_is_switched_by_itself(office: Office) -> None:
    """Its stanza, and no other; whether it is on is told."""
    office.connect()
    assert office.ask("carl", "GET", "setup").body["vendor_check"] is False
    found = office.ask("carl", "POST", "setup", {"vendor_check": True}).body
    assert (found["vendor_check"], found["due_input"]) == (True, False)
    assert office.deployment.merged("tourniquet", "inputs")[CHECK]["disabled"] == "0"
    assert office.ask("carl", "POST", "setup", {"vendor_check": False}).body["vendor_check"] is False


def test_people_are_told_when_due_work_is_switched_off(office: Office, tmp_path: Path) -> None:
    """Who has somebody's session would like rechecks to end quietly."""
    office.connect()
    tls = certificates(tmp_path)
    with Server(always(answer(b"ok")), tls.signed) as soc:
        channel = {"name": "soc", "type": "webhook", "url": f"{soc.url}/x", "ca_pem": Path(tls.ca).read_text()}
        assert office.ask("carl", "POST", "settings", {"escalation": [channel]}).status == 200
        office.ask("carl", "POST", "setup", {"due_input": True})
        before = len(soc.heads)
        office.ask("carl", "POST", "setup", {"due_input": False})
        (told,) = soc.heads[before:]
        assert b"tourniquet_due was switched off" in told
        assert b"Splunk user carl" in told


def test_the_end_of_the_set_up_is_marked_and_journaled(office: Office) -> None:
    """Splunk leads to the setup page until then. Nobody without the capability ends it."""
    office.connect()
    assert office.ask("ida", "POST", "setup", {"configured": True}).status == 403
    assert office.ask("carl", "POST", "setup", {"configured": True}).body["configured"] is True
    assert office.deployment.merged("tourniquet", "app")["install"]["is_configured"] == "1"
    assert office.deployment.reloaded == ["apps/local/tourniquet"]
    assert [e.body["what"] for e in office.audit()] == ["set-up"]


def test_nothing_to_change_is_refused(office: Office) -> None:
    """An empty body, and a word in place of true."""
    assert office.ask("carl", "POST", "setup", {}).status == 400
    assert office.ask("carl", "POST", "setup", {"configured": "yes"}).body["errors"][0]["place"] == "body.configured"


def test_a_test_message_says_whether_it_arrived(office: Office) -> None:
    """A channel that nobody listens at: the sentence why, without its URL. One that is not stored is not found."""
    office.connect()
    url = "https://127.0.0.1:1/secret-path"
    assert (
        office.ask("carl", "POST", "settings", {"escalation": [{"name": "soc", "type": "webhook", "url": url}]}).status
        == 200
    )
    reply = office.ask("carl", "POST", "settings/test_escalation", {"name": "soc"})
    assert (reply.status, reply.body["sent"]) == (200, False)
    assert reply.body["failed"]
    assert "secret-path" not in str(reply.body)
    assert office.ask("carl", "POST", "settings/test_escalation", {"name": "other"}).status == 404
