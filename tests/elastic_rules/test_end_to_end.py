"""Rules imported → raw events indexed → the rule run as Kibana runs it → an alert document that the responder understands.

Kibana's part is an emulation (tests/kibana/executor.py says what it follows); Elasticsearch and the queries are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, Iterator, List

import pytest

from responders.alerts.row import alert_from_row
from responders.content.elastic import ElasticRun
from responders.content.elastic.query import in_namespace
from responders.content.elastic.server import Server
from responders.content.elastic.trial import lookups_of
from responders.content.trial import play
from responders.elastic.import_rules import changes, send
from responders.elastic.kibana import Kibana
from responders.settings import Secret
from responders.surfaces.assemble import read_catalogue
from tests import shipped
from tests.elastic_rules.conftest import KEY, SHIPPED, rules_of
from tests.kibana.executor import Ran, alerts, make_alerts_index, run_rule
from tests.kibana.server import SmallKibana
from tests.kibana.store import Rules

pytestmark = pytest.mark.engine("elasticsearch")

SLUGS = ("okta/session_replay", "vault/root_token", "okta/api_token_created")
DETECTIONS = {detection.slug: detection for detection in shipped.detections() if detection.slug in SLUGS}


@dataclass
class Stage:
    """One space with our rules, one namespace of indices."""

    kibana: SmallKibana
    server: Server
    events: ElasticRun
    client: Kibana

    @property
    def space(self) -> str:
        return self.events.namespace

    @property
    def rules(self) -> Rules:
        return self.kibana.spaces[self.space]

    def index(self, slug: str) -> datetime:
        """Index the first example that fires; when it was ingested."""
        example = next(example for example in DETECTIONS[slug].examples if example.fires)
        played = play(example)
        self.events.set_lookups(lookups_of(played))
        return self.events.add(played.events).ingested

    def run(self, slug: str, at: datetime, **more: Any) -> Ran:
        rewrite: Callable[[str], str] = lambda query: in_namespace(query, self.events.namespace)  # noqa: E731
        return run_rule(
            self.kibana, self.server, DETECTIONS[slug].id, at, **{"space": self.space, "rewrite": rewrite, **more}
        )

    def alerts(self) -> List[Dict[str, Any]]:
        return alerts(self.server, self.space)


@pytest.fixture(scope="module")
def whole(elasticsearch_url: str) -> Iterator[Stage]:
    """One namespace for all tests: batches of events are searched apart from each other by when they were ingested."""
    with (
        SmallKibana(elasticsearch_url) as kibana,
        ElasticRun(elasticsearch_url, list(DETECTIONS.values())) as events,
        Server(elasticsearch_url) as server,
        Kibana(kibana.url, space=events.namespace, key=Secret(KEY)) as client,
    ):
        yield Stage(kibana, server, events, client)


@pytest.fixture
def stage(whole: Stage) -> Iterator[Stage]:
    """Without alerts, with our rules as imported, on a Basic licence."""
    whole.kibana.spaces[whole.space] = Rules()
    whole.kibana.licence = "basic"
    name = make_alerts_index(whole.server, whole.space)
    rules = rules_of((SHIPPED / "rules.ndjson").read_text(encoding="utf-8"), SLUGS)
    try:
        assert all(not outcome.error for outcome in send(whole.client, changes(whole.client, rules)))
        yield whole
        assert whole.kibana.violations() == []
    finally:
        whole.server.delete([name])


@pytest.mark.parametrize("slug", SLUGS)
def test_the_alert_names_who_the_detection_names(stage: Stage, slug: str) -> None:
    """The document's `tq_*` fields are an alert that the responder reads: account, points, events as index/_id."""
    assert stage.run(slug, stage.index(slug)).status == "succeeded"
    found = {alert["tq_account"]: alert for alert in stage.alerts()}
    example = next(example for example in DETECTIONS[slug].examples if example.fires)
    assert sorted(found) == sorted(example.fires)
    for document in found.values():
        at = datetime.fromisoformat(document["@timestamp"].replace("Z", "+00:00"))
        row = {key: value for key, value in document.items() if key.startswith("tq_")}
        alert = alert_from_row(row, read_catalogue(), at)
        assert (alert.detection, alert.confidence) == (slug, document["kibana.alert.risk_score"])
        assert document["kibana.alert.severity"] == document["tq_severity"]
        assert alert.events
        for name in alert.events:
            index, _, one = name.partition("/")
            assert stage.server.call("GET", f"/{index}/_doc/{one}")["found"] is True


def test_an_event_is_one_alert_and_an_aggregate_one_each_run(stage: Stage) -> None:
    """Kibana knows an event's alert by its id; a row of STATS is new to it each time, under the same tq_finding."""
    at = stage.index("okta/api_token_created")
    first, *later = (len(stage.run("okta/api_token_created", at + timedelta(seconds=n)).alerts) for n in range(3))
    assert first > 0
    assert later == [0, 0]
    at = stage.index("okta/session_replay")
    assert [len(stage.run("okta/session_replay", at + timedelta(seconds=n)).alerts) for n in range(3)] == [1, 1, 1]
    findings = [alert["tq_finding"] for alert in stage.alerts() if alert["tq_detection"] == "okta/session_replay"]
    assert len(findings) == 3
    assert len(set(findings)) == 1


def test_suppression_joins_one_finding_and_never_another(stage: Stage) -> None:
    """On Platinum: repetitions count in the first alert; another finding about the same identity is an alert of its own."""
    stage.kibana.licence = "platinum"
    at = stage.index("okta/session_replay")
    assert [len(stage.run("okta/session_replay", at + timedelta(seconds=n)).alerts) for n in range(3)] == [1, 0, 0]
    (alert,) = stage.alerts()
    assert alert["kibana.alert.suppression.docs_count"] == 2
    rule = stage.rules.rules[DETECTIONS["okta/session_replay"].id]
    rule["query"] += '\n| EVAL tq_finding = CONCAT(tq_finding, "|again")'
    assert len(stage.run("okta/session_replay", at + timedelta(seconds=4)).alerts) == 1
    assert len({alert["tq_identity"] for alert in stage.alerts()}) == 1


def test_closing_raises_it_anew_and_acknowledging_does_not(stage: Stage) -> None:
    """With suppression on; so write-back acknowledges and never closes."""
    stage.kibana.licence = "platinum"
    at = stage.index("okta/session_replay")
    (name,) = stage.run("okta/session_replay", at).alerts
    for status, more in (("acknowledged", 0), ("closed", 1)):
        body = {"signal_ids": [name], "status": status}
        stage.client.call("POST", "/api/detection_engine/signals/status", body)
        assert len(stage.run("okta/session_replay", at + timedelta(seconds=1 + more)).alerts) == more


def test_what_was_ingested_before_the_look_back_is_not_seen(stage: Stage) -> None:
    """The filter is on event.ingested, as timestamp_override says."""
    at = stage.index("vault/root_token")
    rule = stage.rules.rules[DETECTIONS["vault/root_token"].id]
    back = int(rule["from"].removeprefix("now-").removesuffix("s"))
    assert stage.run("vault/root_token", at + timedelta(seconds=back + 1)).alerts == ()
    assert stage.run("vault/root_token", at - timedelta(seconds=1)).alerts == ()
    assert stage.run("vault/root_token", at + timedelta(seconds=back)).alerts


def test_a_run_that_finds_too_much_says_so(stage: Stage) -> None:
    """Over max_signals: the strongest become alerts, and the rule's status warns, which the doctor takes for an alarm."""
    from responders.elastic.doctor import rules as check
    from responders.elastic.doctor.finding import ERROR, Scene

    at = stage.index("vault/root_token")
    rule = stage.rules.rules[DETECTIONS["vault/root_token"].id]
    rule.update(
        max_signals=1, enabled=True, query=rule["query"].split("| LOOKUP")[0] + "| EVAL tq_confidence = 1\n| KEEP tq_*"
    )
    rule["query"] = rule["query"].replace("| KEEP", "| EVAL twice = [1, 2]\n| MV_EXPAND twice\n| KEEP")
    ran = stage.run("vault/root_token", at)
    assert (len(ran.alerts), ran.status) == (1, "partial failure")
    shipped = [{**rule, "version": 1}]
    scene = Scene(stage.server, stage.client, shipped, stage.client.rules([rule["rule_id"]]), (), at)
    assert any(one.level == ERROR and "more than its 1 alerts" in one.what for one in check.check(scene))


def test_a_rule_without_its_lookup_fails_and_says_so(stage: Stage) -> None:
    """The rule's status is what the doctor reads: failed, with Elasticsearch's own words."""
    at = stage.index("vault/root_token")
    rewrite = lambda query: in_namespace(query, stage.space).replace("tourniquet-accounts-", "tourniquet-nothing-")  # noqa: E731
    ran = stage.run("vault/root_token", at, rewrite=rewrite)
    assert ran.status == "failed"
    assert "Unknown index" in ran.message
    last = stage.rules.rules[DETECTIONS["vault/root_token"].id]["execution_summary"]["last_execution"]
    assert last["status"] == "failed"


def test_an_exception_sees_fields_of_the_event_only(stage: Stage) -> None:
    """One on an event's field takes the alert away; one on `tq_identity` does nothing: identities belong into the lookup."""
    at = stage.index("okta/api_token_created")
    (alert, *_) = stage.run("okta/api_token_created", at).alerts
    held = {one["kibana.alert.uuid"]: one for one in stage.alerts()}[alert]
    stage.server.delete([make_alerts_index(stage.server, stage.space)])
    make_alerts_index(stage.server, stage.space)
    assert alert in stage.run("okta/api_token_created", at, exceptions=[("tq_identity", held["tq_identity"])]).alerts
    stage.server.delete([make_alerts_index(stage.server, stage.space)])
    make_alerts_index(stage.server, stage.space)
    field = ("okta.actor.id", held["okta"]["actor"]["id"])
    assert alert not in stage.run("okta/api_token_created", at, exceptions=[field]).alerts
