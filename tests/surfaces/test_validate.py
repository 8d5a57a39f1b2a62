"""`tourniquet validate`: one command, one exit code, one event, for all that must hold between incidents."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from datetime import timedelta
from typing import Any, Dict, Mapping, Tuple

import pytest

from responders.containment import due
from responders.drill.world import Person
from responders.inventory.sync.raw import RawStore
from responders.inventory.sync.source import Row
from responders.journal.chain import Journal
from responders.journal.sqlite import SqliteStore
from responders.policy.policy import from_compiled
from responders.policy.proof import digest, sign
from responders.surfaces.command_line.policies import DEFAULT
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
        "journal": True, "automation": True, "policy": True, "backtest": None, "inventory": None, "readiness": True,
        "still contained": True, "last canary": None,
    }  # fmt: skip
    assert found["still contained"]["note"].startswith("1 open, ")
    assert (office.changes(), len(office.escalated())) == (before, told)
    [chain] = [row["chain"] for row in office.run("journal", "list", "--json").lines if row["chain"].startswith("v-")]
    entry, *each, last = office.run("journal", "show", chain, "--json").lines
    assert (entry["kind"], entry["body"]["valid"], last["kind"]) == ("validation", True, "ended")
    assert [(item["kind"], item["body"]["check"], item["body"]["result"]) for item in each] == [
        ("check", name, "not checked" if check["ok"] is None else "sound") for name, check in found.items()
    ]


def test_a_new_installation_is_sound(office: Office) -> None:
    """No entry was ever written, and no anchor: no failure, but said. Without its anchor a journal in use is one, once."""
    office.write_settings(policy="")
    office.person("alice")  # CyberArk tells rights on safes: here is one
    first = office.run("validate", "--json")
    assert first.code == 0, first.out
    assert "a new installation" in checks(first.json)["journal"]["note"]
    assert "every chain" in checks(office.run("validate", "--json").json)["journal"]["note"]
    (office.folder / "journal.anchor").unlink()
    lost = office.run("validate", "--json")
    assert lost.code == 1
    missing, remedy = checks(lost.json)["journal"]["problems"]
    assert "anchor file is missing" in missing and "begins a new anchor file" in remedy
    assert office.run("validate").code == 0


def test_an_old_inventory_is_found(office_with_alice: Tuple[Office, Person]) -> None:
    """By the age of its file; and of what each vendor showed, where the state of a sync stands beside it."""
    office, _ = office_with_alice
    command = ("validate", "--inventory-hours", "26", "--json")
    assert checks(office.run(*command).json)["inventory"]["ok"] is True
    people, day = office.folder / "people.csv", 86400.0
    os.utime(people, (time.time() - 2 * day,) * 2)
    ran = office.run(*command)
    problems = checks(ran.json)["inventory"]["problems"]
    assert (ran.code, "people.csv" in problems[0], "more than 26 h ago" in problems[0]) == (1, True, True)
    told = len(office.escalated())
    assert office.run(*command).code == 1
    assert len(office.escalated()) == told
    compiled = office.folder / "compiled.json"
    assert office.run("inventory", "build", str(people), "--output", str(compiled)).code == 0
    office.write_settings(policy="", inventory="compiled.json")
    with RawStore(compiled.with_suffix(".observed.db")) as store:
        for place, at in (("okta:default", time.time()), ("cyberark:default", time.time() - 2 * day), ("vault:gone", 1.0)):
            store.put(place, "users", [Row("u1", {}, "")], "", at)
    problems = checks(office.run(*command).json)["inventory"]["problems"]
    assert [problem.startswith("what cyberark:default showed is of") for problem in problems] == [True, False]
    assert office.run("validate", "--inventory-hours", "0").code == 2


def test_the_last_drill_must_be_young_and_have_worked(office_with_alice: Tuple[Office, Person]) -> None:
    """Never drilled, drilled and sound, drilled too long ago, drilled with a vendor down: said each, with the vendor."""
    office, _ = office_with_alice
    office.person("cat", canary="true")
    command = ("validate", "--json", "--canary-hours")
    assert "ever drilled" in checks(office.run(*command, "1").json)["last canary"]["problems"][0]
    assert office.run("readiness", "--canary", "cat").code == 0
    assert checks(office.run(*command, "1").json)["last canary"]["ok"] is True
    old = checks(office.run(*command, "0.0000001").json)["last canary"]
    assert (old["ok"], "more than 1e-07 h ago" in old["problems"][0]) == (False, True)


def test_a_drill_that_found_a_broken_path_fails_the_validations_after_it(office_with_alice: Tuple[Office, Person]) -> None:
    """Until the next one works."""
    office, _ = office_with_alice
    office.person("cat", canary="true")
    office.world.cyberark.down = True
    assert office.run("readiness", "--canary", "cat").code == 1
    office.world.cyberark.down = False
    found = checks(office.run("validate", "--json", "--canary-hours", "1").json)["last canary"]
    assert (found["ok"], any(problem.startswith("cyberark: ") for problem in found["problems"])) == (False, True)


def test_a_policy_that_asks_for_a_backtest_must_have_one(office_with_alice: Tuple[Office, Person]) -> None:
    """Of exactly what is in force: else it took the old one's place by another way than `policy build`."""
    office, _ = office_with_alice
    policy = json.loads(DEFAULT.with_suffix(".json").read_text())
    compiled, record = office.folder / "mine.json", office.folder / "mine.backtest.json"
    compiled.write_text(json.dumps({**policy, "require_backtest": True}))
    office.write_settings(policy="mine.json")
    missing = checks(office.run("validate", "--json").json)["backtest"]
    assert (missing["ok"], "no record of one" in missing["problems"][0]) == (False, True)
    of = digest(from_compiled(json.loads(compiled.read_text())))
    proof = {"policy": of, "made": "2020-01-01T00:00:00+00:00", "judged": 7, "bad": 0, "asked_days": 30, "population": 99}
    key = office.world.key
    record.write_text(json.dumps(sign({**proof, "population": 1}, key)))
    assert "knew 1 identities" in checks(office.run("validate", "--json").json)["backtest"]["problems"][0]
    record.write_text(json.dumps(sign(proof, key)))
    assert checks(office.run("validate", "--json").json)["backtest"]["ok"] is True
    for forged in (proof, {**sign(proof, key), "judged": 8}, sign(proof, b"x" * 64), {**proof, "signature": "\ud800"}):
        record.write_text(json.dumps(forged))
        assert "not made with this journal's key" in checks(office.run("validate", "--json").json)["backtest"]["problems"][0]
    compiled.write_text(json.dumps({**policy, "require_backtest": True, "version": "by another way"}))
    other = checks(office.run("validate", "--json").json)["backtest"]
    assert (other["ok"], "of another policy" in other["problems"][0]) == (False, True)
    record.write_text("{broken")
    assert checks(office.run("validate", "--json").json)["backtest"]["ok"] is False


def test_a_backtest_made_with_the_settings_is_what_validate_asks_for(office_with_alice: Tuple[Office, Person]) -> None:
    """Made elsewhere, without the journal's key, the same record of the same alerts is not."""
    office, alice = office_with_alice
    policy = json.loads(DEFAULT.with_suffix(".json").read_text())
    (office.folder / "mine.json").write_text(json.dumps({**policy, "require_backtest": True}))
    alerts, record = office.alerts(office.alert(alice)), str(office.folder / "mine.backtest.json")
    office.write_settings(policy="mine.json")
    command = ("policy", "backtest", alerts, "--policy", str(office.folder / "mine.json"), "--record", record)
    assert office.run(*command).code == 0
    assert checks(office.run("validate", "--json").json)["backtest"]["ok"] is True
    settings = office.settings.rename(office.folder / "elsewhere.json")
    assert office.run(*command, "--inventory", str(office.folder / "people.csv")).code == 0
    settings.rename(office.settings)
    assert checks(office.run("validate", "--json").json)["backtest"]["ok"] is False


def test_who_drops_the_rule_needs_a_backtest_for_that(office_with_alice: Tuple[Office, Person]) -> None:
    """By way of the default policy too: it is found until the policy that asks for none comes with a backtest of its own."""
    office, _ = office_with_alice
    policy = json.loads(DEFAULT.with_suffix(".json").read_text())
    compiled = office.folder / "mine.json"

    def after(**more: Any) -> Dict[str, Any]:
        compiled.write_text(json.dumps({**policy, **more}))
        found: Dict[str, Any] = checks(office.run("validate", "--json").json)["backtest"]
        return found

    office.write_settings(policy="mine.json")
    assert after(require_backtest=True)["ok"] is False
    office.write_settings(policy="")
    assert checks(office.run("validate", "--json").json)["backtest"]["ok"] is False
    office.write_settings(policy="mine.json")
    assert "does not ask" in after(version="loose")["problems"][0]
    of = digest(from_compiled(json.loads(compiled.read_text())))
    proof = {"policy": of, "judged": 7, "bad": 0, "asked_days": 30, "population": 99}
    (office.folder / "mine.backtest.json").write_text(json.dumps(sign(proof, office.world.key)))
    assert (after(version="loose")["ok"], after(version="looser")["ok"]) == (None, None)


def test_a_vendor_that_is_down_proves_nothing(office_with_alice: Tuple[Office, Person]) -> None:
    """An open containment that can't be read there is named, is a failure, and is neither contained nor fallen."""
    office, alice = office_with_alice
    office.run("contain", office.alerts(office.alert(alice)))
    office.world.okta.down = True
    ran = office.run("validate", "--json")
    found = checks(ran.json)["still contained"]
    assert (ran.code, found["ok"]) == (1, False)
    *unread, remedy = found["problems"]
    assert unread and all(line.startswith("alice (c-") and "): can't be read: okta." in line for line in unread)
    assert "`tourniquet readiness`" in remedy


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
    assert (ran.code, "maintenance" in halted, "nobody does it" in late) == (1, True, True)


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
    sent, *each = [json.loads(event.raw) for event in deployment.events if event.sourcetype == "tourniquet:journal"]
    assert [(item["entry"], item["body"]["check"]) for item in each] == [("check", name) for name in checks(ran.json)]
    assert (sent["kind"], sent["entry"], sent["body"]["valid"]) == ("entry", "validation", True)
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


def test_people_are_told_when_the_responder_can_not_be_opened(office_with_alice: Tuple[Office, Person]) -> None:
    """Whoever breaks the journal's file, or the inventory, must not keep the hourly check from being heard."""
    office, _ = office_with_alice
    people = office.folder / "people.csv"
    kept = people.read_text()
    people.write_text("id,kind\n?,?\n")
    assert office.run("validate").code != 0
    people.write_text(kept)
    office.journal.unlink()
    office.journal.write_bytes(b"no database, " * 1000)
    assert office.run("validate").code != 0
    inventory, journal = office.escalated()[-2:]
    for told, what in ((inventory, "people.csv"), (journal, "journal.db")):
        assert told["title"] == "validation FAILED: nothing could be checked"
        assert what in told["open_items"][0]
