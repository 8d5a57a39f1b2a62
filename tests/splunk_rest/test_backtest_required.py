"""A policy that asks for a backtest, inside Splunk."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from responders.policy.policy import from_compiled
from responders.policy.proof import digest
from tests.splunk_rest.office import Office
from tests.splunk_rest.test_configuration import current, propose


def test_a_policy_that_asks_for_a_backtest_is_activated_with_its_record_only(office: Office) -> None:
    """Without it, or with another policy's: refused. The next policy can't drop the rule; the default is the way back."""
    office.inventory()
    version = propose(office, {**current(office), "version": "mine-1", "require_backtest": True}).body["version"]
    assert "needs a backtest" in office.ask("ed", "PUT", "policy", {"version": version, "why": "go"}).error
    stored = json.loads(office.deployment.rows("tourniquet_policy")[0]["doc"])["policy"]
    record = {"policy": digest(from_compiled(stored)), "made": datetime.now(timezone.utc).isoformat(), "judged": 7}
    wrong = {"version": version, "why": "go", "record": {**record, "policy": "sha256:0"}}
    assert "another policy" in office.ask("ed", "PUT", "policy", wrong).error
    assert office.ask("ed", "PUT", "policy", {"version": version, "why": "go", "record": record}).status == 200
    after = propose(office, {**current(office), "version": "mine-2", "require_backtest": False}).body["version"]
    refused = office.ask("ed", "PUT", "policy", {"version": after, "why": "go"})
    assert (refused.status, "needs a backtest" in refused.error) == (400, True)
    assert office.ask("ed", "PUT", "policy", {"version": "", "why": "back"}).status == 200
