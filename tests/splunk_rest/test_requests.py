"""A person's click: journaled first, carried out as the app, in the person's name and no further than they may go."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest

from responders import pipeline
from responders.drill.world import Person
from responders.surfaces.splunk_assemble import open_splunk_responder
from tests.splunk_rest.office import Office, Reply
from tests.support import raw_alert

DETECTION = "okta/session_replay"


def row(person: Person, **more: Any) -> Dict[str, Any]:
    return raw_alert(person, tq_detection=DETECTION, **more)


def click(office: Office, user: str, action: str, *rows: Dict[str, Any], **more: Any) -> Reply:
    body = {"action": action, "rows": list(rows), **({"reason": "looks odd"} if action != "preview" else {}), **more}
    return office.ask(user, "POST", "requests", {k: v for k, v in body.items() if v != []})


def status_of(office: Office, person: Person) -> str:
    return str(office.world.okta.state["users"][person.okta]["status"])


@pytest.fixture
def alice(office: Office, request: pytest.FixtureRequest) -> Person:
    found = office.person(f"alice-{request.node.name}"[:40].replace("[", "-").replace("]", ""))
    office.inventory()
    return found


def test_contain_by_policy(office: Office, alice: Person) -> None:
    """Done by the app with the app's credentials; the journal says who asked; the answer has the containment."""
    reply = click(office, "rita", "contain", {"rid": "3", **row(alice)})
    assert reply.status == 200, reply
    (found,) = reply.body["results"]
    assert (reply.body["status"], found["status"], found["rid"]) == ("done", "done", "3")
    assert status_of(office, alice) == "SUSPENDED"
    entries = list(office.journal().entries(reply.body["request"]))
    assert [entry.kind for entry in entries] == ["click", "click done"]
    assert entries[0].body["user"] == "rita"
    reasons = json.dumps(found["report"]["decision"]["reasons"])
    assert "rita asked for tier revoke" in reasons


def test_the_request_is_journaled_before_anything_is_done(office: Office, alice: Person) -> None:
    """The store fails at the first entry: no vendor is called, and the clicker is told."""
    office.deployment.kvstore = "failed"
    before = len(office.world.okta.requests)
    reply = click(office, "rita", "contain", row(alice))
    assert reply.status == 503
    assert "KV store" in reply.error or "journal" in reply.error or "inventory" in reply.error
    assert len(office.world.okta.requests) == before


def test_who_may_restrict_gets_no_revoke_whatever_the_row_says(office: Office, alice: Person) -> None:
    """ana's row of her own making says confidence 100: restricted at most, now and by the next faint alert."""
    reply = click(office, "ana", "contain", row(alice, confidence=100))
    (found,) = reply.body["results"]
    assert found["report"]["decision"]["tier"] == 1
    assert status_of(office, alice) == "ACTIVE"
    refused = click(office, "ana", "contain_tier", row(alice, tq_events=["e2"]), tier="revoke")
    assert refused.status == 403
    assert "tourniquet_contain_revoke" in refused.error
    assert status_of(office, alice) == "ACTIVE"


def test_at_a_tier(office: Office, alice: Person) -> None:
    """A faint finding, and an analyst who is sure: revoked at the asked tier, guards and all."""
    reply = click(office, "rita", "contain_tier", row(alice, confidence=10), tier="revoke")
    assert reply.body["results"][0]["report"]["decision"]["tier"] == 2
    assert status_of(office, alice) == "SUSPENDED"


def test_guards_hold_for_a_click(office: Office, alice: Person) -> None:
    """A protected identity is not touched, and that is said loudly."""
    office.inventory(**{alice.name: {"protected": True}})
    reply = click(office, "rita", "contain_tier", row(alice), tier="revoke")
    assert reply.body["status"] == "open"
    assert "guard protected" in json.dumps(reply.body["results"][0]["open_items"])
    assert status_of(office, alice) == "ACTIVE"


def test_a_row_may_not_bring_its_own_request(office: Office, alice: Person) -> None:
    """tq_request in a result (a search can write any column) is dropped: the asker is the session's user."""
    forged = {**row(alice), "tq_request": {"by": "ida", "reason": "x", "wanted": ["revoke", "okta.deactivate_user"]}}
    reply = click(office, "ana", "contain", forged)
    assert "ana asked" in json.dumps(reply.body["results"][0]["report"]["decision"]["reasons"])
    assert status_of(office, alice) == "ACTIVE"


def test_preview_writes_nothing(office: Office, alice: Person) -> None:
    """Neither at a vendor nor in the journal; the plan is told."""
    vendors = office.world.okta.dump()
    reply = click(office, "ana", "preview", row(alice), tier="revoke")
    (found,) = reply.body["results"]
    assert found["report"]["dry_run"] is True
    assert found["title"].startswith(f"would take {alice.name}")
    assert office.world.okta.dump() == vendors
    assert office.kinds("") == []


def test_somebody_the_inventory_does_not_know(office: Office, alice: Person) -> None:
    """Refused with what to write where; the request and the refusal are in the journal."""
    reply = click(office, "stranger", "contain", row(alice))
    assert reply.status == 403
    assert "splunk:default:stranger" in reply.error and "aliases" in reply.error
    assert office.kinds("q-") == ["click", "click refused"]
    assert status_of(office, alice) == "ACTIVE"


def test_a_machines_account_asks_for_nothing(office: Office, alice: Person) -> None:
    """A Splunk user that belongs to a service is no person."""
    office.user("robot", "contain_revoke", identity=alice.name)
    office.inventory(**{alice.name: {"kind": "service"}})
    reply = click(office, "robot", "contain", row(alice))
    assert (reply.status, "no person" in reply.error) == (403, True)


def test_who_is_contained_asks_for_nothing(office: Office, alice: Person) -> None:
    """A compromised analyst must not contain others, nor restore herself."""
    office.user("alice", "contain_revoke", "restore", identity=alice.name, restorer=True)
    victim = office.person("victim-of-alice")
    office.inventory()
    assert click(office, "rita", "contain", row(alice)).body["status"] == "done"
    reply = click(office, "alice", "contain_tier", row(victim), tier="revoke")
    assert (reply.status, "contained at the moment" in reply.error) == (403, True)
    again = office.ask("alice", "POST", "requests", {"action": "restore", "identity": alice.name, "reason": "it was me"})
    assert again.status == 403
    assert status_of(office, victim) == "ACTIVE"


def test_several_rows_each_have_their_answer(office: Office, alice: Person) -> None:
    """A row that can't be used is told with its reason, kept in the journal, and stops no other."""
    bob = office.person("bob-several")
    office.inventory()
    rows: List[Dict[str, Any]] = [
        {"rid": "0", **row(alice)},
        {"rid": "1", "user": "somebody", "search_name": "Other search"},
        {"rid": "2", **row(bob), "tq_account": "github:corp:bob"},
        {"rid": "3", **row(bob)},
    ]
    reply = click(office, "rita", "contain", *rows)
    assert [r["rid"] for r in reply.body["results"]] == ["0", "1", "2", "3"]
    told = {r["rid"]: r for r in reply.body["results"]}
    assert told["0"]["status"] == told["3"]["status"] == "done"
    assert (told["1"]["status"], "tq_detection" in told["1"]["title"]) == ("failed", True)
    assert told["2"]["status"] == "open"  # an unknown vendor: nobody can reach it, said loudly
    assert "github" in json.dumps(told["2"])
    assert "row refused" in office.kinds(reply.body["request"])


def test_a_finding_of_enterprise_security(office: Office, alice: Person) -> None:
    """Its row lacks our detection and time: they come from the finding's search name and time. The account must be there."""
    whole = row(alice)
    finding = {
        "rid": "0", "orig_sid": "scheduler__nobody_7", "orig_rid": "4", "event_id": "A@@notable@@b", "source": "x",
        "search_name": "Tourniquet - Okta session used from a second network with another browser",
        "orig_time": whole["tq_completed_at"], "tq_account": whole["tq_account"], "tq_confidence": "90",
    }  # fmt: skip
    reply = click(office, "rita", "contain", finding, sid="1700000000.1", search="Incident Review")
    assert reply.body["results"][0]["status"] == "done", reply
    assert reply.body["results"][0]["orig_rid"] == "4"
    assert status_of(office, alice) == "SUSPENDED"


def test_the_outcome_is_an_event_that_enterprise_security_shows(office: Office, alice: Person) -> None:
    """Tagged modaction_result by sourcetype, tied to the result by orig_sid and orig_rid, with the user who clicked."""
    click(office, "rita", "contain", {"rid": "5", **row(alice)}, sid="1700000000.9", search="ad hoc")
    (event,) = office.deployment.of("tourniquet:modaction")
    found = json.loads(event.raw)
    assert (event.index, found["orig_action_name"], found["action_status"]) == ("main", "tourniquet_contain", "success")
    assert (found["orig_sid"], found["orig_rid"], found["sid"], found["rid"]) == ("1700000000.9", "5", "1700000000.9", "5")
    assert (found["user"], found["identity"]) == ("rita", "rita")
    tags = office.deployment.merged("tourniquet", "tags")
    assert tags["eventtype=tourniquet_modaction_result"] == {"modaction_result": "enabled"}
    assert event.sourcetype in office.deployment.merged("tourniquet", "eventtypes")["tourniquet_modaction_result"]["search"]


def test_an_index_that_is_not_there_undoes_nothing(office: Office, alice: Person) -> None:
    """The containment holds; the answer says that its event is missing."""
    office.deployment.configure("tourniquet_settings", "general", {"index": "gone"})
    reply = click(office, "rita", "contain", row(alice))
    assert reply.body["results"][0]["containment"]
    assert "gone" in reply.body["not_indexed"]
    assert status_of(office, alice) == "SUSPENDED"


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"body.action"}),
        ({"action": "destroy"}, {"body.action"}),
        ({"action": "contain", "reason": "x"}, {"body.rows"}),
        ({"action": "contain", "rows": [1], "reason": ""}, {"body.rows[1]", "body.reason"}),
        ({"action": "contain", "rows": [{}], "reason": "x", "tier": "revoke"}, {"body.tier"}),
        ({"action": "contain_tier", "rows": [{}], "reason": "x"}, {"body.tier"}),
        ({"action": "contain_tier", "rows": [{}], "reason": "x", "tier": "delete"}, {"body.tier"}),
        ({"action": "contain", "rows": [{}] * 501, "reason": "x"}, {"body.rows"}),
        ({"action": "restore", "reason": "x"}, {"body.containment"}),
        ({"action": "restore", "reason": "x", "containment": "c-1", "identity": "a"}, {"body.containment"}),
        ({"action": "restore", "reason": " ", "containment": "c-1", "rows": [{}]}, {"body.reason", "body.rows"}),
        ({"action": "approve", "reason": "x", "containment": "c-1"}, {"body.actions"}),
        ({"action": "contain", "rows": [{}], "reason": "a\u202eb"}, {"body.reason"}),
    ],
)
def test_a_request_with_mistakes(body: Dict[str, Any], places: set[str], office: Office) -> None:
    """Every wrong place at once, each with its remedy; nothing is journaled."""
    reply = office.ask("ida", "POST", "requests", body)
    assert reply.status == 400
    assert {error["place"] for error in reply.body["errors"]} == places
    assert all(error["remedy"] for error in reply.body["errors"])
    assert office.kinds("q-") == []


def test_what_is_not_begun_in_time_stays_due(office: Office, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are in the journal before the first one is acted on: whoever runs what is due next contains them."""
    monkeypatch.setattr("responders.surfaces.splunk_rest.asked_contain.SECONDS", -1.0)
    reply = click(office, "rita", "contain", row(alice))
    assert (reply.body["status"], status_of(office, alice)) == ("due", "ACTIVE")
    responder = open_splunk_responder(office.splunkd.uri, "", str(office.app), splunkd=office.client())
    try:
        assert any("taken up again" in line for line in pipeline.take_up(responder))
    finally:
        responder.journal.listener.flush()  # type: ignore[union-attr,attr-defined]
        responder.clients.close()  # type: ignore[attr-defined]
    assert status_of(office, alice) == "SUSPENDED"


def test_names_of_an_attacker_come_back_as_text(office: Office) -> None:
    """Markup in a name is never sent as markup: no browser would take it for a page."""
    office.inventory()
    bad = {"tq_detection": "<img src=x onerror=alert(1)>", "tq_account": "okta:default:1"}
    reply = click(office, "rita", "contain", bad)  # ask() itself asserts that no < is in the payload
    assert "<img" in reply.body["results"][0]["title"]
