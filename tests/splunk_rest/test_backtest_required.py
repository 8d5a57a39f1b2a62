"""A policy that asks for a backtest, inside Splunk."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from responders.policy.policy import from_compiled
from responders.policy.proof import digest
from responders.surfaces.command_line.main import main
from tests.splunk_rest.office import Office
from tests.splunk_rest.test_configuration import current, propose


def test_a_policy_that_asks_for_a_backtest_is_activated_with_its_record_only(office: Office) -> None:
    """Without it, or with another policy's: refused.

    The next policy can't drop the rule, nor can the one after the default, which is the way back.
    """
    office.inventory()
    version = propose(office, {**current(office), "version": "mine-1", "require_backtest": True}).body["version"]
    assert "needs a backtest" in office.ask("ed", "PUT", "policy", {"version": version, "why": "go"}).error
    stored = json.loads(office.deployment.rows("tourniquet_policy")[0]["doc"])["policy"]
    record = {"policy": digest(from_compiled(stored)), "made": datetime.now(timezone.utc).isoformat(), "judged": 7,
              "bad": 0, "asked_days": 30}  # fmt: skip
    wrong = {"version": version, "why": "go", "record": {**record, "policy": "sha256:0"}}
    assert "another policy" in office.ask("ed", "PUT", "policy", wrong).error
    assert office.ask("ed", "PUT", "policy", {"version": version, "why": "go", "record": record}).status == 200
    after = propose(office, {**current(office), "version": "mine-2", "require_backtest": False}).body["version"]
    refused = office.ask("ed", "PUT", "policy", {"version": after, "why": "go"})
    assert (refused.status, "needs a backtest" in refused.error) == (400, True)
    assert office.ask("ed", "PUT", "policy", {"version": "", "why": "back"}).status == 200
    roundabout = office.ask("ed", "PUT", "policy", {"version": after, "why": "go"})
    assert (roundabout.status, "needs a backtest" in roundabout.error) == (400, True)


def test_what_the_page_saves_is_backtested_and_activated_with_that_record(office: Office, tmp_path: Path) -> None:
    """The policy in use, saved and changed, goes through the command line's backtest; its record is the one that counts.

    What `policy build` then writes of it is taken as a proposal, too.
    """
    office.inventory()
    mine, record, built = tmp_path / "mine.json", tmp_path / "record.json", tmp_path / "built.json"
    mine.write_text(json.dumps({**current(office), "version": "mine-1", "require_backtest": True}))
    people, alerts = tmp_path / "people.csv", tmp_path / "alerts.json"
    people.write_text("id,kind,owner,accounts\nmallory,human,SOC,okta:acme:00u1\n")
    at = (datetime.now(timezone.utc) - timedelta(days=1)).isoformat()
    row = {"tq_account": "okta:acme:00u1", "tq_detection": "okta/api_token_new_network", "tq_confidence": "90"}
    alerts.write_text(json.dumps([{**row, "tq_finding": "f1", "tq_completed_at": at, "_time": at}]))
    backtest = ["policy", "backtest", str(alerts), "--policy", str(mine), "--inventory", str(people)]
    assert main([*backtest, "--record", str(record)]) == 0
    assert main(["policy", "build", str(mine), "--output", str(built), "--record", str(record)]) == 0
    reply = propose(office, json.loads(built.read_text()))
    assert (reply.status, reply.body["diff"]) == (200, ["require_backtest: False becomes True"])
    assert [one["backtest"] for one in office.ask("vic", "GET", "policy").body["versions"]] == [True]
    go = {"version": reply.body["version"], "why": "go", "record": json.loads(record.read_text())}
    assert office.ask("ed", "PUT", "policy", go).status == 200
