"""The least-privilege configuration of each vendor: of the policy in force, of what is missing; proven at a real Vault."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Set, Tuple

import pytest

from responders.actions import registry
from responders.errors import BadSettings, Forbidden
from responders.readiness.check import BESIDE
from responders.readiness.grants import configuration, of_policy, wanted
from responders.readiness.grants.cyberark import _SAFE, _VAULT
from responders.readiness.grants.okta import _ROLE, _SUPER
from responders.readiness.grants.vault import OWN
from responders.settings import Connection, Secret
from responders.surfaces.assemble import read_policy
from responders.vendors.open import ClientPool
from responders.vendors.transport import Limits
from tests.actions.cases import action_of
from tests.actions.conftest import shared_vault as shared_vault
from tests.actions.conftest import vault as vault
from tests.actions.vault_bench import Relay
from tests.actions.vault_cases import VAULT_CASES, VaultBench
from tests.support import step_of

ALL = registry.names()
QUICK = Limits(total=3.0, attempt=2.0, retries=1)


def text_for(vendor: str, used: Tuple[str, ...] = ALL, **more: Any) -> str:
    connection = Connection(vendor, "corp", "https://corp.example", {"password": Secret("the-secret")}, **more)
    return configuration(vendor, wanted(vendor, used), connection)


def test_only_what_the_policy_uses_is_asked_for() -> None:
    """A policy without an action needs none of its permissions; what the responder does beside actions stays."""
    assert "okta.apiTokens.manage" in text_for("okta")
    assert "okta.apiTokens.manage" not in text_for("okta", ("okta.suspend_user",))
    assert "okta.logs.read" in text_for("okta", ())
    assert "pki/revoke" not in text_for("vault", ("vault.disable_entity",))
    assert set(wanted("entra", ())) == set(BESIDE["entra"])
    assert {"okta.suspend_user", "vault.delete_role"} <= set(of_policy(read_policy("").actions))


@pytest.mark.parametrize("vendor", ["okta", "entra", "cyberark"])
def test_every_permission_stands_in_the_configuration(vendor: str) -> None:
    """Each permission that an action declares is granted, by the vendor's own name for it, and no secret is printed."""
    found = text_for(vendor)
    for permissions in wanted(vendor, ALL).values():
        for name in permissions:
            assert {**_VAULT, **_SAFE}.get(name, name) in found
    assert "the-secret" not in found
    assert vendor != "cyberark" or "RetrieveAccounts $true" not in found
    assert vendor != "cyberark" or "PSMLiveSessionTerminators" in found


def test_each_okta_action_has_its_part_of_the_role() -> None:
    """Scopes without a role are worth nothing: an action that the table forgets would never work under a custom role."""
    assert {*_ROLE, *_SUPER} == {name for name in ALL if name.startswith("okta.")}


def test_nothing_needed_prints_nothing_and_names_can_not_run() -> None:
    """No empty role is made; a tenant that a shell would run is refused, not pasted."""
    assert configuration("vault", {"vault.disable_entity": ()}, Connection("vault", "prod", "", {})) == ""
    for bad in ("x'; rm -rf ~; '", "$(id)", "`id`", "a\nb"):
        with pytest.raises(BadSettings, match="shell"):
            configuration("entra", wanted("entra", ALL), Connection("entra", bad, "", {}))
    assert "rm -rf" not in text_for("okta", plain={"client_id": "x'; rm -rf ~; '"})


def run_okta(folder: Path, answer: str, code: int) -> Tuple[str, List[List[str]]]:
    """What bash prints for the commands, with a curl that gives this answer, and the arguments of its calls."""
    log = folder / "calls"
    curl = f"curl() {{ printf '%s\\0' \"$@\" >>'{log}'; printf '\\n' >>'{log}'; printf %s '{answer}'; return {code}; }}"
    script = f"{curl}\nOKTA_TOKEN=the-token\n{text_for('okta', plain={'client_id': '0oaMine'})}"
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert "syntax error" not in done.stderr
    calls = [line.split("\0")[:-1] for line in log.read_text().splitlines()]
    return done.stdout, calls


def test_okta_commands_run_as_they_are_pasted(tmp_path: Path) -> None:
    """Each scope by itself, then the role under the ids that Okta gave to it and to its resources: nothing to fill in."""
    _, calls = run_okta(tmp_path, '{"id": "cr0Given", "label": "Tourniquet", "other": {"id": "no"}}', 0)
    sent = {call[-1] if call[-2] == "-d" else "": next(part for part in call if part.startswith("https:")) for call in calls}
    bodies = {path.removeprefix("https://corp.example"): json.loads(body) for body, path in sent.items()}
    scopes = [json.loads(call[-1])["scopeId"] for call in calls if call[-1].startswith('{"issuer"')]
    assert sorted(scopes) == sorted({name for names in wanted("okta", ALL).values() for name in names})
    assert "okta.users.read" in bodies["/api/v1/iam/roles"]["permissions"]
    assert bodies["/api/v1/iam/resource-sets"]["resources"]
    custom = next(json.loads(call[-1]) for call in calls if "CUSTOM" in call[-1])
    assert custom == {"type": "CUSTOM", "role": "cr0Given", "resource-set": "cr0Given"}


def test_what_okta_refuses_is_shown_and_ends_the_part(tmp_path: Path) -> None:
    """A refused grant or role is no reason to assign nothing to somebody: Okta's words are shown, and that part ends."""
    out, calls = run_okta(tmp_path, '{"errorSummary": "label is taken"}', 22)
    assert "label is taken" in out
    assert len([call for call in calls if call[-1].startswith('{"issuer"')]) == 1
    assert not [call for call in calls if "CUSTOM" in call[-1] or any("resource-sets" in part for part in call)]


# -- Vault: exactly this policy, on a real server ------------------------------------------------------------


def written(bench: VaultBench, text: str) -> Connection:
    """The world's connection as a role that holds this policy, and not even Vault's default one."""
    name = "exact-" + secrets.token_hex(4)
    root = bench.bao.request
    root("PUT", f"sys/policies/acl/{name}", {"policy": text})
    root("POST", f"auth/approle/role/{name}", {"token_policies": name, "token_no_default_policy": True})
    plain = {"role_id": root("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]}
    secret = root("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]
    [mine] = [connection for connection in bench.world.connections if connection.vendor == "vault"]
    return replace(mine, secrets={"secret_id": Secret(secret)}, plain=plain)


def declared() -> Dict[str, Set[str]]:
    """Path to capabilities, as the actions declare them, and what the responder asks of itself."""
    found: Dict[str, Set[str]] = {}
    for permissions in (*wanted("vault", ALL).values(), OWN):
        for capabilities, path in (permission.split(" on ") for permission in permissions):
            found.setdefault(path, set()).update(capabilities.split(", "))
    return found


def refused(api: Any, method: str, path: str, body: Any) -> bool:
    """True when the server answers 403, and nothing else will do."""
    try:
        api.call(method, f"/{path}", body=body)
    except Forbidden:
        return True
    return False


@pytest.mark.engine("openbao")
def test_with_exactly_this_policy_every_action_works(vault: Tuple[VaultBench, Relay]) -> None:
    """The printed HCL alone, without the default policy: each case of each action is carried out, proved and undone."""
    bench, _ = vault
    pool = ClientPool((written(bench, text_for("vault")),), limits=QUICK)
    try:
        api = pool.get("vault", "default")
        assert api is not None
        api.warm()
        for name, make in sorted(VAULT_CASES.items()):
            case = make(bench)
            action, step = step_of(action_of(name), case.account, *case.evidence)
            before = action.check(api, step)
            action.apply(api, step, before)
            assert action.confirm(api, step, before).status is case.status, name
            assert not case.works(), name
            if not action.irreversible:
                action.undo(api, step, before)
                assert action.restored(before, action.check(api, step)), name
    finally:
        pool.close()


FORBIDDEN: Mapping[str, Tuple[str, str, Any]] = {
    "read a secret": ("GET", "kv/data/payments", None),
    "make a token": ("POST", "auth/token/create", {"policies": ["app"]}),
    "make a token of root": ("POST", "auth/token/create-orphan", {"policies": ["root"]}),
    "change somebody's policy": ("PUT", "sys/policies/acl/app", {"policy": 'path "*" { capabilities = ["sudo"] }'}),
    "take a policy away": ("DELETE", "sys/policies/acl/app", None),
    "mount something": ("POST", "sys/mounts/mine", {"type": "kv"}),
    "open a way in": ("POST", "sys/auth/mine", {"type": "userpass"}),
    "stop the audit log": ("DELETE", "sys/audit/file", None),
    "seal it": ("PUT", "sys/seal", None),
    "make an entity": ("POST", "identity/entity", {"name": "mine"}),
    "change a group": ("POST", "identity/group", {"name": "mine", "policies": ["app"]}),
    "make a user": ("POST", "auth/userpass/users/mine", {"password": "mine"}),
    "make a role": ("POST", "auth/approle/role/mine", {"token_policies": "app"}),
    "make a SecretID": ("POST", "auth/approle/role/tourniquet/secret-id", None),
    "get database credentials": ("GET", "database/creds/dynamic", None),
    "read a static password": ("GET", "database/static-creds/shop", None),
    "change a connection": ("POST", "database/config/shop", {"allowed_roles": "*"}),
    "issue a certificate": ("POST", "pki/issue/web", {"common_name": "mine.example"}),
    "end everybody's leases": ("PUT", "sys/leases/revoke-force/database", None),
    "revoke a whole prefix": ("PUT", "sys/leases/revoke-prefix/database", None),
}


@pytest.mark.engine("openbao")
def test_with_exactly_this_policy_nothing_else_works(vault: Tuple[VaultBench, Relay]) -> None:
    """What an attacker would do with a stolen credential is refused; and so is every path of the server's own list."""
    bench, _ = vault
    text = text_for("vault")
    pool = ClientPool((written(bench, text),), limits=QUICK)
    try:
        api = pool.get("vault", "default")
        assert api is not None
        api.warm()
        for what, (method, path, body) in FORBIDDEN.items():
            assert refused(api, method, path, body), f"the credential can {what}"
        accessor = api.call("GET", "/auth/token/lookup-self").body["data"]["accessor"]
    finally:
        pool.close()
    listed = bench.bao.request("GET", "sys/internal/specs/openapi")["paths"]
    paths = sorted({re.sub(r"\{[^}]*\}", "any", path).strip("/") for path in listed})
    assert len(paths) > 300
    told = bench.bao.request("POST", "sys/capabilities-accessor", {"accessor": accessor, "paths": paths})["data"]
    rules = declared()
    strange: List[str] = []
    for path in paths:
        may = set(told[path]) - {"deny"}
        if may and may != _said(rules, path):
            strange.append(f"{path}: {sorted(may)}")
    assert strange == []
    assert sum(told[path] != ["deny"] for path in paths) >= 15


def _said(rules: Mapping[str, Set[str]], path: str) -> Set[str]:
    """What the most specific rule of the HCL says of a path: here no two rules but a longer prefix ever compete."""
    fits = [rule for rule in rules if re.fullmatch(re.escape(rule).replace(r"\*", ".*").replace(r"\+", "[^/]+"), path)]
    return rules[max(fits, key=len)] if fits else set()


@pytest.mark.engine("openbao")
def test_of_an_entity_only_what_the_actions_write_can_be_written(vault: Tuple[VaultBench, Relay]) -> None:
    """Without restrict_paths the credential can disable an entity and enable it again, and give it no policy: a stolen one
    can't make its holder more than it is."""
    bench, _ = vault
    case = VAULT_CASES["vault.disable_entity"](bench)
    pool = ClientPool((written(bench, text_for("vault", ("vault.disable_entity",))),), limits=QUICK)
    try:
        api = pool.get("vault", "default")
        assert api is not None
        place = f"identity/entity/id/{case.account.id}"
        for body in (
            {"policies": ["app"]},
            {"name": "mine"},
            {"disabled": False, "policies": ["app"]},
            {"metadata": {"a": "b"}},
        ):
            assert refused(api, "POST", place, body), body
        api.call("POST", f"/{place}", body={"disabled": True})
        assert not case.works()
    finally:
        pool.close()
