"""Connections: secrets only go in, a URL never meets an old secret, and a test asks the vendor and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.drill.world import VAULT_POLICY, World
from responders.errors import BadInputs
from responders.surfaces.splunk_rest.connection_form import read_form
from tests.splunk_rest.office import Office, Reply

SECRET = "s3cret-of-vault-that-nobody-sees"
VAULT: Dict[str, Any] = {
    "vendor": "vault", "tenant": "prod", "url": "https://vault.corp.example:8200", "credential": "secret_id",
    "secret": SECRET, "role_id": "r-1", "settings": {"namespace": "team"},
}  # fmt: skip


def make(office: Office, **more: Any) -> Reply:
    return office.ask("carl", "POST", "connections", {**VAULT, **more})


def password(office: Office, name: str) -> str:
    found = office.deployment.passwords.get(("tourniquet", "tourniquet", name))
    return found.clear if found else ""


def conf(office: Office, name: str) -> Dict[str, str]:
    return office.deployment.merged("tourniquet", "tourniquet_connection").get(name, {})


def test_a_connection_is_made_and_shown_without_its_secret(office: Office) -> None:
    """The secret is in storage/passwords only; neither conf file, answer, journal nor log has it."""
    reply = make(office)
    assert reply.status == 200, reply
    assert reply.body["connection"]["name"] == "vault_prod"
    assert password(office, "vault_prod.secret_id") == SECRET
    assert conf(office, "vault_prod")["settings.namespace"] == "team"
    (shown,) = [c for c in office.ask("carl", "GET", "connections").body["connections"] if c["name"] == "vault_prod"]
    assert (shown["url"], shown["secret_stored"], shown["settings"]) == (VAULT["url"], True, {"namespace": "team"})
    everywhere = json.dumps([office.deployment.rows("tourniquet_journal"), office.deployment.confs.__repr__()])
    everywhere += (office.home / "var" / "log" / "splunk" / "tourniquet_rest.log").read_text()
    assert SECRET not in everywhere
    assert [e.body["who"] for e in office.audit()] == ["splunk user carl"]


@pytest.mark.parametrize(
    "change",
    [
        {"url": "https://vault.attacker.example"},
        {"proxy": "http://proxy.attacker.example:8080"},
        {"proxy_secret": "http://me:pw-of-proxy@proxy.attacker.example:8080"},
        {"ca_pem": "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"},
    ],
)
def test_where_the_secret_goes_can_not_change_without_it(change: Dict[str, str], office: Office) -> None:
    """Whoever may edit a URL, a proxy or a CA must know the secret: else he would have it sent to himself."""
    make(office)
    before = conf(office, "vault_prod")
    reply = office.ask("carl", "POST", "connections/vault_prod", change)
    assert reply.status == 400
    assert [error["place"] for error in reply.body["errors"]] == ["body.secret"]
    assert conf(office, "vault_prod") == before
    assert not password(office, "vault_prod.proxy")


def test_with_the_secret_it_changes_the_secret_first(office: Office) -> None:
    """At no moment is the new URL stored beside the old secret: if the conf can't be written, only the secret is new."""
    make(office)
    office.splunkd.refuse_next.append(("conf-tourniquet_connection/vault_prod", 503))
    office.splunkd.refuse_next.append(("conf-tourniquet_connection", 503))
    change = {"url": "https://vault2.corp.example:8200", "secret": "another-secret-value-1"}
    assert office.ask("carl", "POST", "connections/vault_prod", change).status >= 500
    office.splunkd.refuse_next.clear()
    reply = office.ask("carl", "PUT", "connections/vault_prod", change)
    assert reply.status == 200, reply
    assert conf(office, "vault_prod")["url"] == change["url"]
    assert password(office, "vault_prod.secret_id") == "another-secret-value-1"
    writes = [r.path for r in office.splunkd.requests if r.method == "POST" and r.status < 300]
    secret, stanza = (max(i for i, p in enumerate(writes) if part in p) for part in ("passwords", "conf-tourniquet_conn"))
    assert secret < stanza


def test_the_privileged_credential_is_asked_for_as_well(office: Office) -> None:
    """A second credential goes to the same URL: it, too, must be entered again."""
    make(office, privileged={"credential": "token", "secret": "privileged-token-value", "role_id": ""})
    assert password(office, "vault_prod.privileged.token") == "privileged-token-value"
    change = {"url": "https://vault2.corp.example", "secret": "new-secret-value"}
    reply = office.ask("carl", "POST", "connections/vault_prod", change)
    assert [error["place"] for error in reply.body["errors"]] == ["body.privileged.secret"]
    change["privileged"] = {"credential": "token", "secret": "privileged-token-2"}  # type: ignore[assignment]
    assert office.ask("carl", "POST", "connections/vault_prod", change).status == 200


def test_other_fields_change_without_the_secret(office: Office) -> None:
    """Settings and the switch are nobody's way to a secret."""
    make(office)
    reply = office.ask("carl", "POST", "connections/vault_prod", {"settings": {"namespace": "other"}, "disabled": True})
    assert reply.status == 200, reply
    assert reply.body["connection"]["settings"] == {"namespace": "other"}
    assert reply.body["connection"]["disabled"] is True


def test_delete_forgets_the_secret(office: Office) -> None:
    """Stanza and secrets are gone; a second delete is told that there is none."""
    make(office)
    assert office.ask("carl", "DELETE", "connections/vault_prod").status == 200
    assert (conf(office, "vault_prod"), password(office, "vault_prod.secret_id")) == ({}, "")
    assert office.ask("carl", "POST", "connections/vault_prod/delete", {}).status == 404


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"url": "http://vault.corp.example"}, "url"),
        ({"url": "https://user:pw@vault.corp.example"}, "url"),
        ({"url": "https://127.0.0.1:1/?x=1"}, "url"),
        ({"allow_loopback_http": True, "url": "http://127.0.0.1:8200"}, "allow_loopback_http"),
        ({"vendor": "github"}, "vendor"),
        ({"secret": ""}, "secret"),
        ({"role_id": ""}, "role_id"),
        ({"credential": "password"}, "credential"),
        ({"proxy": "http://u:p@proxy:1"}, "proxy"),
        ({"ca_pem": "-----BEGIN PRIVATE KEY-----"}, "ca_pem"),
        ({"ca_pem": "no certificate at all"}, "ca_pem"),
        ({"settings": {"a.b": "x"}}, "settings"),
        ({"name": "../x"}, "name"),
        ({"name": "test"}, "name"),
        ({"tenant": ""}, "tenant"),
        ({"token": "t"}, "token"),
    ],
)
def test_a_connection_with_a_mistake(more: Dict[str, Any], place: str, office: Office) -> None:
    """By the rules of the settings file; nothing is stored, and no error quotes the secret."""
    before = dict(office.deployment.passwords)
    reply = make(office, **more)
    assert reply.status == 400, reply
    assert any(place in error["place"] for error in reply.body["errors"]), reply
    assert SECRET not in json.dumps(reply.body)
    assert office.deployment.passwords == before
    assert conf(office, "vault_prod") == {}


def test_one_connection_a_tenant(office: Office) -> None:
    """Another name does not make the same tenant another one."""
    make(office)
    reply = make(office, name="second")
    assert (reply.status, "vault_prod" in reply.error) == (400, True)
    assert make(office, tenant="prod2", name="vault_prod").status == 409


def test_vendor_and_tenant_stay(office: Office) -> None:
    """Changing them would hand one vendor's secret to another."""
    make(office)
    assert office.ask("carl", "POST", "connections/vault_prod", {"tenant": "x"}).status == 400


def test_a_stored_connection_is_tested(office: Office) -> None:
    """Reachable, authenticated, and each action ready; the simulated vendors see no change."""
    office.world.add_person("owner-of-a-safe", vendors=("cyberark",))
    for vendor in ("okta", "entra", "cyberark"):
        before = len(office.world.okta.requests), office.world.okta.dump()
        reply = office.ask("carl", "POST", "connections/test", {"name": f"{vendor}_main"})
        assert reply.status == 200, reply
        assert (reply.body["reachable"], reply.body["authenticated"], reply.body["ready"]) == (True, True, True)
        assert {item["ready"] for item in reply.body["actions"] if item["in_policy"]} == {True}, reply.body["notes"]
        assert office.world.okta.dump() == before[1]


def test_what_is_missing_is_told_action_by_action(office: Office) -> None:
    """A scope that was not granted: the actions that need it, and not ready."""
    service = office.world.okta.state["services"]["0oaTourniquet"]
    scopes = list(service["scopes"])
    keys = conf(office, "okta_main")
    office.deployment.configure(
        "tourniquet_connection", "okta_main", {"scopes": keys["scopes"].replace("okta.users.manage ", "")}
    )
    reply = office.ask("carl", "POST", "connections/test", {"name": "okta_main"})
    assert reply.body["permissions"]["okta.users.manage"] is False
    lacking = {item["name"] for item in reply.body["actions"] if "okta.users.manage" in item["missing"]}
    assert {"okta.suspend_user", "okta.clear_sessions"} <= lacking
    assert reply.body["ready"] is False
    assert service["scopes"] == scopes


@pytest.mark.engine("openbao")
def test_a_real_vault_is_asked(full_world: World, tmp_path: Path) -> None:
    """OpenBao: ready with the drill's policy; without one path its actions are named."""
    office = Office(full_world, tmp_path / "splunk")
    try:
        office.user("carl", "configure")
        office.connect()
        reply = office.ask("carl", "POST", "connections/test", {"name": "vault_main"})
        assert (reply.status, reply.body["ready"]) == (200, True), reply
        assert full_world.bao is not None
        less = "\n".join(line for line in VAULT_POLICY.splitlines() if "identity/entity/id" not in line)
        full_world.bao.request("PUT", "sys/policies/acl/tourniquet", {"policy": less})
        reply = office.ask("carl", "POST", "connections/test", {"name": "vault_main"})
        assert reply.body["ready"] is False
        assert "vault.disable_entity" in {item["name"] for item in reply.body["actions"] if item["missing"]}
    finally:
        office.close()


def test_a_candidate_never_gets_a_stored_secret(office: Office) -> None:
    """A URL of somebody's own choice with a stored connection's name: the secret must be in the request."""
    given = {**VAULT, "url": "https://127.0.0.1:9", "name": "okta_main", "vendor": "okta", "credential": "private_key"}
    given.update(client_id="x", scopes="a b")
    for name in ("secret", "role_id"):
        given.pop(name)
    reply = office.ask("carl", "POST", "connections/test", {"candidate": given})
    assert reply.status == 400
    assert "body.secret" in {error["place"] for error in reply.body["errors"]}


def test_a_candidate_that_nobody_answers(office: Office) -> None:
    """Not reachable is an answer, not an error; the secret that was tried is not in it, and nothing is stored."""
    before = dict(office.deployment.passwords)
    reply = office.ask("carl", "POST", "connections/test", {"candidate": {**VAULT, "url": "https://127.0.0.1:9"}})
    assert (reply.status, reply.body["reachable"], reply.body["ready"]) == (200, False, False)
    assert reply.body["problem"]
    assert SECRET not in json.dumps(reply.body)
    assert office.deployment.passwords == before


def test_the_setup_page_works_before_there_is_a_journal(office: Office) -> None:
    """A new install has no key and no inventory: connections can be made, and are not called audited."""
    office.deployment.passwords.clear()
    office.deployment.confs["tourniquet", "tourniquet_connection"][1].clear()
    assert make(office).status == 200
    assert office.deployment.rows("tourniquet_journal") == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=10), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from([*VAULT, "privileged", "ca_pem", "proxy", "proxy_secret", "disabled", "x"]), JSON))
def test_no_body_breaks_the_form(body: Dict[str, Any]) -> None:
    """Any JSON is taken or refused with places, whatever its shape."""
    for before in (None, {"vendor": "vault", "tenant": "t", "url": "https://v", "credential": "token"}):
        try:
            form = read_form(body, before, "vault_t")
        except BadInputs as error:
            assert error.errors
        else:
            assert all(isinstance(value, str) for value in {**form.keys, **form.secrets}.values())
