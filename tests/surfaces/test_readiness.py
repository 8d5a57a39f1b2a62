"""`tourniquet readiness` as an administrator uses it: what would work, what is missing, and what to paste."""

from __future__ import annotations

import json

import pytest

from responders.drill.world import VAULT_POLICY, World
from tests.surfaces.office import Office


def test_all_is_ready_and_nothing_is_changed(office: Office) -> None:
    """Each connection, each action of the policy in force and no other, the rate budget; exit code 0."""
    office.person("alice")
    office.world.okta.per_minute = 100
    ran = office.run("readiness", "--json")
    assert (ran.code, [row["vendor"] for row in ran.lines]) == (0, ["okta", "entra", "cyberark"]), ran.err
    okta = ran.lines[0]
    assert (okta["credential"], okta["reachable"], okta["authenticated"], okta["ready"]) == ("ordinary", True, True, True)
    assert 0 < okta["rate_left"] < 1
    names = {item["name"] for item in okta["actions"]}
    assert {"okta.suspend_user", "last administrator (guard)"} <= names
    assert "okta.set_user_risk" not in names  # not in the default policy
    assert all(item["ready"] is True for item in okta["actions"])
    assert office.changes() == []


def test_what_is_missing_is_named_and_can_be_pasted(office: Office) -> None:
    """Without a permission: exit code 1, the actions that lack it, and the vendor's configuration of just that."""
    office.person("alice")
    [connection] = [c for c in office.world.connections if c.vendor == "entra"]
    apps = office.world.graph.state["service_principals"].values()
    app = next(a for a in apps if a["appId"] == connection.plain["client_id"])
    app["roles"] = [role for role in app["roles"] if role != "User.EnableDisableAccount.All"]
    ran = office.run("readiness", "--grants", "--json")
    assert ran.code == 1
    [entra] = [row for row in ran.lines if row["vendor"] == "entra"]
    lacking = [item["name"] for item in entra["actions"] if item["ready"] is False]
    assert lacking == ["entra.disable_user"]
    assert "for name in User.EnableDisableAccount.All; do" in entra["grants"]
    assert [row["grants"] for row in ran.lines if row["vendor"] != "entra"] == ["", ""]
    told = office.run("readiness", "--grants")
    assert told.code == 1
    assert "NOT ready: 1 actions lack permissions" in told.out
    assert "appRoleAssignments" in told.out


@pytest.mark.engine("openbao")
def test_what_is_missing_at_vault_is_told_as_the_whole_policy(full_world: World) -> None:
    """`vault policy write` takes the place of what is there: the missing blocks alone would take every other right away."""
    office, bao = Office(full_world), full_world.bao
    assert bao is not None
    bao.request("PUT", "sys/policies/acl/tourniquet", {"policy": VAULT_POLICY.replace('path "pki/revoke"', 'path "pki/no"')})
    missing = office.run("readiness", "--grants", "--json")
    [vault] = [row for row in missing.lines if row["vendor"] == "vault"]
    assert [item["name"] for item in vault["actions"] if item["ready"] is False] == ["vault.revoke_certificate"]
    whole = office.run("readiness", "--grants", "vault", "--json").json["grants"]
    assert vault["grants"].splitlines() == whole.splitlines()


def test_a_refused_sign_in_says_how_to_go_on(office: Office) -> None:
    """Nobody knows what it lacks: the row says why, the last line where all that it needs is printed."""
    office.world.okta.state["services"]["0oaTourniquet"]["scopes"] = ["okta.users.read"]
    office.world.cyberark.down = True
    ran = office.run("readiness")
    assert ran.code == 1
    assert "okta:default: sign-in REFUSED: " in ran.out
    assert "cyberark:default: NOT reachable: " in ran.out
    assert "1 credentials are refused (a wrong secret, or not granted: --grants VENDOR prints" in ran.out
    assert "1 connections do not answer" in ran.out


def test_a_missing_token_names_the_commands_own_option(office: Office) -> None:
    """Each command calls the token's file something else: the remedy names an option that this one has."""
    ran = office.run("validate", "--splunk-url", "https://127.0.0.1:1")
    assert (ran.code, "name a file with --splunk-token-file" in ran.err) == (2, True)


@pytest.mark.parametrize("command", ["readiness", "validate"])
def test_a_canary_without_a_name_is_a_mistake(office: Office, command: str) -> None:
    """An unset variable in a timer: without this it would be a mere look, with exit code 0, and nobody would be drilled."""
    ran = office.run(command, "--canary", "")
    assert (ran.code, "names nobody" in ran.err) == (2, True)


def test_the_privileged_credential_is_asked_for_itself(office: Office) -> None:
    """A second credential that can't sign in would be noticed in the incident only: a row of its own, exit code 1."""
    settings = json.loads(office.settings.read_text())
    mine = next(c for c in settings["connections"] if c["vendor"] == "cyberark")
    (office.folder / "other.secret").touch(mode=0o600)
    (office.folder / "other.secret").write_text("wrong-password")
    mine["privileged"] = {"username": "nobody", "password": {"file": "other.secret"}}
    office.settings.write_text(json.dumps(settings))
    ran = office.run("readiness", "--json")
    rows = {(row["vendor"], row["credential"]): row for row in ran.lines}
    assert ran.code == 1
    assert rows["cyberark", "ordinary"]["authenticated"] is True
    assert rows["cyberark", "privileged"]["authenticated"] is False
    assert ("okta", "privileged") not in rows


def test_the_whole_configuration_needs_no_vendor(office: Office) -> None:
    """`--grants VENDOR` prints what the policy's actions need and asks nobody; before there is a connection, too."""
    before = sum(len(getattr(office.world, name).requests) for name in ("okta", "graph", "cyberark"))
    ran = office.run("readiness", "--grants", "vault")
    assert ran.code == 0
    assert 'path "sys/policies/acl/tourniquet-quarantine-*" {' in ran.out.splitlines()
    okta = office.run("readiness", "--grants", "okta", "--json").json
    assert "okta.users.manage" in okta["grants"]
    assert sum(len(getattr(office.world, name).requests) for name in ("okta", "graph", "cyberark")) == before
    assert office.run("readiness", "--grants", "everything").code == 2


def test_a_drill_from_the_command_line(office: Office) -> None:
    """Seconds of each vendor and exit code 0; within the hour it is refused (3); nobody else is drilled (3)."""
    office.person("cat", canary="true")
    office.person("alice")
    assert office.run("readiness", "--canary", "alice").code == 3
    assert office.changes() == []
    ran = office.run("readiness", "--canary", "cat", "--json")
    assert (ran.code, ran.json["works"], ran.json["tier"]) == (0, True, "revoke"), ran.out
    assert {lane["vendor"] for lane in ran.json["lanes"]} == {"okta", "entra", "cyberark"}
    assert all(lane["contain"] > 0 and lane["restore"] >= 0 for lane in ran.json["lanes"])
    assert office.run("status", "--json").json["ended"] == 1
    again = office.run("readiness", "--canary", "cat")
    assert (again.code, "one an hour" in again.err) == (3, True)
    assert office.run("journal", "verify").code == 0


def test_a_drill_that_finds_a_broken_path_fails(office: Office) -> None:
    """Exit code 1, and the escalation channels say which path."""
    office.write_settings(timing={"deadline": 3, "confirm_patience": 0.2})
    office.person("cat", canary="true")
    office.world.cyberark.down = True
    ran = office.run("readiness", "--canary", "cat")
    assert ran.code == 1
    assert "a path is BROKEN" in ran.out
    assert any("a path is BROKEN" in report["title"] and report["loud"] for report in office.escalated())
