"""Elasticsearch itself dies amid containments and comes back on the same data: nothing is lost, or done twice."""

from __future__ import annotations

import threading
import time
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from responders import pipeline
from responders.containment.record import all_containments, load
from responders.containment.responder import Responder, Timing
from responders.content.elastic.server import Server
from responders.content.elastic.stores import journal_index
from responders.drill.attacker import Attacker
from responders.drill.world import Person, World
from responders.elastic.cluster import Cluster
from responders.errors import JournalError, Refused
from responders.journal.chain import Journal
from responders.journal.elasticsearch import ElasticStore
from responders.settings import ElasticSettings
from tests.bench.fixture import unlimited
from tests.catalogue import CATALOGUE
from tests.engines.elasticsearch import Elasticsearch
from tests.support import raw_alert

pytestmark = pytest.mark.engine("elasticsearch")
INDEX = "tourniquet-journal-1"
TIMING = Timing(deadline=60.0, confirm_patience=0.2, retry_due=0.0)
PATIENCE = 180.0


@pytest.fixture
def server() -> Iterator[Elasticsearch]:
    """One that this test may kill."""
    with Elasticsearch("384m") as found:
        with Server(found.url) as client:
            client.call("PUT", f"/{INDEX}", journal_index(), query={"wait_for_active_shards": "1"})
        yield found


def _until_done(row: Dict[str, Any], responder: Responder, failed: List[str]) -> None:
    """Hand the alert in again and again, as a SIEM does, until it is contained."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            pipeline.contain(row, responder)
            return
        except (JournalError, Refused) as error:
            failed.append(str(error))
            time.sleep(0.2)


def test_a_server_that_dies_in_the_middle_loses_nothing(server: Elasticsearch, world: World) -> None:
    """Killed right after the first account was suspended, with others on the way: each is contained once, all is whole."""
    people: List[Person] = [world.add_person(f"p{number}", vendors=("okta", "entra")) for number in range(4)]
    dying, back = threading.Event(), threading.Event()

    def on_call(when: str, vendor: str, method: str, template: str) -> None:
        if when == "after" and template.endswith("/lifecycle/suspend"):
            dying.set()
        if dying.is_set() and not back.is_set() and method != "GET":
            time.sleep(0.05)  # what is on its way meets a server that is gone

    cluster = Cluster(ElasticSettings((server.url,)), patience=5.0)
    journal = Journal(ElasticStore(cluster, INDEX), world.key)
    responder = world.responder(catalogue=CATALOGUE, journal=journal, policy=unlimited(), timing=TIMING, on_call=on_call)
    failed: List[str] = []
    rows = [raw_alert(person, tq_events=[person.name]) for person in people]
    threads = [threading.Thread(target=_until_done, args=(row, responder, failed)) for row in rows]
    for thread in threads:
        thread.start()
    assert dying.wait(PATIENCE)
    server.kill()
    for thread in threads:
        thread.join(6.0)  # longer than a call is tried: whoever needs the journal has seen that it is gone
    server.start()
    back.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert failed, "nobody noticed"
    pipeline.take_up(responder)  # a server that is only just back may have been too slow for one of them
    assert sorted(about["identity"] for _, about in all_containments(journal)) == sorted(p.name for p in people)
    for containment, _ in all_containments(journal):
        record = load(journal, containment)
        assert record.open and record.contained_at is not None and len(record.outcomes) == len(record.steps)
    for person in people:
        done: List[Tuple[str, int]] = [(r.path, r.status) for r in world.okta.requests if person.okta in r.path]
        assert [status for path, status in done if path.endswith("/lifecycle/suspend")] == [200], person.name
        works = Attacker(world, person).works()
        assert not any(works[name] for name in works if "password" not in name), (person.name, works)
    assert all(pipeline.contain(row, responder).title == "this alert was handled before" for row in rows)
    assert journal.verify() == []
    cluster.close()
