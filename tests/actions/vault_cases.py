"""For each Vault action, on a real OpenBao: an account, what the alert named, and the attacker's way in."""

from __future__ import annotations

import itertools
from typing import Any, Callable, Dict

import requests
from cryptography import x509

from responders.drill.world import World
from responders.model import Account, Status
from tests.actions.cases import Case
from tests.actions.vault_bench import Database

_NUMBERS = itertools.count(1)


class VaultBench:
    """A world whose OpenBao is shared by the tests of a module; each case has names of its own."""

    def __init__(self, world: World, database: Database) -> None:
        assert world.bao is not None
        self.world, self.bao, self.database = world, world.bao, database

    def name(self, what: str) -> str:
        return f"{what}-{next(_NUMBERS)}"

    def answers(self, method: str, path: str, token: str = "", **more: Any) -> bool:
        """The attacker's call, straight to the server."""
        with requests.Session() as session:
            session.trust_env = False
            headers = {"X-Vault-Token": token} if token else {}
            return session.request(method, f"{self.bao.url}/v1/{path}", headers=headers, timeout=5, **more).status_code < 300


def _token(bench: VaultBench) -> Case:
    person = bench.world.add_person(bench.name("alice"), vendors=("vault",))
    token = person.held["vault token"]
    return Case(person.account("vault"), lambda: bench.answers("GET", "kv/data/payments", token))


def _group_member(bench: VaultBench) -> Case:
    """What the token may read comes from a group's policy too."""
    case = _token(bench)
    group = {"name": bench.name("group"), "policies": ["app"], "member_entity_ids": [case.account.id]}
    bench.bao.request("POST", "identity/group", group)
    return case


def _orphan(bench: VaultBench) -> Case:
    """A token without an entity, as root makes it: only the audit log knows that it is the attacker's."""
    person = bench.world.add_person(bench.name("alice"), vendors=("vault",))
    made = bench.bao.request("POST", "auth/token/create-orphan", {"policies": ["app"]})["auth"]
    token, evidence = made["client_token"], (("vault.accessor", made["accessor"]),)
    return Case(person.account("vault"), lambda: bench.answers("GET", "kv/data/payments", token), evidence)


def _lease(bench: VaultBench) -> Case:
    """A database user that Vault made for the attacker."""
    made = bench.bao.request("GET", "database/creds/dynamic")
    given = made["data"]
    account = Account("vault", "default", "entity", "whoever")
    works = lambda: bench.database.login(given["username"], given["password"])  # noqa: E731
    return Case(account, works, (("vault.lease_id", made["lease_id"]),))


def _certificate(bench: VaultBench) -> Case:
    made = bench.bao.request("POST", "pki/issue/web", {"common_name": f"{bench.name('host')}.example"})["data"]
    number = int(made["serial_number"].replace(":", ""), 16)

    def works() -> bool:
        """A peer that checks revocation lets the certificate in."""
        listed = x509.load_pem_x509_crl(requests.get(f"{bench.bao.url}/v1/pki/crl/pem", timeout=5).content)
        return listed.get_revoked_certificate_by_serial_number(number) is None

    account = Account("vault", "default", "entity", "whoever")
    return Case(account, works, (("vault.pki_serial", f"pki/{made['serial_number']}"),))


def _role(bench: VaultBench, name: str) -> Callable[[], bool]:
    bench.bao.request("POST", f"auth/approle/role/{name}", {"token_policies": "app"})
    role_id = bench.bao.request("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
    secret = bench.bao.request("POST", f"auth/approle/role/{name}/secret-id")["data"]
    body = {"role_id": role_id, "secret_id": secret["secret_id"]}
    return lambda: bench.answers("POST", "auth/approle/login", json=body)


def _approle(bench: VaultBench) -> Case:
    name = bench.name("ci")
    return Case(Account("vault", "default", "approle", name), _role(bench, name))


def _named_secret_id(bench: VaultBench) -> Case:
    """One of two SecretIDs leaked: the other one stays."""
    name = bench.name("ci")
    _role(bench, name)
    role_id = bench.bao.request("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
    leaked = bench.bao.request("POST", f"auth/approle/role/{name}/secret-id")["data"]
    body = {"role_id": role_id, "secret_id": leaked["secret_id"]}
    evidence = (("vault.secret_id_accessor", leaked["secret_id_accessor"]),)
    account = Account("vault", "default", "approle", name)
    return Case(account, lambda: bench.answers("POST", "auth/approle/login", json=body), evidence)


def _wrapped_secret_id(bench: VaultBench) -> Case:
    """A SecretID that the attacker holds response-wrapped, and has not unwrapped yet."""
    name = bench.name("ci")
    bench.bao.request("POST", f"auth/approle/role/{name}", {"token_policies": "app"})
    url, headers = f"{bench.bao.url}/v1", {"X-Vault-Token": bench.bao.root_token, "X-Vault-Wrap-TTL": "5m"}
    role_id = bench.bao.request("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
    wrapped = requests.post(f"{url}/auth/approle/role/{name}/secret-id", headers=headers, timeout=5).json()["wrap_info"]
    held: Dict[str, str] = {}

    def works() -> bool:
        if not held:
            given = requests.post(f"{url}/sys/wrapping/unwrap", headers={"X-Vault-Token": wrapped["token"]}, timeout=5)
            held.update(given.json()["data"])
        body = {"role_id": role_id, "secret_id": held["secret_id"]}
        return bench.answers("POST", "auth/approle/login", json=body)

    return Case(Account("vault", "default", "approle", name), works)


def _userpass(status: Status) -> Callable[[VaultBench], Case]:
    def make(bench: VaultBench) -> Case:
        name = bench.name("user")
        bench.bao.request("POST", f"auth/userpass/users/{name}", {"password": "stolen", "token_policies": "app"})
        works = lambda: bench.answers("POST", f"auth/userpass/login/{name}", json={"password": "stolen"})  # noqa: E731
        return Case(Account("vault", "default", "userpass", name), works, status=status)

    return make


def _static_role(bench: VaultBench) -> Case:
    name = bench.name("app")
    role = {"db_name": "shop", "username": name, "rotation_period": "24h",
            "rotation_statements": ['SET PASSWORD FOR "{{username}}" = \'{{password}}\'']}  # fmt: skip
    bench.bao.request("POST", f"database/static-roles/{name}", role)
    leaked = bench.bao.request("GET", f"database/static-creds/{name}")["data"]["password"]
    account = Account("vault", "default", "entity", "whoever")
    return Case(account, lambda: bench.database.login(name, leaked), (("vault.database_static_role", name),))


def _root(bench: VaultBench) -> Case:
    name = bench.name("shop")
    bench.database.state["passwords"][name] = "leaked"
    port = int(bench.database.url.rpartition(":")[2])
    connection = {"plugin_name": "influxdb-database-plugin", "host": "127.0.0.1", "port": port, "username": name,
                  "password": "leaked", "allowed_roles": "*"}  # fmt: skip
    bench.bao.request("POST", f"database/config/{name}", connection)
    account = Account("vault", "default", "entity", "whoever")
    evidence = (("vault.database_connection", name),)
    return Case(account, lambda: bench.database.login(name, "leaked"), evidence, Status.ACCEPTED)


def prepare(bench: VaultBench) -> None:
    """Mounts that the cases share."""
    root = bench.bao.request
    root("POST", "sys/mounts/pki", {"type": "pki"})
    root("POST", "pki/root/generate/internal", {"common_name": "ca", "ttl": "1h"})
    root("POST", "pki/roles/web", {"allow_any_name": True, "ttl": "10m", "no_store": False})
    role = {"db_name": "shop", "default_ttl": "10m",
            "creation_statements": ['CREATE USER "{{username}}" WITH PASSWORD \'{{password}}\''],
            "revocation_statements": ['DROP USER "{{username}}"']}  # fmt: skip
    root("POST", "database/roles/dynamic", role)


VAULT_CASES: Dict[str, Callable[[VaultBench], Case]] = {
    "vault.delete_role": _approle,
    "vault.delete_user": _userpass(Status.CONFIRMED),
    "vault.destroy_secret_id": _approle,
    "vault.destroy_secret_id/named": _named_secret_id,
    "vault.destroy_secret_id/wrapped": _wrapped_secret_id,
    "vault.disable_entity": _token,
    "vault.reset_user": _userpass(Status.ACCEPTED),
    "vault.restrict_paths": _group_member,
    "vault.revoke_certificate": _certificate,
    "vault.revoke_leases": _lease,
    "vault.revoke_token_accessor": _token,
    "vault.revoke_token_accessor/orphan": _orphan,
    "vault.rotate_role": _static_role,
    "vault.rotate_root": _root,
}
