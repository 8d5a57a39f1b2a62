"""A containment with all its stores in a real Elasticsearch, by a key with exactly the shipped role."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Iterator, Tuple

import pytest

from responders import pipeline
from responders.containment.responder import Responder
from responders.containment.restore import restore
from responders.containment.standing import tell_standing
from responders.containment.validation import Check, write_validation
from responders.content.elastic.runner import Batch, ElasticRun
from responders.content.loader import ROOT, read_detection
from responders.drill.world import Person, World
from responders.elastic.telling import ElasticMirror
from responders.inventory.files import accounts_rows
from responders.inventory.resolve import Inventory
from responders.journal.chain import Entry
from responders.model import Identity
from tests.elastic.office import Office
from tests.support import raw_alert

pytestmark = pytest.mark.engine("elasticsearch")
SLUG = "correlation/activity_after_containment"
DETECTION = read_detection((ROOT / f"{SLUG}.yaml").read_text(encoding="utf-8"), SLUG, SLUG)


@pytest.fixture(scope="module")
def run(elasticsearch_url: str) -> Iterator[ElasticRun]:
    """Correlation 80, in a namespace of its own."""
    with ElasticRun(elasticsearch_url, [DETECTION]) as found:
        yield found


@pytest.fixture(scope="module")
def office(elasticsearch_url: str, run: ElasticRun) -> Iterator[Office]:
    """The responder's stores in that namespace."""
    with Office(elasticsearch_url, run.namespace) as found:
        yield found


@pytest.fixture(scope="module")
def contained(
    office: Office, run: ElasticRun, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tuple[World, Person, Responder, str]]:
    """One person, contained."""
    with World(tmp_path_factory.mktemp("world"), vault=False) as world:
        person = world.add_person("bob")
        people = [Identity(name, "human", None, "normal", "production", False, (), ()) for name in ("ida", "ivo")]
        inventory = Inventory([person.identity(), *people], {}, frozenset({"ida", "ivo"}))
        office.fill(inventory)
        run.set_lookups({"tourniquet_accounts": accounts_rows(inventory)})
        responder = office.responder(world)
        report = pipeline.contain(raw_alert(person), responder)
        assert report.outcomes and all(outcome.status.holds for outcome in report.outcomes)
        assert responder.journal.listener is not None and responder.journal.listener.flush(20)
        yield world, person, responder, report.containment


def test_correlation_80_fires_when_the_contained_one_is_active(
    contained: Tuple[World, Person, Responder, str], run: ElasticRun, office: Office
) -> None:
    """The rule's own query over what the responder wrote: quiet before, and the account that signs in again after."""
    _, person, _, _ = contained
    office.server.call("POST", f"/{office.names.stream('journal')},{office.names.watch}/_refresh")
    soon = Batch(datetime.now(timezone.utc) + timedelta(seconds=5))
    assert run.hits(DETECTION, soon) == []
    at = datetime.now(timezone.utc) + timedelta(seconds=2)
    event = {
        "uuid": "o1", "published": at.isoformat(), "eventType": "user.session.start",
        "actor": {"id": person.okta, "type": "User"}, "outcome": {"result": "SUCCESS"},
        "client": {"ipAddress": "203.0.113.9"}, "target": [{"id": person.okta, "type": "User"}],
    }  # fmt: skip
    run.add([("okta", event)])
    assert [hit.account for hit in run.hits(DETECTION, soon)] == [f"okta:default:{person.okta}"]


def test_every_entry_is_there_for_dashboards(contained: Tuple[World, Person, Responder, str], office: Office) -> None:
    """Each entry of each chain once, with its place in the chain; plans and outcomes can be counted."""
    _, _, responder, containment = contained
    rows = office.rows("journal", "| WHERE tourniquet.entry.chain IS NOT NULL")
    told = {row["_id"] for row in rows}
    chains = {row["tourniquet.entry.chain"] for row in rows}
    assert containment in chains and len(chains) == 2
    assert told == {f"{entry.chain}/{entry.seq}" for chain in chains for entry in responder.journal.entries(chain)}
    assert len(rows) == len(told)
    plans = office.rows(
        "journal", '| WHERE event.action == "plan" | STATS n = COUNT(*) BY tourniquet.tier, tourniquet.tq_identity'
    )
    assert plans == [{"n": 1, "tourniquet.tier": "revoke", "tourniquet.tq_identity": "bob"}]
    outcomes = office.rows(
        "journal", '| WHERE event.action == "outcome" | MV_EXPAND tourniquet.outcome | KEEP tourniquet.outcome'
    )
    assert {"tourniquet.outcome": "okta.suspend_user confirmed"} in outcomes
    signals = office.rows("signals", "| KEEP tourniquet.tq_identity, tourniquet.tq_confidence, tourniquet.tq_detection")
    assert signals == [
        {"tourniquet.tq_identity": "bob", "tourniquet.tq_confidence": 95, "tourniquet.tq_detection": "test/strong"}
    ]


def test_what_is_told_twice_is_there_once(contained: Tuple[World, Person, Responder, str], office: Office) -> None:
    """Signals, standings and entries have ids of their own making."""
    _, _, responder, containment = contained
    before = len(office.rows("journal")), len(office.rows("signals"))
    entries = list(responder.journal.entries(containment))
    raw = next(doc["body"]["raw"] for _, doc in responder.journal.store.scan("e/a-") if doc["kind"] == "alert")
    pipeline.signal_again(raw, responder, entries[0].chain)
    tell_standing(responder, containment)
    ElasticMirror(office.cluster(), responder.journal.clock, office.names.space).tell(entries)
    assert (len(office.rows("journal")), len(office.rows("signals"))) == before


def test_a_validation_can_be_counted(contained: Tuple[World, Person, Responder, str], office: Office) -> None:
    """Which checks failed stands in fields of their own; the whole result in the entry's body."""
    _, _, responder, _ = contained
    checks = [Check("journal", True), Check("readiness", False, ("okta lacks a scope",)), Check("policy", None)]
    write_validation(responder, checks)
    assert responder.journal.listener is not None and responder.journal.listener.flush(20)
    [row] = office.rows("journal", '| WHERE event.action == "validation" | KEEP tourniquet.title, tourniquet.outcome')
    assert row == {
        "tourniquet.title": "validation FAILED: readiness",
        "tourniquet.outcome": ["journal sound", "policy not checked", "readiness failed"],
    }


def test_an_entry_that_does_not_fit_is_told_without_its_body(office: Office) -> None:
    """A field of another type than the mapping's: that the entry is there is told all the same, and the others whole."""
    decision = {"identity": {"id": "x"}, "confidence": "many", "tier": 2}
    unfit = {"plan": {"decision": decision}, "alert": {"detection": "d"}}
    now = datetime.now(timezone.utc)
    entries = [
        Entry("c-odd", 0, "plan", now, unfit, "", "m"), Entry("c-odd", 1, "thing", now, {"half": "\ud800"}, "", "m"),
    ]  # fmt: skip
    ElasticMirror(office.cluster(), lambda: now, office.names.space).tell(entries)
    office.rows("journal")
    found = {}
    for name in ("c-odd/0", "c-odd/1"):
        query = {"query": {"ids": {"values": [name]}}}
        hits = office.server.call("POST", f"/{office.names.stream('journal')}/_search", query)["hits"]["hits"]
        found[name] = hits[0]["_source"]["tourniquet"]["entry"]["body"]
    assert found == {"c-odd/0": "", "c-odd/1": '{"half":"\\ud800"}'}


def test_a_restore_is_told_too(contained: Tuple[World, Person, Responder, str], office: Office) -> None:
    """After a restore the account's standing says so, and the journal verifies with the same key."""
    _, person, responder, containment = contained
    restore(responder, containment, by="ida", reason="a drill")
    rows = office.rows("journal", '| WHERE tourniquet.kind == "restored" | KEEP tourniquet.tq_account')
    assert {"tourniquet.tq_account": f"okta:default:{person.okta}"} in rows
    assert responder.journal.verify() == []
