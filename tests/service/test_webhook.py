"""The webhook: who may send one, what it is worth, and that what it answers is true."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List

import pytest

from responders.containment import due
from responders.surfaces.service.inbox import MOST
from tests.kibana.store import stamp
from tests.service.desk import RULES, SECRET, Desk, until
from tests.surfaces.office import DETECTION

STORM = MOST + 100
"""How fast a thousand are stored, the bench says."""
pytestmark = pytest.mark.engine("elasticsearch")


def test_a_webhook_has_the_identity_contained_once_and_the_alert_marked(desk: Desk) -> None:
    """Sent again under another time it does nothing more; the poller, which finds the alert too, neither."""
    person = desk.office.person("alice")
    desk.configure(poll={"every": 30})
    desk.start()
    name = desk.raised(person)
    answer = desk.hook(name)
    assert (answer.status_code, answer.json()) == (202, {"result": "stored"})
    until(lambda: "tourniquet:contained" in desk.alert(name)["kibana.alert.workflow_tags"])
    assert desk.suspended(person)
    assert desk.alert(name)["kibana.alert.workflow_status"] == "acknowledged"
    before = desk.office.changes()
    assert desk.hook(name, at=stamp(datetime.now(timezone.utc) + timedelta(seconds=2))).json() == {"result": "seen"}
    assert desk.contained() == ["alice"]
    assert desk.office.changes() == before
    assert desk.counted("tourniquet_time_to_contain_seconds_count") == 1


def test_what_a_webhook_says_of_an_alert_is_not_believed(desk: Desk) -> None:
    """Only the stored alert counts: neither an account nor a confidence in the body does anything."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    desk.configure(poll={"every": 30})
    desk.start()
    name = desk.raised(alice)
    forged = {"tq_account": bob.account("okta").key, "tq_confidence": "100", "tq_finding": "mine"}
    assert desk.hook(name, **forged, alert=forged).status_code == 202
    until(lambda: desk.suspended(alice))
    assert not desk.suspended(bob)


def test_forged_replayed_and_senseless_webhooks_are_refused_logged_and_counted(desk: Desk) -> None:
    """None of them is stored, none shows a secret, and the sender is told nothing but the status."""
    person = desk.office.person("alice")
    desk.configure(poll={"every": 30})
    desk.start()
    name = desk.raised(person)
    foreign = desk.raise_all(desk.document(desk.row(person), **{"kibana.alert.rule.rule_id": "somebody-elses"}))[0]
    past, ahead = (stamp(datetime.now(timezone.utc) + timedelta(seconds=s)) for s in (-400, 400))
    good = json.dumps(desk.body(name))
    basic = base64.b64encode(b"tourniquet:wrong").decode()
    cases = [
        (401, good, {}),
        (401, good, {"Authorization": "Bearer " + SECRET[:-1]}),
        (401, good, {"Authorization": "Bearer "}),
        (401, good, {"Authorization": f"Basic {basic}"}),
        (401, good, {"Authorization": "Basic !"}),
        (401, good, {"X-Tourniquet-Signature": "v1=00", "X-Tourniquet-Timestamp": str(int(time.time()))}),
        (401, good, {"X-Tourniquet-Signature": "v1=00"}),
        (401, json.dumps(desk.body(name, at=past)), None),
        (401, json.dumps(desk.body(name, at=ahead)), None),
        (401, json.dumps(desk.body(name, at="yesterday")), None),
        (404, json.dumps(desk.body("0" * 40)), None),
        (404, json.dumps(desk.body(name, space="elsewhere")), None),
        (409, json.dumps(desk.body(name, rule_id=RULES["vault/secret_sweep"])), None),
        (422, json.dumps(desk.body(foreign, rule_id="somebody-elses")), None),
        (400, "{", None),
        (400, "[]", None),
        (400, "[" * 5000, None),
        (400, json.dumps(desk.body(name, alert_id=7)), None),
        (400, json.dumps(desk.body("../_search")), None),
        (400, json.dumps(desk.body("*")), None),
        (400, b"\xff", None),
        (413, "x" * 20_000, None),
    ]  # fmt: skip
    for status, body, headers in cases:
        answer = desk.post(body, headers)
        assert (answer.status_code, answer.json()) == (status, {"result": "refused"}), (status, body[:80], headers)
    assert desk.request("GET", "/webhook/alert").status_code == 405
    assert desk.request("POST", "/webhook/alert?", data="x" * 2_000_000).status_code == 413
    assert desk.service is not None
    assert list(desk.service.responder().journal.store.scan("e/a-")) == []
    refused = [entry for entry in desk.said() if entry["message"] == "a webhook is refused"]
    assert len(refused) >= len(cases)
    assert SECRET not in desk.log.getvalue()
    assert desk.counted("tourniquet_webhooks_total", status="401") == 10
    assert not desk.suspended(person)


def test_each_way_to_prove_the_secret_is_taken_and_a_replay_is_not(desk: Desk) -> None:
    """Bearer, Basic's password, or a signature over time and body."""
    person = desk.office.person("alice")
    desk.configure(poll={"every": 30})
    desk.start()
    name = desk.raised(person)
    basic = base64.b64encode(f"tourniquet:{SECRET}".encode()).decode()
    bodies = [json.dumps(desk.body(name, n=number)) for number in range(3)]
    stamp_now = str(int(time.time()))
    unsigned: Dict[str, Any] = {key: value for key, value in desk.body(name).items() if key != "at"}
    bodies[2] = json.dumps(unsigned)
    mac = hmac.new(SECRET.encode(), f"{stamp_now}.{bodies[2]}".encode(), hashlib.sha256).hexdigest()
    ways = [
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": f"Basic {basic}"},
        {"X-Tourniquet-Signature": f"v1={mac}", "X-Tourniquet-Timestamp": stamp_now},
    ]
    for body, headers in zip(bodies, ways):
        assert desk.post(body, headers).status_code == 202
        assert desk.post(body, headers).status_code == 409
    old = str(int(time.time()) - 400)
    mac = hmac.new(SECRET.encode(), f"{old}.{bodies[2]}".encode(), hashlib.sha256).hexdigest()
    signed = {"X-Tourniquet-Signature": f"v1={mac}", "X-Tourniquet-Timestamp": old}
    assert desk.post(bodies[2], signed).status_code == 401


def test_while_elasticsearch_is_out_of_reach_a_webhook_gets_503_and_nothing_is_lost(desk: Desk) -> None:
    """The sender may try again, with the same body; if he does not, the poller finds the alert."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    desk.start()
    names = [desk.raised(person) for person in (alice,)]
    desk.front.down.set()
    second = desk.raised(bob)
    body = json.dumps(desk.body(second))
    assert desk.post(body).status_code == 503
    desk.front.down.clear()
    assert desk.post(body).status_code == 202
    until(lambda: desk.suspended(alice) and desk.suspended(bob))
    assert desk.contained() == ["alice", "bob"]
    assert names


def test_a_storm_of_webhooks_is_stored_whole_and_what_memory_can_not_hold_waits_in_the_journal(
    desk: Desk,
) -> None:
    """Nothing is contained here: whoever takes up what is due finds every one of them."""
    person = desk.office.person("alice")
    desk.configure(poll={"every": 600}, threads=16)
    service = desk.open()
    service.responder().halt("ida", "a storm is coming: this is about storing")
    service.server.open()
    host, port = service.server._server.socket.getsockname()[:2]
    desk.address = f"http://{host}:{port}"
    service.server.start()
    rows = [desk.row(person, tq_events=[f"e-{n}"], tq_identity=f"person-{n}") for n in range(STORM)]
    names = desk.raise_all(*[desk.document(row) for row in rows])
    assert _storm(desk, names) == [202] * STORM
    waiting = {item.about for item in due.pending(service.responder().journal) if item.what == "alert"}
    assert len(waiting) == STORM
    assert service.inbox.held == MOST
    service.server.stop()
    desk.service = None


def _storm(desk: Desk, names: List[str]) -> List[int]:
    """One webhook for each alert, over eight connections; the statuses."""
    host = desk.address.removeprefix("http://")

    def send(some: List[str]) -> List[int]:
        connection = http.client.HTTPConnection(host, timeout=30)
        found = []
        for name in some:
            headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
            connection.request("POST", "/webhook/alert", json.dumps(desk.body(name)), headers)
            answer = connection.getresponse()
            answer.read()
            found.append(answer.status)
        connection.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        return [status for found in pool.map(send, [names[n::8] for n in range(8)]) for status in found]


def test_rules_of_other_detections_are_told_apart_by_rule_id(desk: Desk) -> None:
    """A rule of somebody else that writes our columns decides nothing."""
    person = desk.office.person("alice")
    desk.configure(poll={"every": 30})
    desk.start()
    row = desk.row(person)
    other = RULES["vault/secret_sweep"]
    assert other != RULES[DETECTION]
    name = desk.raise_all(desk.document(row, **{"kibana.alert.rule.rule_id": other}))[0]
    assert desk.hook(name, rule_id=other).status_code == 422
    assert desk.contained() == []
