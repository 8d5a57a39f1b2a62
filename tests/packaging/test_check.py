"""The built package's hourly check of the vendors under Splunk's Pythons: what it finds becomes events, no secret does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, List

from responders.drill.world import World
from tests.packaging.splunk import Splunk
from tests.packaging.test_alert_process import each_python, splunk  # noqa: F401 - a fixture


def told(splunk: Splunk) -> List[Dict[str, Any]]:  # noqa: F811
    """What was sent since it was last asked for."""
    events = [event for event in splunk.deployment.events if event.sourcetype == "tourniquet:readiness"]
    splunk.deployment.events.clear()
    return [json.loads(event.raw) for event in events]


@each_python
def test_each_vendor_and_each_action_is_told(python: str, splunk: Splunk, world: World) -> None:  # noqa: F811
    """Reachable, signed in, the rate limit's rest, each action of the policy; a vendor that is down and one whose credential
    is wrong are told as that, and cost the others nothing. All is text, and nothing of it is a secret."""
    splunk.configure(world, [])
    world.okta.per_minute = 100
    ran = splunk.check(python)
    rows = told(splunk)
    whole = {row["vendor"]: row for row in rows if row["kind"] == "connection"}
    assert set(whole) >= {"okta", "entra", "cyberark"}
    assert {row["reachable"] for row in whole.values()} == {row["signed_in"] for row in whole.values()} == {"yes"}
    assert 0 < float(whole["okta"]["rate_left"]) <= 1
    assert whole["entra"]["rate_left"] == "-"
    actions = {row["action"]: row for row in rows if row["kind"] == "action"}
    assert {"okta.suspend_user", "entra.disable_user", "cyberark.disable_user"} <= set(actions)
    assert all(isinstance(value, str) and value for row in rows for value in row.values())
    assert ran.code == (1 if "no" in {row["ready"] for row in rows} else 0)
    for secret in (password.clear for password in splunk.deployment.passwords.values()):
        assert secret not in json.dumps(rows) + ran.stderr

    world.graph.down = True
    passwords = splunk.deployment.passwords
    name = next(key for key in passwords if key[-1].startswith("okta"))
    passwords[name] = replace(passwords[name], clear="no key")
    ran = splunk.check(python)
    world.graph.down = False
    whole = {row["vendor"]: row for row in told(splunk) if row["kind"] == "connection"}
    assert (ran.code, whole["cyberark"]["signed_in"]) == (1, "yes")
    assert (whole["entra"]["reachable"], whole["entra"]["ready"]) == ("no", "no")
    assert (whole["okta"]["signed_in"], whole["okta"]["ready"]) == ("no", "no")
    assert any('connection="entra:' in line and "WARN" in line for line in ran.log)


@each_python
def test_before_the_set_up_it_says_what_is_missing(python: str, splunk: Splunk) -> None:  # noqa: F811
    """No event, exit code 3, and a sentence with the remedy in its log."""
    ran = splunk.check(python)
    assert (ran.code, told(splunk)) == (3, [])
    assert "enter it on the setup page" in ran.log[0]
