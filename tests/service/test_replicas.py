"""Several replicas over one journal in Elasticsearch, each with a key that may do what the shipped role says."""

from __future__ import annotations

import secrets
from typing import Any, Iterator, Sequence

import pytest

from responders.containment import due
from responders.drill.world import Person
from tests.elastic.office import Office as Stores
from tests.service.desk import Desk, until
from tests.service.processes import containments

pytestmark = pytest.mark.engine("elasticsearch")


@pytest.fixture
def stores(elasticsearch_url: str) -> Iterator[Stores]:
    with Stores(elasticsearch_url) as found:
        yield found


def test_the_shipped_role_is_enough_for_all_that_the_service_does_and_check_says_so(desk: Desk, stores: Stores) -> None:
    """Alert read, event read, journal written, alert marked: with security on, by a key of that role and no other."""
    person = desk.office.person("alice")
    desk.in_elasticsearch(stores)
    checked = desk.office.run("serve", "--check", "--json")
    assert [line for line in checked.lines if line["problem"]] == []
    assert any(line["what"].startswith("privileges on .internal.alerts") for line in checked.lines)
    stream = f"logs-okta.system-{desk.space}"
    desk.server.create(stream, {"properties": {"okta": {"properties": {"uuid": {"type": "keyword"}}}}})
    try:
        desk.server.bulk([(stream, "doc-1", {"okta": {"uuid": "uuid-of-okta"}})])
        service = desk.start()
        name = desk.raised(person, tq_events=[f"{stream}/doc-1"])
        until(lambda: "tourniquet:contained" in desk.alert(name)["kibana.alert.workflow_tags"])
        raws = [doc["body"]["raw"] for _, doc in service.responder().journal.store.scan("e/a-") if doc["kind"] == "alert"]
        assert raws[0]["tq_events"] == [f"{stream}/doc-1", "uuid-of-okta"]
    finally:
        desk.server.delete([stream])
    assert [line for line in desk.said() if line["level"] == "error"] == []


def test_a_key_with_too_few_rights_is_told_by_check(desk: Desk, stores: Stores) -> None:
    """One line for each right that is missing, before the first alert comes."""
    asked = {"name": "poor", "role_descriptors": {"poor": {"indices": [{"names": ["logs-*"], "privileges": ["read"]}]}}}
    stores.key = stores.server.call("POST", "/_security/api_key", asked)["encoded"]
    desk.in_elasticsearch(stores)
    found = {line["what"]: line["problem"] for line in desk.office.run("serve", "--check", "--json").lines}
    assert "read is missing" in found[f"privileges on .alerts-security.alerts-{desk.space}"]
    assert found["privileges on logs-*"] == ""


def test_replicas_of_which_two_are_killed_under_load_contain_each_identity_once(
    desk: Desk, stores: Stores, running: Any
) -> None:
    """Each alert is raised twice besides. What the killed ones held, at whatever point, is taken up by the one left."""
    people = [desk.office.person(f"person{number}") for number in range(6)]
    desk.in_elasticsearch(stores, f"http://{desk.front.target.netloc}", workers=2)
    replicas = [running(wait=False) for _ in range(3)]
    for replica in replicas:
        until(lambda replica=replica: replica.ready().get("/readyz").status_code == 200)
    rows = [desk.row(person) for person in people]
    desk.raise_all(*[desk.document(row) for row in rows], *[desk.document(row) for row in rows])
    for replica in replicas[:2]:
        more = _changes(desk) + 1 + secrets.randbelow(8)
        until(lambda more=more: _changes(desk) >= more or _whole(desk, people))
        replica.process.kill()
        replica.process.wait(20)
    until(lambda: _whole(desk, people), 60)
    until(lambda: _left(desk) == 0, 60)
    assert containments(desk) == [f"person{number}" for number in range(6)]
    assert replicas[2].end(15) == 0
    assert desk.office.run("journal", "verify").code == 0


def _changes(desk: Desk) -> int:
    return len(desk.office.changes(("okta",)))


def _whole(desk: Desk, people: Sequence[Person]) -> bool:
    return all(desk.suspended(person) for person in people)


def _left(desk: Desk) -> int:
    return sum(item.what == "alert" for item in due.pending(desk.journal()))
