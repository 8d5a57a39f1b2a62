"""Each command as a process of its own against the simulated vendors: outcome, exit code, JSON, and what people read."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Tuple

import pytest

from responders.drill.attacker import Attacker
from responders.drill.world import World
from responders.surfaces.command_line.main import COMMANDS
from tests.surfaces.office import ROOT, Office

REPORT = {
    "tourniquet", "containment", "title", "loud", "alert", "decision", "plan", "outcomes", "open_items", "created", "manual",
    "undo", "head", "at", "detected_at", "contained_at", "residual_until", "dry_run", "tier", "steps", "place", "exit",
}  # fmt: skip
STEP = {"id", "action", "account", "phase", "permissions", "breaks", "undo", "irreversible"}


def contained(office: Office, name: str, **more: str) -> str:
    """Somebody contained at tier revoke: the id of the containment."""
    ran = office.run("contain", office.alerts(office.alert(office.person(name, **more))), "--json")
    assert ran.code == 0, ran
    return str(ran.json["containment"])


def status_of(world: World, name: str) -> str:
    return str(world.okta.state["users"][world.people[name].okta]["status"])


# -- contain ----------------------------------------------------------------------------------------------


def test_contain_says_who_why_what_was_proved_and_how_to_undo(office: Office, world: World) -> None:
    """Exit code 0, every way in refused, and the page names identity, owner, points, each step, and the undo."""
    person = office.person("alice")
    attacker = Attacker(world, person)
    path = office.alerts(office.alert(person, tq_evidence=[f"cyberark.account_id={person.held['cyberark account']}"]))
    ran = office.run("contain", path)
    assert ran.code == 0
    assert not any(attacker.works().values())
    for part in (
        "alice (human) contained at tier revoke", "owner: their manager", "confidence 95", "+95  okta/session_replay",
        "okta.suspend_user", "entra.disable_user", "cyberark.disable_user", "status=SUSPENDED", "tourniquet restore c-",
    ):  # fmt: skip
        assert part in ran.out
    assert [report["title"] for report in office.escalated()] == ["alice (human) contained at tier revoke"]


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_goes_away_stops_nothing(office: Office, world: World, more: Tuple[str, ...]) -> None:
    """`contain FILE | head -1`: everybody in the file is contained all the same, and the exit code is that of the work."""
    path = office.alerts(*(office.alert(office.person(name), tq_events=[name]) for name in ("alice", "bob")))
    process = office.start("contain", path, *more)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.wait(timeout=120), process.stderr.read()) == (0, "")
    process.stderr.close()
    assert [status_of(world, name) for name in ("alice", "bob")] == ["SUSPENDED", "SUSPENDED"]


def test_contain_for_machines(office: Office) -> None:
    """One object for the alert, with every documented key; tiers and phases are words; each step says what it needs."""
    path = office.alerts(office.alert(office.person("alice")))
    found = office.run("contain", path, "--json").json
    assert set(found) == REPORT
    assert (found["tier"], found["exit"], found["place"], found["loud"]) == ("revoke", 0, f"{path}:1", False)
    assert found["steps"] and all(set(step) == STEP for step in found["steps"])
    assert {step["phase"] for step in found["steps"]} == {"block", "cut"}
    assert {outcome["status"] for outcome in found["outcomes"]} <= {"confirmed", "already", "accepted"}


def test_the_timeline_is_in_the_order_of_time(office: Office) -> None:
    """People read down what happened first."""
    ran = office.run("contain", office.alerts(office.alert(office.person("alice"))))
    times = re.findall(r"[✓…✗?–] +(\d\d:\d\d:\d\d\.\d\d) ", ran.out)
    assert len(times) >= 8
    assert times == sorted(times)


def test_the_same_alert_again_changes_nothing(office: Office) -> None:
    """A second run says so, exit code 0, and no vendor is called to change anything."""
    path = office.alerts(office.alert(office.person("alice")))
    office.run("contain", path)
    before = office.changes()
    again = office.run("contain", path)
    assert (again.code, office.changes()) == (0, before)
    assert "this alert was handled before" in again.out


def test_an_open_vendor_is_exit_code_1(office: Office, world: World) -> None:
    """What could not be contained is named, on the page and in the escalation."""
    person = office.person("alice")
    world.cyberark.stop()
    office.write_settings(timing={"deadline": 2, "confirm_patience": 0.2})
    ran = office.run("contain", office.alerts(office.alert(person)))
    assert ran.code == 1
    assert "NOT fully contained" in ran.out
    assert "! cyberark.disable_user" in ran.out
    assert status_of(world, "alice") == "SUSPENDED"
    assert office.escalated()[0]["loud"] is True


def test_a_break_glass_account_is_refused_and_escalated(office: Office) -> None:
    """Exit code 1, no vendor is touched."""
    ran = office.run("contain", office.alerts(office.alert(office.person("glass", break_glass="true"))))
    assert ran.code == 1
    assert "[guard: break-glass]" in ran.out
    assert office.changes() == []
    assert office.escalated()[0]["loud"] is True


def test_the_strongest_alert_comes_first(office: Office) -> None:
    """Decoys at the top of a file do not go before what matters."""
    weak, strong = office.person("weak"), office.person("strong")
    path = office.alerts(office.alert(weak, confidence=60), office.alert(strong, confidence=95))
    lines = office.run("contain", path, "--json").lines
    assert [line["decision"]["identity"]["id"] for line in lines] == ["strong", "weak"]
    assert [line["place"] for line in lines] == [f"{path}:2", f"{path}:1"]


def test_a_click_raises_the_tier(office: Office, world: World) -> None:
    """An analyst may ask for more than confidence gives, with name and reason; the decision says who did."""
    path = office.alerts(office.alert(office.person("alice"), confidence=30))
    ran = office.run("contain", path, "--by", "ida", "--reason", "called the owner", "--tier", "revoke")
    assert ran.code == 0
    assert "ida asked for tier revoke" in ran.out
    assert status_of(world, "alice") == "SUSPENDED"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--by", "ida"), "--reason: says not why"),
        (("--tier", "revoke"), "--by: says not who asks"),
        (("--by", "ida", "--reason", "x", "--action", "okta.no_such"), "there is no action 'okta.no_such'"),
        (("--by", "ida", "--reason", "x", "--tier", "observe"), "invalid choice"),
    ],
)
def test_a_click_without_who_or_why_is_bad_input(office: Office, more: tuple[str, ...], said: str) -> None:
    """Exit code 2, and nothing was done or journaled."""
    ran = office.run("contain", office.alerts(office.alert(office.person("alice"))), *more)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert office.changes() == []
    assert not office.journal.exists()


def test_an_action_that_does_not_fit_is_said(office: Office) -> None:
    """A person who asks for what the policy does not know for this kind reads so: it is not silently left out."""
    path = office.alerts(office.alert(office.person("alice"), confidence=30))
    asked = ("--by", "ida", "--reason", "x", "--tier", "restrict", "--action", "vault.rotate_root")
    ran = office.run("contain", path, "--dry-run", *asked)
    assert "vault.rotate_root was asked for, and the policy does not know it for a human" in ran.out


def test_a_log_line_is_no_click(office: Office) -> None:
    """`tq_request` in an alert's file is nobody's request."""
    forged = {"by": "ida", "reason": "x", "wanted": ["revoke"]}
    office.run("contain", office.alerts(office.alert(office.person("alice"), confidence=30, tq_request=forged)))
    assert office.changes() == []


# -- plan -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("plan",), ("contain", "--dry-run")])
def test_a_plan_changes_nothing_and_says_what_it_would(office: Office, command: tuple[str, ...]) -> None:
    """The vendors see reads only, the journal stays empty, nobody is told; the page shows reasons, needs and breakage."""
    person = office.person("alice", dependents="checkout")
    ran = office.run(*command, office.alerts(office.alert(person)))
    assert ran.code == 0
    for part in (
        "would take alice (human) to tier revoke", "+95  okta/session_replay", "okta.users.manage",
        "User.EnableDisableAccount.All", "every sign-in of this user through Okta", "Depends on it: checkout",
        "Only after approval: ", "okta.reset_factors", "nothing was changed",
    ):  # fmt: skip
        assert part in ran.out
    assert office.changes() == []
    assert len(office.world.okta.requests) > 0
    assert office.escalated() == []
    assert office.run("journal", "list").out.strip() == "the journal is empty"
    assert sqlite3.connect(office.journal).execute("SELECT count(*) FROM journal").fetchone() == (0,)
    assert status_of(office.world, "alice") == "ACTIVE"


def test_a_plan_for_machines(office: Office) -> None:
    """The same keys as a containment, marked as a dry run, with permissions and breakage of each step."""
    found = office.run("plan", office.alerts(office.alert(office.person("alice"))), "--json").json
    assert set(found) == REPORT
    assert (found["dry_run"], found["tier"], found["outcomes"]) == (True, "revoke", [])
    assert all(step["permissions"] and step["breaks"] for step in found["steps"])


def test_a_dry_run_shows_what_the_click_would_do(office: Office) -> None:
    """`contain --dry-run --tier revoke` shows the plan of that very click."""
    path = office.alerts(office.alert(office.person("alice"), confidence=30))
    ran = office.run("contain", path, "--dry-run", "--by", "ida", "--reason", "x", "--tier", "revoke", "--json")
    assert ran.json["tier"] == "revoke"
    assert office.run("contain", path, "--dry-run", "--json").json["tier"] == "observe"
    assert office.changes() == []


# -- approve, restore, close ------------------------------------------------------------------------------


def test_approve_carries_out_what_waits(office: Office, world: World) -> None:
    """An approval-only action is done on a named person's word, and proved."""
    containment = contained(office, "alice")
    world.okta.add_factor(world.people["alice"].okta)
    ran = office.run(
        "approve", containment, "okta.reset_factors", "--by", "ida", "--reason", "a phone was enrolled", "--json"
    )
    assert ran.code == 0
    assert [o["status"] for o in ran.json["outcomes"] if o["step"]["action"] == "okta.reset_factors"] == ["confirmed"]
    refused = office.run("approve", containment, "okta.no_such", "--by", "ida", "--reason", "x")
    assert refused.code == 3
    assert "May be approved: " in refused.err


def test_restore_puts_back_and_says_what_nobody_can(office: Office, world: World) -> None:
    """Exit code 0, the account works again, and each step that has no undo is named."""
    containment = contained(office, "alice")
    ran = office.run("restore", containment, "--by", "ida", "--reason", "a false alarm")
    assert ran.code == 0
    assert f"{containment} is restored" in ran.out
    assert "can't be undone" in ran.out
    assert status_of(world, "alice") == "ACTIVE"
    again = office.run("restore", containment, "--by", "ida", "--reason", "x", "--json")
    assert again.code == 3
    assert json.loads(again.err)["exit"] == 3


def test_restore_for_machines(office: Office) -> None:
    """One object: whether all is as it was, and the outcome of each step."""
    found = office.run("restore", contained(office, "alice"), "--by", "ida", "--reason", "x", "--json").json
    assert set(found) == {"containment", "restored", "outcomes", "exit"}
    assert found["restored"] is True
    assert {outcome["status"] for outcome in found["outcomes"]} <= {"confirmed", "already", "refused"}


@pytest.mark.parametrize("command", ["restore", "close", "approve"])
@pytest.mark.parametrize(
    ("by", "reason", "said"),
    [
        ("ida", " ", "needs a reason"),
        ("alice", "it was me", "nobody can"),
        ("mallory", "let her in", "may not"),
    ],
)
def test_who_may_not_end_a_containment(office: Office, command: str, by: str, reason: str, said: str) -> None:
    """A reason is needed, nobody does it for themselves, and only those who may; nothing changes."""
    containment = contained(office, "alice", can_restore="true")
    before = office.changes()
    names = ("okta.reset_factors",) if command == "approve" else ()
    ran = office.run(command, containment, *names, "--by", by, "--reason", reason)
    assert (ran.code, office.changes()) == (3, before)
    assert said in ran.err
    assert office.run("status", containment, "--json").json["state"] == "open"


@pytest.mark.parametrize("command", ["restore", "close"])
def test_a_privileged_identity_needs_two_people(office: Office, command: str) -> None:
    """One person, or the same one twice, is refused; two are enough."""
    containment = contained(office, "petra", criticality="privileged")
    asked = (command, containment, "--by", "ida", "--reason", "a false alarm")
    for more in ((), ("--approved-by", "ida")):
        ran = office.run(*asked, *more)
        assert ran.code == 3
        assert "a second person must agree" in ran.err
    assert office.run(*asked, "--approved-by", "ivo").code == 0
    assert office.run("status", "--json").json["containments"] == []


def test_close_leaves_the_identity_contained(office: Office, world: World) -> None:
    """The containment has ended, the account stays suspended, and no recheck looks at it any more."""
    containment = contained(office, "alice")
    ran = office.run("close", containment, "--by", "ida", "--reason", "the account is deleted anyway", "--json")
    assert (ran.code, ran.json) == (0, {"containment": containment, "closed_by": "ida", "exit": 0})
    assert status_of(world, "alice") == "SUSPENDED"
    [row] = office.run("status", "--all", "--json").json["containments"]
    assert row["state"] == "closed"
    assert "closed by ida" in office.run("status", containment).out


@pytest.mark.parametrize("command", ["restore", "close", "status", "approve"])
def test_a_containment_that_is_none_is_named(office: Office, command: str) -> None:
    """Exit code 3, with the way to find the right one."""
    more = () if command == "status" else ("--by", "ida", "--reason", "x")
    ran = office.run(command, "c-nope", *(("okta.reset_factors",) if command == "approve" else ()), *more)
    assert ran.code == 3
    assert "there is no containment c-nope. `tourniquet status` lists them" in ran.err


# -- status, due ------------------------------------------------------------------------------------------


def test_status_lists_what_is_open(office: Office) -> None:
    """Identity, tier, state and steps for people; the documented keys for machines."""
    assert "nobody was ever contained" in office.run("status").out
    containment = contained(office, "alice")
    ran = office.run("status")
    assert all(part in ran.out for part in (containment, "alice", "revoke", "open", "later"))
    found = office.run("status", "--json").json
    assert set(found) == {"halted", "due", "waiting", "containments", "ended"}
    [row] = found["containments"]
    assert set(row) == {"containment", "identity", "generation", "tier", "opened", "state", "held", "steps"}
    assert row["held"] == row["steps"] > 0


def test_status_of_one_shows_what_is_due(office: Office) -> None:
    """Its steps, and the rechecks that are still to come."""
    containment = contained(office, "alice")
    ran = office.run("status", containment)
    assert "okta.suspend_user" in ran.out
    assert "recheck 10 s" in ran.out
    found = office.run("status", containment, "--json").json
    assert {"state", "due", *REPORT} == set(found)
    assert "recheck" in {row["what"] for row in found["due"]}


def test_due_puts_back_what_the_attacker_undid(office: Office, world: World) -> None:
    """The recheck that is due finds the account enabled again, and suspends it again."""
    office.write_settings(timing={"deadline": 10, "confirm_patience": 1, "rechecks": [0]})
    contained(office, "alice")
    world.okta.state["users"][world.people["alice"].okta]["status"] = "ACTIVE"
    ran = office.run("due", "--json")
    assert ran.code == 0
    assert any("recheck" in line["done"] for line in ran.lines)
    assert status_of(world, "alice") == "SUSPENDED"
    assert "nothing is due" in office.run("due").out


# -- halt, resume -----------------------------------------------------------------------------------------


def test_halt_stops_an_automatic_containment_and_resume_lets_it_go_on(office: Office, world: World) -> None:
    """While halted the alert is kept and escalated once, and no vendor is changed; after resume it is contained."""
    path = office.alerts(office.alert(office.person("alice")))
    halted = office.run("halt", "--by", "ida", "--reason", "a bad detection", "--json")
    assert halted.code == 0
    assert "a bad detection" in halted.json["halted"]
    ran = office.run("contain", path)
    assert ran.code == 1
    assert "[guard: halt]" in ran.out
    assert office.changes() == []
    assert [report["loud"] for report in office.escalated()] == [True]
    again = office.run("contain", path)
    assert again.code == 3
    assert "waits for `tourniquet resume`" in again.err
    waiting = office.run("due", "--json")
    assert (waiting.code, waiting.json["waiting"]) == (1, 1)
    assert (office.changes(), len(office.escalated())) == ([], 1)
    assert "automation is halted by ida" in office.run("status").out
    resumed = office.run("resume", "--by", "ivo", "--reason", "corrected", "--json")
    assert (resumed.code, resumed.json["waiting"]) == (0, 1)
    due = office.run("due")
    assert due.code == 0
    assert "alice (human) contained at tier revoke" in due.out
    assert status_of(world, "alice") == "SUSPENDED"
    assert office.run("journal", "verify").code == 0


def test_a_click_goes_through_a_halt(office: Office, world: World) -> None:
    """Halt stops automation, not people."""
    office.run("halt", "--by", "ida", "--reason", "x")
    path = office.alerts(office.alert(office.person("alice")))
    office.run("contain", path, "--by", "ida", "--reason", "sure", "--tier", "revoke")
    assert "alice" in office.run("status").out


@pytest.mark.parametrize("command", ["halt", "resume"])
def test_who_halts_or_resumes_and_why_is_recorded(office: Office, command: str) -> None:
    """An empty name or reason is bad input; resume without a halt writes nothing."""
    assert office.run(command, "--by", "ida", "--reason", " ").code == 2
    assert office.run(command, "--by", "", "--reason", "x").code == 2
    ran = office.run("resume", "--by", "ida", "--reason", "x")
    assert "automation was not halted" in ran.out
    assert "the journal is empty" in office.run("journal", "list").out


# -- journal ----------------------------------------------------------------------------------------------


def test_the_journal_is_listed_shown_and_verified(office: Office) -> None:
    """Chains with their ends, entries with what they say, and a verdict; all of it as JSON too."""
    containment = contained(office, "alice")
    assert containment in office.run("journal", "list").out
    rows = office.run("journal", "list", "--json").lines
    assert all(set(row) == {"chain", "opened", "entries", "last", "kind"} for row in rows)
    shown = office.run("journal", "show", containment).out
    assert "okta.suspend_user confirmed" in shown
    entries = office.run("journal", "show", containment, "--json").lines
    assert all(set(entry) == {"chain", "seq", "kind", "at", "body", "mac"} for entry in entries)
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    assert office.run("journal", "verify").out.strip() == "the journal is whole"
    assert office.run("journal", "verify", "--json").json == {"whole": True, "findings": [], "exit": 0}


@pytest.mark.parametrize("change", ["UPDATE journal SET doc = replace(doc, 'alice', 'bob')", "DELETE FROM journal"])
def test_verify_finds_an_edited_database(office: Office, change: str) -> None:
    """Whoever edits or empties the file is seen: exit code 1, each finding named."""
    containment = contained(office, "alice")
    with sqlite3.connect(office.journal) as database:
        database.execute(f"{change} WHERE key LIKE 'e/{containment}/%'")
    ran = office.run("journal", "verify")
    assert ran.code == 1
    assert "the journal is NOT whole" in ran.out
    assert containment in ran.out
    assert office.run("journal", "verify", "--json").json["whole"] is False


def test_a_head_of_an_escalation_is_checked(office: Office) -> None:
    """The head that was sent out is found; another one is not; a wrong form is bad input."""
    contained(office, "alice")
    head = str(office.escalated()[0]["head"])
    assert office.run("journal", "verify", "--head", head).code == 0
    assert office.run("journal", "verify", "--head", head[:-4] + "0000").code == 1
    assert office.run("journal", "verify", "--head", "c-1:x:y").code == 2


def test_a_chain_that_is_none_is_named(office: Office) -> None:
    """`journal show` of nothing is an error, never an empty page."""
    assert "`tourniquet journal list` lists them" in office.run("journal", "show").err
    ran = office.run("journal", "show", "c-nope")
    assert (ran.code, ran.out) == (2, "")


def test_a_journal_key_is_made_once(office: Office) -> None:
    """Mode 0600, never over a file that is there, never printed."""
    ran = office.run("journal", "key", "new.key")
    assert ran.code == 0
    path = office.folder / "new.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() not in ran.out
    assert office.run("journal", "key", "new.key").code == 2


def test_a_journal_that_cannot_be_used_is_exit_code_4(office: Office) -> None:
    """The alert stays with the SIEM, and no vendor is touched."""
    office.journal.write_text("this is no database, " * 100)
    ran = office.run("contain", office.alerts(office.alert(office.person("alice"))))
    assert ran.code == 4
    assert "journal" in ran.err
    assert office.changes() == []


# -- policy, inventory, detections, actions ---------------------------------------------------------------


def test_policy_is_shown_checked_tested_and_built(office: Office) -> None:
    """A copy of the default policy under another name goes all the way to the compiled file."""
    folder = ROOT / "responders" / "policy"
    copy = office.folder / "mine.yaml"
    copy.write_text(office.run("policy", "show").out)
    assert copy.read_text() == (folder / "default_policy.yaml").read_text()
    assert "version default-1 is sound" in office.run("policy", "check", "mine.yaml").out
    assert office.run("policy", "check", "mine.yaml", "--json").json["sound"] is True
    (office.folder / "mine_cases.yaml").write_text((folder / "default_policy_cases.yaml").read_text())
    ran = office.run("policy", "test", "mine.yaml", "--json")
    assert ran.code == 0
    assert ran.lines and all(line["passed"] for line in ran.lines)
    assert office.run("policy", "build", "mine.yaml").code == 0
    assert json.loads((office.folder / "mine.json").read_text()) == json.loads((folder / "default_policy.json").read_text())


def test_a_case_that_does_not_hold_is_exit_code_1(office: Office) -> None:
    """The case and the difference are named."""
    copy = office.folder / "mine.yaml"
    copy.write_text(
        office.run("policy", "show").out.replace("human: {restrict: 50, revoke: 80}", "human: {restrict: 60, revoke: 80}")
    )
    cases = ROOT / "responders" / "policy" / "default_policy_cases.yaml"
    ran = office.run("policy", "test", "mine.yaml", "--cases", str(cases))
    assert ran.code == 1
    assert "✗ a human at 50 is restricted: tier observe, expected restrict" in ran.out


def test_the_shipped_policy_is_never_overwritten(office: Office) -> None:
    """`policy build` without a file would write into the package; over its own source it would destroy it."""
    assert office.run("policy", "build").code == 2
    (office.folder / "mine.yaml").write_text(office.run("policy", "show").out)
    ran = office.run("policy", "build", "mine.yaml", "--output", "mine.yaml")
    assert ran.code == 2
    assert "would overwrite its own source" in ran.err
    assert office.run("policy", "check", "mine.yaml").code == 0


def test_inventory_is_checked_compiled_and_looked_up(office: Office) -> None:
    """The compiled file serves as the settings' inventory; the lookup names each account's identity."""
    person = office.person("alice")
    assert (
        "3 identities with 5 accounts are sound; 2 people may restore" in office.run("inventory", "check", "people.csv").out
    )
    checked = office.run("inventory", "check", "people.csv", "--json").json
    assert (checked["identities"], checked["accounts"], checked["restorers"], checked["sound"]) == (3, 5, 2, True)
    assert office.run("inventory", "build", "people.csv", "--output", "compiled.json").code == 0
    lookup = office.run("inventory", "lookup", "people.csv").out
    assert lookup.startswith("tq_account,tq_identity,")
    assert f"{person.account('okta').key},alice," in lookup
    office.write_settings(inventory="compiled.json")
    assert office.run("contain", office.alerts(office.alert(person))).code == 0


def test_the_other_lists(office: Office) -> None:
    """Detections and actions, a line each for machines."""
    detections = office.run("detections", "list", "--json").lines
    assert "okta/session_replay" in {row["detection"] for row in detections}
    actions = office.run("actions", "--json").lines
    assert len(actions) > 40
    for row in actions:
        assert row["permissions"] and row["breaks"] and row["manual"]
        assert (row["undo"] == "yes") == (row["irreversible"] == "")
    assert "okta.suspend_user" in office.run("actions").out


# -- what holds for all -----------------------------------------------------------------------------------


def test_every_command_explains_itself(office: Office) -> None:
    """`--help` of each command names its options; without a command the usage is shown, exit code 2."""
    for command in COMMANDS:
        ran = office.run(command, "--help")
        assert ran.code == 0
        assert "--json" in ran.out
    assert office.run().code == 2


def test_settings_that_are_missing_or_wrong_say_how_to_begin(office: Office) -> None:
    """Exit code 2, every wrong place at once, each on a line of its own, as JSON too."""
    office.settings.write_text('{"connections": [{"vendor": "oktta"}], "journal": {"path": "j"}, "colour": 1}')
    ran = office.run("status")
    assert ran.code == 2
    assert len(ran.err.splitlines()) >= 4
    assert all(line.startswith(f"tourniquet: {office.settings}") for line in ran.err.splitlines())
    errors = [json.loads(line) for line in office.run("status", "--json").err.splitlines()]
    assert all(set(error) == {"error", "exit", "place", "remedy"} and error["exit"] == 2 for error in errors)
    office.settings.unlink()
    assert "create it, docs/settings.md has an example" in office.run("status").err
