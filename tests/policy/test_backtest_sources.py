"""Past alerts from Splunk's job endpoints (a small server) and from a real Elasticsearch."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from responders.content.elastic.server import Server
from responders.errors import BadAlert
from responders.inventory.resolve import Inventory
from responders.splunk.splunkd import Splunkd, SplunkError
from responders.surfaces.assemble import read_catalogue
from responders.surfaces.command_line.main import main
from responders.surfaces.command_line.past_alerts import from_elastic, from_splunk
from tests.elastic.office import Office
from tests.elastic.test_settings import secret
from tests.kibana.executor import make_alerts_index
from tests.policy.test_backtest import company, row
from tests.splunkd.jobs import TOKEN, JobServer

SLUG = "okta/session_replay"


class Jobs(JobServer):
    """Splunk's search jobs: one job at a time, done at the second look, its results in pages of at most two."""

    def __init__(self, results: List[Dict[str, Any]]) -> None:
        self.results, self.fails = results, False
        self.asked: List[Tuple[str, str, Dict[str, List[str]]]] = []
        self.looks = 0
        self.more: Dict[str, Any] = {}
        super().__init__()

    def answer(self, method: str, path: str, query: Dict[str, List[str]], form: Dict[str, List[str]]) -> Tuple[int, Any]:
        self.asked.append((method, path.rpartition("/search/")[2], form or query))
        if method == "POST" and path.endswith("/search/jobs"):
            return 201, {"sid": "77.1"}
        if method == "DELETE":
            return 200, {}
        if path.endswith("/search/jobs/77.1"):
            self.looks += 1
            content: Dict[str, Any] = {"isDone": self.looks > 1, "isFailed": self.fails, **self.more}
            content["messages"] = [{"type": "FATAL", "text": "Unknown search command 'tbale'."}] if self.fails else []
            return 200, {"entry": [{"name": "x", "content": content}]}
        if path.endswith("/search/v2/jobs/77.1/results"):
            start = int(query["offset"][0])
            return 200, {"results": self.results[start : start + 2]}
        return 404, {}


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    found = Jobs([{**row(number, 90, tq_detection=SLUG), "tq_events{}": ["a", "b"]} for number in range(5)])
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_results_of_a_splunk_search_come_page_by_page(jobs: Jobs) -> None:
    """Every result once, over the time asked for; the job is deleted; a JSON list's {} is no part of a name."""
    since = datetime(2026, 10, 1, tzinfo=timezone.utc)
    found = list(from_splunk(Splunkd(jobs.url, TOKEN), "index=x", since))
    assert [place for place, _ in found] == [f"Splunk, result {number}" for number in range(1, 6)]
    assert found[0][1]["tq_events"] == ["a", "b"]
    method, _, form = jobs.asked[0]
    assert (method, form["search"], form["earliest_time"]) == ("POST", ["search index=x"], [str(int(since.timestamp()))])
    assert jobs.asked[-1][:2] == ("DELETE", "jobs/77.1")


def test_a_search_that_fails_says_why(jobs: Jobs) -> None:
    """Splunk's own words; the job is deleted all the same."""
    jobs.fails = True
    with pytest.raises(SplunkError, match="Unknown search command"):
        list(from_splunk(Splunkd(jobs.url, TOKEN), "| tbale x", datetime.now(timezone.utc)))
    assert jobs.asked[-1][0] == "DELETE"


@pytest.mark.parametrize(
    ("more", "why"), [({"isFinalized": True}, "before it was through"), ({"resultCount": 6}, "5 of 6 results came")]
)
def test_a_part_of_the_alerts_is_no_export(jobs: Jobs, more: Dict[str, Any], why: str) -> None:
    """A search that ran into a limit of its user is done too, and says so; a page that is missing is seen by the count."""
    jobs.more = more
    with pytest.raises(SplunkError, match=why):
        list(from_splunk(Splunkd(jobs.url, TOKEN), "index=x", datetime.now(timezone.utc)))
    assert jobs.asked[-1][0] == "DELETE"


def test_the_command_reads_splunk(jobs: Jobs, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """With a token from the environment; which is in no output."""
    held = tmp_path / "inventory.json"
    held.write_text(company().to_json())
    monkeypatch.setenv("TOURNIQUET_SPLUNK_TOKEN", TOKEN)
    assert main(["policy", "backtest", "--splunk", jobs.url, "--inventory", str(held), "--json"]) == 0
    said = capsys.readouterr().out
    assert json.loads(said)["as_is"]["judged"] == 5
    assert TOKEN not in said
    assert main(["policy", "backtest", "x.json", "--splunk", jobs.url, "--inventory", str(held)]) == 2


@pytest.mark.engine("elasticsearch")
def test_alerts_of_elastic_come_with_what_they_were_closed_as(elasticsearch_url: str) -> None:
    """Of our rules only, since the time asked for, the oldest first; more than a page of them. A space without is told."""
    space, now = f"bt{secrets.token_hex(5)}", datetime.now(timezone.utc)
    rule = str(read_catalogue()[SLUG]["id"])
    with Server(elasticsearch_url) as server:
        index = make_alerts_index(server, space)
        try:
            documents = []
            for number in range(2005):
                at = (now - timedelta(minutes=number)).isoformat()
                closed = {"kibana.alert.workflow_status": "closed", "kibana.alert.workflow_reason": "false_positive"}
                body = {**row(number, 90, tq_detection=SLUG), "@timestamp": at, "kibana.alert.rule.rule_id": rule, **closed}
                documents.append((index, f"a{number}", body))
            old = {**documents[0][2], "@timestamp": (now - timedelta(days=40)).isoformat()}
            documents += [(index, "old", old), (index, "other", {**documents[0][2], "kibana.alert.rule.rule_id": "other"})]
            server.bulk(documents)
            server.call("POST", f"/{index}/_refresh")
            found = list(from_elastic(server, space, now - timedelta(days=30), read_catalogue()))
            with pytest.raises(BadAlert, match=r"the space has no alerts.*name the space .* with --space"):
                list(from_elastic(server, f"{space}x", now, read_catalogue()))
        finally:
            server.delete([index])
    assert len(found) == 2005
    assert found[0][0] == "Elasticsearch, alert a2004"
    assert found[0][1]["kibana.alert.workflow_reason"] == "false_positive"


@pytest.mark.engine("elasticsearch")
def test_the_inventory_is_read_from_where_the_settings_keep_it(
    elasticsearch_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inventory in Elasticsearch gives the same backtest as its file, by a key of the shipped role."""
    known = company(size=2100)
    whole = Inventory(known.identities, {"okta:corp:two@corp.example": "id-2"}, known.restorers)
    alerts, held, settings = tmp_path / "alerts.jsonl", tmp_path / "inventory.json", tmp_path / "settings.json"
    given = [row(number, 90, minutes=61 * number, tq_detection=SLUG) for number in range(3)]
    given[2]["tq_account"] = "okta:corp:two@corp.example"
    alerts.write_text("".join(json.dumps(one) + "\n" for one in given))
    held.write_text(whole.to_json())
    with Office(elasticsearch_url) as office:
        monkeypatch.setattr("responders.inventory.elasticsearch.ElasticInventory.__init__.__defaults__",
                            (office.names.identities,))  # fmt: skip
        settings.write_text(
            json.dumps({
                "connections": [],
                "elasticsearch": {"url": elasticsearch_url, "api_key": secret(tmp_path / "elastic.key", office.key)},
                "journal": {"path": "journal.db", "key": secret(tmp_path / "journal.key", "k" * 32)},
                "inventory": "elasticsearch",
            })
        )  # fmt: skip
        command = ["policy", "backtest", str(alerts), "--json"]
        assert main([*command, "--settings", str(settings)]) != 0
        assert "no such index" in capsys.readouterr().err
        office.fill(whole)
        assert main([*command, "--settings", str(settings)]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert main([*command, "--inventory", str(held)]) == 0
    filed = json.loads(capsys.readouterr().out)
    assert kept["as_is"] == filed["as_is"]
    assert (kept["as_is"]["identities"], kept["inventory"], kept["population"]) == (3, filed["inventory"], 2100)
