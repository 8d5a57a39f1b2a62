"""The adaptive response actions, with each form of payload: their process has the analyst's session and no other right."""

from __future__ import annotations

import io
import json
import re
from typing import Any, Dict, List

import pytest

from responders.drill.world import Person
from responders.surfaces import splunk_alert, splunk_request
from tests.splunk_rest.office import Office
from tests.splunk_rest.test_requests import row, status_of


@pytest.fixture
def alice(office: Office, request: pytest.FixtureRequest) -> Person:
    found = office.person(f"a-{request.node.name}"[:40].replace("[", "-").replace("]", ""))
    office.inventory()
    return found


def run(office: Office, action: str, payload: bytes) -> int:
    return splunk_request.main(["--execute"], io.BytesIO(payload), str(office.app), action)


def fields(line: str) -> Dict[str, str]:
    assert " sendmodaction - " in line
    return dict(re.findall(r'(\w+)="([^"]*)"', line))


def test_at_tier_from_a_searchs_results(office: Office, alice: Person) -> None:
    """Several results at once: one request, a line of the log for each, tied to its result."""
    bob = office.person("a-bob-tier")
    office.inventory()
    rows = [{"rid": "0", **row(alice)}, {"rid": "1", **row(bob)}, {"rid": "2", "host": "web-1"}]
    payload = office.payload("rita", rows, configuration={"tier": "revoke", "reason": "phished"})
    assert run(office, "tourniquet_contain_tier", payload) == 1  # the third result names nobody
    assert (status_of(office, alice), status_of(office, bob)) == ("SUSPENDED", "SUSPENDED")
    lines = [fields(line) for line in office.log("tourniquet_contain_tier")]
    assert [(line["rid"], line["action_status"]) for line in lines] == [("0", "success"), ("1", "success"), ("2", "failure")]
    assert {(line["action_name"], line["action_mode"], line["sid"]) for line in lines} == {
        ("tourniquet_contain_tier", "adhoc", "1700000000.42")
    }
    assert "tq_" in lines[2]["signature"]
    assert office.asked == [("rita", "requests", 200)]


def test_from_enterprise_security(office: Office, alice: Person) -> None:
    """A finding's row has orig_sid and orig_rid: they come back in the log and in the event."""
    finding = {"rid": "0", "orig_sid": "scheduler__nobody_9", "orig_rid": "7", "event_id": "X@@notable@@y", **row(alice)}
    assert run(office, "tourniquet_preview", office.payload("ana", [finding])) == 0
    (line,) = office.log("tourniquet_preview")
    assert (fields(line)["orig_sid"], fields(line)["orig_rid"]) == ("scheduler__nobody_9", "7")
    assert f"would take {alice.name}" in fields(line)["signature"]
    assert status_of(office, alice) == "ACTIVE"


def test_one_result_without_a_file(office: Office, alice: Person) -> None:
    """A payload with `result` alone (per-result alerting) is one row."""
    payload = office.payload("rita", result={"rid": "0", **row(alice)}, configuration={"tier": "revoke", "reason": "x"})
    assert run(office, "tourniquet_contain_tier", payload) == 0
    assert status_of(office, alice) == "SUSPENDED"


def test_no_result_at_all(office: Office) -> None:
    """Said, and nothing is asked."""
    assert run(office, "tourniquet_preview", office.payload("rita")) == 2
    (line,) = office.log("tourniquet_preview")
    assert "names a row" in line
    assert office.asked == []


@pytest.mark.parametrize("text", [b"", b"no json", b"[]", b"\xff\xfe"])
def test_a_payload_that_is_none(text: bytes, office: Office) -> None:
    """Exit code 2 and a sentence."""
    assert run(office, "tourniquet_preview", text) == 2
    assert 'action_status="failure"' in office.log("tourniquet_preview")[0]


def test_a_user_without_the_capability(office: Office, alice: Person) -> None:
    """`| sendalert` by somebody without a role: refused by splunkd, said in the log, and nobody is contained."""
    payload = office.payload("nil", [row(alice)], configuration={"tier": "revoke", "reason": "x"})
    assert run(office, "tourniquet_contain_tier", payload) == 3
    assert "do not have permission" in office.log("tourniquet_contain_tier")[0]
    assert status_of(office, alice) == "ACTIVE"


def test_no_tier_beyond_the_role(office: Office, alice: Person) -> None:
    """ana may restrict: asking for revoke is refused with the missing capability in the log."""
    payload = office.payload("ana", [row(alice)], configuration={"tier": "revoke", "reason": "x"})
    assert run(office, "tourniquet_contain_tier", payload) == 3
    assert "tourniquet_contain_revoke" in office.log("tourniquet_contain_tier")[0]
    assert status_of(office, alice) == "ACTIVE"


def test_the_form_left_empty(office: Office, alice: Person) -> None:
    """Tier and reason are needed: the log says so, with the remedy."""
    assert run(office, "tourniquet_contain_tier", office.payload("rita", [row(alice)])) == 3
    line = office.log("tourniquet_contain_tier")[0]
    assert "is missing" in line
    assert status_of(office, alice) == "ACTIVE"


def test_an_expired_session(office: Office, alice: Person) -> None:
    """Exit code 3; the sentence says what to do."""
    payload = json.loads(office.payload("rita", [row(alice)]))
    office.deployment.expire(payload["session_key"])
    assert run(office, "tourniquet_preview", json.dumps(payload).encode()) == 3
    assert "session key is not valid" in office.log("tourniquet_preview")[0]


@pytest.mark.parametrize("sid", ["1700000000.42", "scheduler__nil__search__forged_at_1"])
def test_contain_identity_by_hand_is_a_request(sid: str, office: Office, alice: Person) -> None:
    """The scheduled action run by a user, also under a search id that he made look scheduled: his rights, nothing more."""
    stdin = io.BytesIO(office.payload("nil", [row(alice)], sid=sid, search_name="mine"))
    assert splunk_alert.main(["--execute"], stdin, str(office.app)) == 3
    assert status_of(office, alice) == "ACTIVE"
    stdin = io.BytesIO(office.payload("rita", [{"rid": "0", **row(alice)}], sid=sid))
    assert splunk_alert.main(["--execute"], stdin, str(office.app)) == 0
    assert status_of(office, alice) == "SUSPENDED"
    assert office.asked[-1] == ("rita", "requests", 200)
    assert office.kinds("q-") == ["click", "click done"]


def restore(office: Office, user: str, rows: List[Dict[str, Any]] = [], **configuration: str) -> int:  # noqa: B006
    return run(
        office, "tourniquet_restore", office.payload(user, rows, configuration={"reason": "cleared", **configuration})
    )


def test_restore_by_the_form_and_by_a_result(office: Office, alice: Person) -> None:
    """A containment's id in the form needs no result; without it, each result's identity."""
    contain = office.payload("rita", [row(alice)], configuration={"tier": "revoke", "reason": "x"})
    run(office, "tourniquet_contain_tier", contain)
    name = office.ask("vic", "GET", f"containments?identity={alice.name}").body["containments"][0]["containment"]
    assert restore(office, "ida", containment=name) == 0
    assert status_of(office, alice) == "ACTIVE"
    again = [row(alice, tq_events=["later"])]
    run(office, "tourniquet_contain_tier", office.payload("rita", again, configuration={"tier": "revoke", "reason": "x"}))
    assert status_of(office, alice) == "SUSPENDED"
    assert restore(office, "ida", [{"rid": "3", "tq_identity": alice.name}]) == 0
    assert status_of(office, alice) == "ACTIVE"
    assert fields(office.log("tourniquet_restore")[-1])["rid"] == "3"
    assert restore(office, "ida") == 1
    assert "Enter the containment" in office.log("tourniquet_restore")[-1]


def test_a_second_person_agrees_by_the_form(office: Office, alice: Person) -> None:
    """The log names the request; a colleague enters it."""
    office.inventory(**{alice.name: {"criticality": "privileged"}})
    run(
        office,
        "tourniquet_contain_tier",
        office.payload("rita", [row(alice)], configuration={"tier": "revoke", "reason": "x"}),
    )
    rows = [{"tq_identity": alice.name}]
    assert restore(office, "ida", rows) == 1
    line = office.log("tourniquet_restore")[-1]
    (request,) = re.findall(r"q-[0-9a-f]+", line)
    assert fields(line)["action_status"] == "success"
    assert restore(office, "ida", rows, agree=request) == 3
    assert restore(office, "ivo", rows, agree=request) == 0
    assert status_of(office, alice) == "ACTIVE"
