"""Every Vault action on a real OpenBao 2.7.2."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Tuple

import pytest
import requests

from responders.actions import registry
from responders.drill.openbao import OpenBao
from responders.drill.world import World
from responders.errors import NotFound, VendorError
from responders.model import Account, Status
from responders.vendors.open import ClientPool
from tests.support import step_of

pytestmark = pytest.mark.engine("openbao")


@pytest.fixture
def vault(full_world: World) -> Iterator[Tuple[World, OpenBao, Any]]:
    pool = ClientPool(full_world.connections)
    client = pool.get("vault", "default")
    assert client is not None and full_world.bao is not None
    yield full_world, full_world.bao, client
    pool.close()


def reads(bao: OpenBao, token: str, path: str = "kv/data/payments") -> bool:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{bao.url}/v1/{path}", headers={"X-Vault-Token": token}, timeout=5).status_code == 200


def run(api: Any, name: str, account: Account, *evidence: Tuple[str, str]) -> Tuple[Any, Any, Any, Any]:
    action, step = step_of(name, account, *evidence)
    before = action.check(api, step)
    assert not before.contained
    action.apply(api, step, before)
    return action, step, before, action.confirm(api, step, before)


def test_disable_entity(vault: Any) -> None:
    """A disabled entity's token is refused, and works again after undo: so tokens are cut as well."""
    world, bao, api = vault
    person = world.add_person("alice", vendors=("vault",))
    token = person.held["vault token"]
    assert reads(bao, token)
    action, step, before, outcome = run(api, "vault.disable_entity", person.account("vault"))
    assert outcome.status is Status.CONFIRMED
    assert not reads(bao, token)
    action.undo(api, step, before)
    assert reads(bao, token)
    assert action.restored(before, action.check(api, step))


def test_revoke_token_accessor_takes_children_and_leases_too(vault: Any) -> None:
    """The token and its child die; another person's token lives."""
    world, bao, api = vault
    person, other = world.add_person("alice", vendors=("vault",)), world.add_person("bob", vendors=("vault",))
    token = person.held["vault token"]
    child = bao.request("POST", "auth/token/create", {"policies": ["default", "app"]}, token=token)["auth"]["client_token"]
    assert reads(bao, child)
    _, _, _, outcome = run(api, "vault.revoke_token_accessor", person.account("vault"))
    assert outcome.status is Status.CONFIRMED
    assert not reads(bao, token)
    assert not reads(bao, child)
    assert reads(bao, other.held["vault token"])


def test_an_orphan_named_by_the_alert_is_revoked(vault: Any) -> None:
    """An orphan has no entity and survives the entity's disabling: the accessor from the audit log gets it."""
    world, bao, api = vault
    person = world.add_person("alice", vendors=("vault",))
    orphan = bao.request("POST", "auth/token/create-orphan", {"policies": ["app"]})["auth"]
    run(api, "vault.revoke_token_accessor", person.account("vault"), ("vault.accessor", orphan["accessor"]))
    assert not reads(bao, orphan["client_token"])


def test_the_responders_own_token_is_never_revoked(vault: Any) -> None:
    """An alert that names the responder's own accessor does not cut it off."""
    world, bao, api = vault
    person = world.add_person("alice", vendors=("vault",))
    own = next(key for key in api.own_ids() if key.count("-") != 4)
    run(api, "vault.revoke_token_accessor", person.account("vault"), ("vault.accessor", own))
    assert api.call("GET", "/auth/token/lookup-self").status == 200


def test_revoke_certificate_and_leases(vault: Any) -> None:
    """A pki certificate is revoked by serial, and a lease by its id; the proof is read back."""
    world, bao, api = vault
    person = world.add_person("alice", vendors=("vault",))
    bao.request("POST", "sys/mounts/pki", {"type": "pki"})
    bao.request("POST", "pki/root/generate/internal", {"common_name": "ca", "ttl": "1h"})
    bao.request("POST", "pki/roles/web", {"allow_any_name": True, "generate_lease": True, "ttl": "10m", "no_store": False})
    made = bao.request("POST", "pki/issue/web", {"common_name": "x.example"})
    serial = f"pki/{made['data']['serial_number']}"
    _, _, _, outcome = run(api, "vault.revoke_certificate", person.account("vault"), ("vault.pki_serial", serial))
    assert outcome.status is Status.CONFIRMED
    other = bao.request("POST", "pki/issue/web", {"common_name": "y.example"})
    evidence = ("vault.lease_id", other["lease_id"])
    _, _, _, outcome = run(api, "vault.revoke_leases", person.account("vault"), evidence)
    assert outcome.status is Status.CONFIRMED


def test_approle_secret_ids_and_role(vault: Any) -> None:
    """Destroyed SecretIDs log nobody in; a second destroy, which Vault answers with 500, is no failure; then the role."""
    world, bao, api = vault
    bao.request("POST", "auth/approle/role/ci", {"token_policies": "app"})
    role_id = bao.request("GET", "auth/approle/role/ci/role-id")["data"]["role_id"]
    secret = bao.request("POST", "auth/approle/role/ci/secret-id")["data"]["secret_id"]
    login = {"role_id": role_id, "secret_id": secret}
    bao.request("POST", "auth/approle/login", login)
    account = Account("vault", "default", "approle", "ci")
    action, step, before, outcome = run(api, "vault.destroy_secret_id", account)
    assert outcome.status is Status.CONFIRMED
    action.apply(api, step, before)
    with pytest.raises(Exception, match="400"):
        bao.request("POST", "auth/approle/login", login)
    _, _, _, outcome = run(api, "vault.delete_role", account)
    assert outcome.status is Status.CONFIRMED


def test_a_missing_mount_is_not_an_empty_list(vault: Any) -> None:
    """A path that no mount serves answers 404: that is an error, never proof that a role is gone."""
    _, _, api = vault
    action, step = step_of("vault.delete_role", Account("vault", "default", "approle", "nowhere/ci"))
    with pytest.raises(VendorError):
        action.check(api, step)


def test_userpass_reset_and_delete(vault: Any) -> None:
    """The stolen password logs nobody in after the reset; after the delete there is no user."""
    world, bao, api = vault
    world.add_person("alice", vendors=("vault",))
    account = Account("vault", "default", "userpass", "alice")
    _, _, _, outcome = run(api, "vault.reset_user", account)
    assert outcome.status is Status.ACCEPTED
    with pytest.raises(Exception, match="400"):
        bao.request("POST", "auth/userpass/login/alice", {"password": "correct horse"})
    _, _, _, outcome = run(api, "vault.delete_user", account)
    assert outcome.status is Status.CONFIRMED


@pytest.mark.parametrize(
    "policy",
    [
        'path "kv/data/*" { capabilities = ["read"] }',
        'path "kv/data/payments" { capabilities = ["read"] }',
        'path "kv/+/payments" { capabilities = ["read"] }',
        'path "kv/data/*" { capabilities = ["list"] }\npath "kv/data/pay*" { capabilities = ["read"] }',
    ],
)
def test_restrict_paths_denies_on_the_very_same_paths(vault: Any, policy: str) -> None:
    """A deny on `*` would lose against the more specific path; the quarantine repeats each path verbatim."""
    world, bao, api = vault
    bao.request("PUT", "sys/policies/acl/special", {"policy": policy})
    bao.request("POST", "auth/userpass/users/carol", {"password": "pw12345", "token_policies": "special"})
    auth = bao.request("POST", "auth/userpass/login/carol", {"password": "pw12345"})["auth"]
    assert reads(bao, auth["client_token"])
    account = Account("vault", "default", "entity", auth["entity_id"])
    action, step, before, outcome = run(api, "vault.restrict_paths", account)
    assert outcome.status is Status.CONFIRMED, outcome.proof
    assert not reads(bao, auth["client_token"])
    action.undo(api, step, before)
    assert reads(bao, auth["client_token"])


def test_a_no_op_apply_is_noticed(vault: Any) -> None:
    """With an apply that does nothing, no Vault action that can be read back says confirmed."""
    world, bao, api = vault
    person = world.add_person("alice", vendors=("vault",))
    bao.request("POST", "auth/approle/role/ci", {"token_policies": "app"})
    bao.request("POST", "auth/approle/role/ci/secret-id")
    accounts: Dict[str, Account] = {
        "vault.disable_entity": person.account("vault"),
        "vault.revoke_token_accessor": person.account("vault"),
        "vault.restrict_paths": person.account("vault"),
        "vault.destroy_secret_id": Account("vault", "default", "approle", "ci"),
        "vault.delete_role": Account("vault", "default", "approle", "ci"),
        "vault.delete_user": Account("vault", "default", "userpass", "alice"),
    }
    for name, account in accounts.items():
        action, step = step_of(name, account)
        before = action.check(api, step)
        assert action.confirm(api, step, before).status is Status.FAILED, name


def test_unknown_entity_is_not_found(vault: Any) -> None:
    """An entity id that does not exist raises NotFound; it is not taken for contained."""
    _, _, api = vault
    action, step = step_of("vault.disable_entity", Account("vault", "default", "entity", "no-such-entity"))
    with pytest.raises(NotFound):
        action.check(api, step)


def test_database_rotation_needs_evidence() -> None:
    """Rotation acts only on what the alert named: without evidence there is no step."""
    assert registry.load("vault.rotate_role").needs == ("vault.database_static_role",)
    assert registry.load("vault.rotate_root").needs == ("vault.database_connection",)
