"""The rules about Tourniquet itself, run as Kibana runs them over what the responder's mirror wrote: what fires, absence
included, and that nobody is contained for it.

Kibana's part is an emulation (tests/kibana/executor.py); Elasticsearch and the queries are real.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, List, Mapping, Optional

import pytest

from responders.content.elastic.mappings import mapping, schema_fields
from responders.content.elastic.query import in_namespace
from responders.elastic.import_rules import changes, send
from responders.elastic.kibana import Kibana
from responders.elastic.telling import ElasticMirror
from responders.journal.chain import Entry
from responders.settings import ElasticSettings, Secret
from responders.surfaces.assemble import read_catalogue
from responders.surfaces.service.index import AlertIndex
from responders.surfaces.service.rows import APPROVE, is_ours
from tests.elastic.office import Office
from tests.elastic_rules.conftest import KEY, SHIPPED, rules_of
from tests.kibana.executor import Ran, alerts, alerts_index, make_alerts_index, run_rule
from tests.kibana.server import SmallKibana
from tests.kibana.spec import problems
from tests.kibana.store import Rules

RULES = rules_of((SHIPPED / "health.ndjson").read_text(encoding="utf-8"))
FAILED, ABSENT, BROKEN, ENDLESS = RULES
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["name"])
def test_a_rule_is_what_kibana_describes(rule: Dict[str, Any]) -> None:
    """Sound by Elastic's schema, disabled, looking back over two intervals at least, named as no detection; its tag is what
    `--enable tourniquet` asks for."""
    assert problems(rule) == []
    assert rule["enabled"] is False
    assert int(rule["from"][4:-1]) >= 2 * 60 * int(rule["interval"][:-1])
    assert rule["tags"] == ["Tourniquet", "Source: tourniquet"]
    assert rule["rule_id"] not in {about["id"] for about in read_catalogue().values()}
    assert not re.search(r"\btq_", rule["query"])


@dataclass
class Stage:
    """A space with our rules, the journal's data stream of that name, and a clock: the real one, for one rule asks it."""

    kibana: SmallKibana
    office: Office
    now: datetime

    @property
    def space(self) -> str:
        return self.office.names.space

    def tell(
        self, chain: str, kind: str, body: Mapping[str, Any], ago: timedelta, dated: Optional[timedelta] = None
    ) -> None:
        """An entry as the mirror writes it, ingested so long ago; `dated` otherwise where its own time is another."""
        at = self.now - ago
        entry = Entry(chain, int(kind == "drilled"), kind, self.now - (ago if dated is None else dated), body, "", "m")
        ElasticMirror(self.office.cluster(), lambda: at, self.space).tell([entry])
        self.office.server.call("POST", f"/{self.office.names.stream('journal')}/_refresh")

    def run(self, rule: Mapping[str, Any], later: timedelta = timedelta()) -> Ran:
        return run_rule(
            self.kibana, self.office.server, rule["rule_id"], self.now + later, space=self.space,
            rewrite=lambda query: in_namespace(query, self.space),
        )  # fmt: skip

    def raised(self) -> List[Dict[str, Any]]:
        return alerts(self.office.server, self.space)


def check(result: str, ok: Optional[bool]) -> Dict[str, Any]:
    return {"check": "readiness", "ok": ok, "problems": [], "note": "", "result": result}


def drilled(works: bool) -> Dict[str, Any]:
    return {"identity": "canary-1", "works": works, "problems": [], "lanes": [{"vendor": "okta", "problem": ""}]}


@pytest.fixture
def stage(elasticsearch_url: str) -> Iterator[Stage]:
    """No data stream yet: only the schema index."""
    with SmallKibana(elasticsearch_url) as kibana, Office(elasticsearch_url) as office:
        space = office.names.space
        office.create(f"tourniquet-schema-{space}", {"mappings": mapping(schema_fields())})
        kibana.spaces[space] = Rules()
        index = make_alerts_index(office.server, space)
        try:
            with Kibana(kibana.url, space=space, key=Secret(KEY)) as client:
                assert all(not outcome.error for outcome in send(client, changes(client, RULES)))
            yield Stage(kibana, office, datetime.now(timezone.utc))
            assert kibana.violations() == []
        finally:
            office.server.delete([index, office.names.stream("journal")])


@pytest.mark.engine("elasticsearch")
def test_absence_fires_where_there_is_nothing_at_all(stage: Stage) -> None:
    """No data stream; then one without a validation; then one long ago, whatever date it bears. Each run says it again."""
    assert len(stage.run(ABSENT).alerts) == 1
    stage.tell("v-1", "check", check("sound", True), MINUTE)
    assert len(stage.run(ABSENT, MINUTE).alerts) == 1
    stage.tell("v-0", "validation", {"title": "sound", "checks": []}, 121 * MINUTE, dated=-600 * MINUTE)
    assert len(stage.run(ABSENT, 2 * MINUTE).alerts) == 1
    assert {one["missing"] for one in stage.raised()} == {"tourniquet validate has told nothing for two hours"}


@pytest.mark.engine("elasticsearch")
def test_absence_is_quiet_while_validations_come(stage: Stage) -> None:
    """One within two hours is enough, and two hours later it fires."""
    stage.tell("v-0", "validation", {"title": "sound", "checks": []}, MINUTE)
    assert stage.run(ABSENT).alerts == ()
    assert len(stage.run(ABSENT, 120 * MINUTE).alerts) == 1


@pytest.mark.engine("elasticsearch")
def test_the_other_rules_are_quiet_where_there_is_nothing(stage: Stage) -> None:
    """Without a data stream no query is refused. Without the schema index it is, and the rule's status says so."""
    assert [stage.run(rule) for rule in (FAILED, BROKEN, ENDLESS)] == [
        Ran((), "succeeded", "Rule execution completed successfully")
    ] * 3
    stage.office.server.call("DELETE", f"/tourniquet-schema-{stage.space}")
    assert stage.run(ABSENT).status == "failed"
    stage.office.create(f"tourniquet-schema-{stage.space}", {"mappings": mapping(schema_fields())})


@pytest.mark.engine("elasticsearch")
def test_a_failed_check_fires_once_and_what_can_not_be_read_too(stage: Stage) -> None:
    """Not one that is sound or was not made. An entry that was told bare, without its outcome, counts as failed."""
    for number, (word, ok) in enumerate((("sound", True), ("not checked", None), ("FAILED", False))):
        stage.tell(f"v-{number}", "check", check(word, ok), MINUTE)
    assert len(stage.run(FAILED).alerts) == 1
    assert stage.run(FAILED, 5 * MINUTE).alerts == ()
    (found,) = stage.raised()
    assert found["tourniquet.title"] == "readiness: FAILED"
    bare = {"@timestamp": stage.now.isoformat(), "event": {"action": "check", "ingested": stage.now.isoformat()}}
    stream = stage.office.names.stream("journal")
    stage.office.server.call("PUT", f"/{stream}/_create/bare", bare, query={"refresh": "true"})
    assert len(stage.run(FAILED, 6 * MINUTE).alerts) == 1


@pytest.mark.engine("elasticsearch")
def test_a_broken_drill_fires_and_one_that_does_not_end(stage: Stage) -> None:
    """One that works does not, nor one that began just now."""
    for chain, begun, works in (("d-1", 50, True), ("d-2", 49, False), ("d-3", 45, None), ("d-4", 5, None)):
        stage.tell(chain, "drill", {"identity": "canary-1", "tier": "revoke"}, begun * MINUTE)
        if works is not None:
            stage.tell(chain, "drilled", drilled(works), (begun - 40) * MINUTE)
    assert len(stage.run(BROKEN).alerts) == 1
    assert len(stage.run(ENDLESS).alerts) == 1
    assert sorted(one["tourniquet.entry.chain"] for one in stage.raised()) == ["d-2", "d-3"]


@pytest.mark.engine("elasticsearch")
def test_the_responder_never_takes_such_an_alert(stage: Stage) -> None:
    """An attacker writes a failed check with all that an alert of ours says. The rule's alert copies it, bears the tag that
    stands for a click, and is neither listed by the poller nor ours to a webhook."""
    at = stage.now.isoformat()
    forged = {
        "@timestamp": at, "event": {"action": "check", "ingested": at}, "tq_detection": "okta/session_replay",
        "tq_account": "okta:corp:00u1", "tq_identity": "the boss", "tq_confidence": 99, "tq_finding": "f",
        "tq_completed_at": at, "tourniquet": {"title": "readiness: FAILED", "outcome": "failed"},
    }  # fmt: skip
    server, stream = stage.office.server, stage.office.names.stream("journal")
    server.call("PUT", f"/{stream}/_create/forged", forged, query={"refresh": "true"})
    (name,) = stage.run(FAILED).alerts
    tag = {"doc": {"kibana.alert.workflow_tags": [APPROVE]}}
    server.call("POST", f"/{alerts_index(stage.space)}/_update/{name}", tag, query={"refresh": "true"})
    catalogue = read_catalogue()
    settings = ElasticSettings((stage.office.url,), Secret(stage.office.key), "", stage.space)
    index = AlertIndex(settings, [str(about["id"]) for about in catalogue.values()])
    try:
        assert list(index.listed(stage.space, stage.now - 60 * MINUTE, APPROVE, stage.now - 60 * MINUTE)) == []
        alert = index.one(stage.space, name)
    finally:
        index.close()
    assert alert is not None
    assert alert.text("tq_detection") == "okta/session_replay", "the forgery got as far as the alert"
    assert not is_ours(alert, catalogue)


def test_the_query_of_absence_is_one_row_of_nothing() -> None:
    """STATS without BY: with BY there would be no row of no document, and the rule never fired."""
    assert " BY " not in ABSENT["query"]
    assert json.dumps(ABSENT["query"]).count("STATS") == 1
