"""`tourniquet validate`: one command, one exit code, one event, for all that must hold between incidents."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from datetime import timedelta
from typing import Any, Dict, Mapping, Tuple

import pytest

from responders.containment import due
from responders.drill.world import Person
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from tests.splunkd import Deployment, Splunkd
from tests.surfaces.office import Office


@pytest.fixture
def office_with_alice(office: Office) -> Tuple[Office, Person]:
    """Alice's desk, the default policy with its cases, and a journal that was begun: of a new one the anchor is missing."""
    office.write_settings(policy="", timing={"deadline": 8, "confirm_patience": 0.5})
    alice = office.person("alice")
    for command in ("halt", "resume"):
        assert office.run(command, "--by", "ida", "--reason", "an exercise").code == 0
    return office, alice


def checks(row: Mapping[str, Any]) -> Dict[str, Any]:
    return {check["check"]: check for check in row["checks"]}


def test_all_is_sound(office_with_alice: Tuple[Office, Person]) -> None:
    """Journal, policy, permissions and an open containment that holds: exit code 0, nothing changed, nobody told."""
    office, alice = office_with_alice
    assert office.run("contain", office.alerts(office.alert(alice))).code == 0
    before, told = office.changes(), len(office.escalated())
    ran = office.run("validate", "--json")
    assert (ran.code, ran.json["valid"]) == (0, True), ran.out
    found = checks(ran.json)
    assert {name: check["ok"] for name, check in found.items()} == {
        "journal": True, "automation": True, "policy": True, "readiness": True, "still contained": True,
    }  # fmt: skip
    assert found["still contained"]["note"].startswith("1 open, ")
    assert (office.changes(), len(office.escalated())) == (before, told)
    [entry] = office.run("journal", "show", "validation", "--json").lines
    assert (entry["kind"], entry["body"]["valid"]) == ("validation", True)


def test_what_an_attacker_undid_is_found_and_only_repaired_when_asked(office_with_alice: Tuple[Office, Person]) -> None:
    """Alice was set free at Okta. It is said once, not every hour; read-only at first, put back with --repair."""
    office, alice = office_with_alice
    office.run("contain", office.alerts(office.alert(alice)))
    users = office.world.okta.state["users"]
    users[alice.okta]["status"] = "ACTIVE"
    before, told = office.changes(), len(office.escalated())
    ran = office.run("validate", "--json")
    assert (ran.code, ran.json["title"]) == (1, "validation FAILED: still contained")
    assert any("okta.suspend_user" in problem for problem in checks(ran.json)["still contained"]["problems"])
    assert (office.changes(), users[alice.okta]["status"]) == (before, "ACTIVE")
    assert [report["title"] for report in office.escalated()[told:]] == ["validation FAILED: still contained"]
    assert office.run("validate").code == 1
    assert len(office.escalated()) == told + 1
    repaired = office.run("validate", "--repair", "--json")
    assert "put back" in checks(repaired.json)["still contained"]["problems"][0]
    assert users[alice.okta]["status"] == "SUSPENDED"
    assert office.run("validate").code == 0


def test_each_check_fails_by_itself(office_with_alice: Tuple[Office, Person]) -> None:
    """A dead vendor, a case that does not hold and a policy without cases: each is named, none hides another."""
    office, _ = office_with_alice
    office.world.cyberark.down = True
    wrong = office.folder / "wrong_cases.yaml"
    wrong.write_text(
        "cases:\n  - name: nobody is ever revoked\n    alerts: [{confidence: 95}]\n    expect: {tier: observe}\n"
    )
    ran = office.run("validate", "--cases", str(wrong), "--json")
    found = checks(ran.json)
    assert ran.code == 1
    assert (found["journal"]["ok"], found["still contained"]["ok"]) == (True, True)
    assert (found["policy"]["ok"], found["readiness"]["ok"]) == (False, False)
    assert "cyberark:default" in found["readiness"]["problems"][0]
    office.write_settings()
    assert checks(office.run("validate", "--json").json)["policy"]["ok"] is None


def test_a_forgotten_halt_and_work_that_nobody_does_are_found(office_with_alice: Tuple[Office, Person]) -> None:
    """Automation that stands still raises no alarm by itself."""
    office, _ = office_with_alice
    with contextlib.closing(SqliteStore(str(office.journal))) as store:
        journal = Journal(store, office.world.key)
        due.add(journal, "recheck", "c-none", journal.clock() - timedelta(minutes=20))
    office.run("halt", "--by", "ida", "--reason", "maintenance")
    ran = office.run("validate", "--json")
    halted, late = checks(ran.json)["automation"]["problems"]
    assert (ran.code, "maintenance" in halted, "1 entries are due" in late) == (1, True, True)


def test_an_edited_journal_is_found(office_with_alice: Tuple[Office, Person]) -> None:
    """Whoever edits the journal does not get a sound validation out of it."""
    office, alice = office_with_alice
    office.run("contain", office.alerts(office.alert(alice)))
    with sqlite3.connect(office.journal) as store:
        table = next(name for (name,) in store.execute("select name from sqlite_master where type='table'"))
        columns = [row[1] for row in store.execute(f"pragma table_info({table})")]
        store.execute(f"delete from {table} where {columns[0]} like 'done/%'")  # noqa: S608
        changed = store.execute(
            f"update {table} set {columns[1]} = replace({columns[1]}, 'session_replay', 'session_replaced') "  # noqa: S608
            f"where {columns[0]} like 'e/a-%'"
        ).rowcount
    store.close()
    assert changed
    ran = office.run("validate", "--json")
    assert ran.code == 1
    assert "was edited" in checks(ran.json)["journal"]["problems"][0]


def test_the_drill_and_the_event_for_splunk(office_with_alice: Tuple[Office, Person]) -> None:
    """With a canary the drill is a check of its own; the event is what the journal's mirror would send, and verifiable."""
    office, _ = office_with_alice
    office.person("cat", canary="true")
    deployment = Deployment()
    token = office.folder / "splunk.token"
    with Splunkd(deployment) as splunkd:
        token.touch(mode=0o600)
        token.write_text(splunkd.session("splunk-system-user"))
        place = ("--splunk-url", splunkd.uri, "--splunk-token-file", str(token), "--splunk-index", "main")
        ran = office.run("validate", "--canary", "cat", "--json", *place)
    assert ran.code == 0, ran.out
    assert checks(ran.json)["canary"]["ok"] is True
    [event] = [event for event in deployment.events if event.sourcetype == "tourniquet:journal"]
    sent = json.loads(event.raw)
    assert (sent["kind"], sent["entry"], sent["chain"], sent["body"]["valid"]) == ("entry", "validation", "validation", True)
    again = office.run("validate", "--canary", "cat", "--json")
    assert (again.code, "one an hour" in checks(again.json)["canary"]["problems"][0]) == (1, True)


def test_a_siem_that_takes_nothing_is_said(office_with_alice: Tuple[Office, Person]) -> None:
    """The result is in the journal; that it did not reach Splunk is a failure of its own."""
    office, _ = office_with_alice
    token = office.folder / "splunk.token"
    token.touch(mode=0o600)
    token.write_text("a-token")
    ran = office.run("validate", "--json", "--splunk-url", "http://127.0.0.1:9", "--splunk-token-file", str(token))
    assert ran.code == 1
    assert checks(ran.json)["told"]["ok"] is False
