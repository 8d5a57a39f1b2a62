"""What no webhook told of is found all the same: late, reordered, repeated, while Elasticsearch fails, and after a stop."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List

import pytest

from responders.settings import ElasticSettings
from responders.surfaces.service import index, poller, taking
from responders.surfaces.service.index import AlertIndex, Stored
from tests.kibana.store import stamp
from tests.service.desk import RULES, Desk, until
from tests.service.front import Front
from tests.surfaces.office import DETECTION

pytestmark = pytest.mark.engine("elasticsearch")


def ago(seconds: float) -> str:
    return stamp(datetime.now(timezone.utc) - timedelta(seconds=seconds))


def test_alerts_that_no_webhook_told_of_are_contained_whatever_their_order(desk: Desk) -> None:
    """Also one that became visible after others with a later time."""
    people = [desk.office.person(name) for name in ("alice", "bob", "cleo")]
    desk.start()
    for person, age in zip(people, (0, 200, 100)):
        desk.raise_all(desk.document(desk.row(person), **{"@timestamp": ago(age)}))
        until(lambda person=person: desk.suspended(person))
    assert desk.contained() == ["alice", "bob", "cleo"]


def test_one_finding_that_its_rule_raises_again_is_contained_once_and_each_alert_is_marked(desk: Desk) -> None:
    """An aggregating rule raises a new alert in each run while its evidence is in the look-back."""
    person = desk.office.person("alice")
    desk.start()
    row = desk.row(person)
    first = desk.raise_all(desk.document(row))
    until(lambda: "tourniquet:contained" in desk.alert(first[0])["kibana.alert.workflow_tags"])
    before = desk.office.changes()
    names = first + desk.raise_all(desk.document(row), desk.document(row))
    until(lambda: all("tourniquet:contained" in desk.alert(name)["kibana.alert.workflow_tags"] for name in names))
    assert desk.contained() == ["alice"]
    assert desk.office.changes() == before
    assert desk.counted("tourniquet_containments_total", outcome="repeated") >= 1


def test_nothing_is_lost_while_elasticsearch_is_gone_slow_red_or_gives_a_part(desk: Desk) -> None:
    """Each alert is contained once, after the trouble; an answer with a failed shard is no answer."""
    desk.configure(poll={"every": 0.1, "overlap": 1})
    desk.start()
    part = json.dumps({"hits": {"hits": []}, "_shards": {"total": 2, "failed": 1}, "timed_out": False}).encode()
    red = json.dumps({"error": {"type": "no_shard_available_action_exception", "reason": "red"}, "status": 503}).encode()
    full = json.dumps({"error": {"type": "es_rejected_execution_exception", "reason": "full"}, "status": 429}).encode()
    troubles = [
        ("gone", lambda: desk.front.down.set()),
        ("red", lambda: setattr(desk.front, "instead", lambda method, path: (503, red))),
        ("full", lambda: setattr(desk.front, "instead", lambda method, path: (429, full))),
        ("part", lambda: setattr(desk.front, "instead", lambda method, path: (200, part) if "_search" in path else None)),
        ("slow", lambda: setattr(desk.front, "slow", 0.3)),
    ]
    for name, begin in troubles:
        person = desk.office.person(name)
        desk.service.reload() if desk.service is not None else None
        begin()
        desk.raised(person)
        seen = len(desk.front.seen)
        # A part, taken for the whole, would move on where the looks begin: beyond the overlap.
        looks = 60 if name == "part" else 2
        until(lambda seen=seen, looks=looks: len(desk.front.seen) >= seen + looks)
        assert name == "slow" or not desk.suspended(person)
        desk.front.down.clear()
        desk.front.instead = lambda method, path: None
        until(lambda person=person: desk.suspended(person))
        desk.front.slow = 0.0
    assert desk.contained() == sorted(name for name, _ in troubles)


def test_a_start_while_elasticsearch_is_gone_waits_for_it_and_says_so_once(desk: Desk) -> None:
    """Not ready meanwhile; what was raised since is taken as soon as it is back."""
    person = desk.office.person("alice")
    desk.front.down.set()
    service = desk.open()
    service.start()
    until(lambda: any(line["message"].startswith("alerts can't be read") for line in desk.said()))
    assert service.state.unready() == [f"alerts of space {desk.space} can't be read"]
    desk.raised(person)
    desk.front.down.clear()
    until(lambda: desk.suspended(person))
    assert service.state.unready() == []
    assert sum(line["message"].startswith("alerts can't be read") for line in desk.said()) == 1


def test_when_alerts_can_not_be_read_for_minutes_people_are_told_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller, "_TELL", 0.3)
    desk.start()
    desk.front.down.set()
    until(desk.office.escalated)
    seen = len(desk.front.seen)
    until(lambda: len(desk.front.seen) > seen + 6)
    [report] = desk.office.escalated()
    assert report["title"] == f"alerts of space {desk.space} can't be read: nobody is contained for them"
    assert report["loud"] is True


def test_an_alert_that_we_stumble_over_blinds_us_to_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours that somebody found: the alert is told to people, and the next one is taken."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    first, second = desk.document(desk.row(alice)), desk.document(desk.row(bob))
    real = taking.row_of

    def stumbles(alert: Stored, index: AlertIndex) -> Dict[str, Any]:
        if alert.id == first["kibana.alert.uuid"]:
            raise KeyError("found by somebody")
        return real(alert, index)

    monkeypatch.setattr(taking, "row_of", stumbles)
    desk.raise_all(first, second)
    desk.start()
    until(lambda: desk.suspended(bob))
    until(desk.office.escalated)
    assert not desk.suspended(alice)
    assert "internal error KeyError" in json.dumps(desk.office.escalated()[0])


def test_a_node_that_is_gone_or_fails_is_left_for_the_next_and_not_asked_first_again(desk: Desk) -> None:
    """Also for what is no mere read."""
    name = desk.raised(desk.office.person("alice"))
    with Front(f"http://{desk.front.target.netloc}") as other:
        both = AlertIndex(ElasticSettings((desk.front.url, other.url)), [RULES[DETECTION]])
        desk.front.instead = lambda method, path: (500, b"{}")
        long_ago = datetime.now(timezone.utc) - timedelta(hours=1)
        assert list(both.listed(desk.space, long_ago, "tag", long_ago)) == [(name, False)]
        desk.front.down.set()
        asked = len(desk.front.seen)
        alert = both.one(desk.space, name)
        assert alert is not None
        assert both.mark(alert, "acknowledged", ["tag"], long_ago)
        assert len(desk.front.seen) == asked
        both.close()


def test_what_was_raised_while_the_service_was_stopped_is_found_by_the_next_start(desk: Desk) -> None:
    """How far was read is in the journal, so the look goes back as far as it must."""
    desk.start()
    desk.stop()
    person = desk.office.person("alice")
    desk.raised(person)
    desk.start()
    until(lambda: desk.suspended(person))


def test_the_first_start_ever_does_not_act_on_what_is_long_over(desk: Desk) -> None:
    """Rules may have run for months before the service was installed."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    desk.raise_all(desk.document(desk.row(alice), **{"@timestamp": ago(3600)}))
    desk.start()
    desk.raised(bob)
    until(lambda: desk.suspended(bob))
    assert desk.contained() == ["bob"]


def test_an_alert_that_became_visible_long_after_its_time_is_found_by_a_wide_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own time lies before all that later looks go back to."""
    monkeypatch.setattr(poller, "_WIDE", 0.5)
    person = desk.office.person("alice")
    desk.configure(poll={"every": 0.1, "overlap": 1})
    began = datetime.now(timezone.utc)
    desk.start()
    until(lambda: datetime.now(timezone.utc) - began > timedelta(seconds=2.5))
    desk.raise_all(desk.document(desk.row(person), **{"@timestamp": stamp(began)}))
    until(lambda: desk.suspended(person))


def test_more_alerts_than_one_page_holds_are_all_taken(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages follow one another by search_after, over one point in time."""
    monkeypatch.setattr(index, "_LIST_PAGE", 3)
    monkeypatch.setattr(index, "_READ_PAGE", 2)
    people = [desk.office.person(f"person{number}") for number in range(8)]
    at = ago(1)
    desk.raise_all(*[desk.document(desk.row(person), **{"@timestamp": at}) for person in people])
    desk.start()
    until(lambda: all(desk.suspended(person) for person in people))
    assert len(desk.contained()) == 8


def test_alerts_that_are_huge_vanish_or_name_several_identities_hurt_no_other(desk: Desk) -> None:
    """Each is told to people; nobody is contained for them, and the alert beside them is."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    huge = desk.document(desk.row(alice, tq_events=["h"]), tq_reasons=["x" * 10_000_000])
    both = desk.row(alice, tq_events=["b"])
    both["tq_account"] = [alice.account("okta").key, bob.account("okta").key]
    odd = desk.row(alice, tq_events=["o"], tq_confidence="<script>alert(1)</script>")
    cleo = desk.office.person("cleo")
    desk.raise_all(huge, desk.document(both), desk.document(odd), desk.document(desk.row(cleo)))
    gone = desk.raised(alice, tq_events=["g"])

    def vanishes(method: str, path: str) -> None:
        """Listed already, and gone when it is read."""
        if path.startswith("/.alerts-security.") and path.partition("?")[0].endswith("/_search"):
            desk.front.instead = lambda method, path: None
            desk.server.call("DELETE", f"/{desk.index}/_doc/{gone}", query={"refresh": "true"})

    desk.front.instead = vanishes
    desk.start()
    until(lambda: desk.suspended(cleo))
    until(lambda: len(desk.office.escalated()) >= 4)
    titles = [str(report["title"]) for report in desk.office.escalated()]
    assert sum(title.startswith("ambiguous") for title in titles) == 1
    assert sum(title.startswith("an alert could not be read") for title in titles) == 2
    assert desk.contained() == ["cleo"]


def test_a_strong_alert_waits_for_no_flood_of_weak_ones(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strongest first, also one that comes while the flood is being taken: to store ten thousand takes minutes."""
    monkeypatch.setattr(poller, "_BATCH", 1)
    monkeypatch.setattr(poller, "_ENOUGH", 2)
    person = desk.office.person("alice")

    def raised(number: int, risk: int) -> None:
        row = desk.row(person, tq_events=[f"e{number}"], tq_confidence=str(risk))
        desk.raise_all(desk.document(row, **{"kibana.alert.risk_score": risk}))

    for number in range(6):
        raised(number, 10 + number)
    reads: List[str] = []

    def meanwhile(method: str, path: str) -> None:
        if path.startswith("/.alerts-security.") and path.partition("?")[0].endswith("/_search"):
            reads.append(path)
            if len(reads) == 2:
                raised(9, 99)

    desk.front.instead = meanwhile
    service = desk.start()
    until(lambda: desk.counted("tourniquet_alerts_total", by="poll", result="stored") == 7)
    docs = [doc for _, doc in service.responder().journal.store.scan("e/a-") if doc["kind"] == "alert"]
    docs.sort(key=lambda doc: str(doc["at"]))
    assert [doc["body"]["raw"]["tq_confidence"] for doc in docs] == ["15", "14", "99", "13", "12", "11", "10"]


def test_an_alert_with_megabytes_of_tags_hides_no_other(desk: Desk) -> None:
    """Whoever may tag alerts could make the list of them too long to be read, and nobody would be contained any more."""
    alice, bob = desk.office.person("alice"), desk.office.person("bob")
    tags = [f"{number:04d}" + "x" * 20_000 for number in range(450)]
    stuffed = desk.document(desk.row(alice), **{"kibana.alert.workflow_tags": tags})
    desk.raise_all(stuffed, desk.document(desk.row(bob)))
    desk.start()
    until(lambda: desk.suspended(bob))
    until(desk.office.escalated)
    assert any("could not be read" in str(report["title"]) for report in desk.office.escalated())


def test_events_named_by_index_and_id_are_known_by_the_vendors_own_ids_too(desk: Desk) -> None:
    """The vendor's log, which confirms them, knows no other. An index that is none of events is never read."""
    person = desk.office.person("alice")
    stream = f"logs-okta.system-{desk.space}"
    mapping = {"properties": {"okta": {"properties": {"uuid": {"type": "keyword"}}}}}
    desk.server.create(stream, mapping)
    try:
        desk.server.bulk([(stream, "doc-1", {"okta": {"uuid": "uuid-of-okta"}})])
        desk.server.bulk([(desk.index, "doc-1", {"okta": {"uuid": "no event"}})])
        service = desk.start()
        found = service.index.event_ids([f"{stream}/doc-1", f"{stream}/none", f"{desk.index}/doc-1", "odd", "/x"])
        assert found == ("uuid-of-okta",)
        desk.raised(person, tq_events=[f"{stream}/doc-1"])
        until(lambda: desk.suspended(person))
        entries = [doc for _, doc in service.responder().journal.store.scan("e/a-") if doc["kind"] == "alert"]
        assert entries[0]["body"]["raw"]["tq_events"] == [f"{stream}/doc-1", "uuid-of-okta"]
    finally:
        desk.server.delete([stream])
