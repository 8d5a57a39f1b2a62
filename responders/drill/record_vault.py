"""Attacks on a real OpenBao, recorded by its audit device: the examples of the Vault detections.

`python -m responders.drill.record_vault` starts OpenBao on loopback, sets up what an attack needs as root, plays each scene
below through the API and writes the audit records of that scene to detections/samples/vault/SCENE.json. The attack is ours
and so are all names; the records are the server's, unchanged, in the order of the device. Tokens and secrets in them are
HMACs that OpenBao made with a key that is gone.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import requests
from requests.adapters import HTTPAdapter

from responders.drill.openbao import OpenBao
from responders.drill.resp import RespServer

_HERE = "127.0.0.1"
_ELSEWHERE = "127.66.7.8"
"""Loopback is all of 127.0.0.0/8 on Linux: a client in another network without another machine."""
_MORE_CONFIG = "unsafe_allow_api_audit_creation = true\n"
_ADMIN = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'
_APP = 'path "kv/data/app/*" { capabilities = ["read"] }\npath "database/creds/*" { capabilities = ["read"] }'
_SAMPLES = Path(__file__).resolve().parents[2] / "detections" / "samples" / "vault"


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **more)


class Lab:
    """The server, and calls to it that may fail: a refusal is what some scenes record."""

    def __init__(self, bao: OpenBao, database_port: int) -> None:
        self.bao = bao
        self.log = bao.audit_log
        self._read = 0
        self._app_role: Dict[str, str] = {}
        self._database_port = database_port

    def call(self, method: str, path: str, token: str, body: Optional[Dict[str, Any]] = None, source: str = _HERE) -> Any:
        """What `path` below /v1 answers, errors as well."""
        with requests.Session() as session:
            session.trust_env = False
            session.mount("http://", _From(source))
            headers = {"X-Vault-Token": token} if token else {}
            answer = session.request(method, f"{self.bao.url}/v1/{path}", json=body, headers=headers, timeout=10)
        return answer.json() if answer.content else None

    def records(self) -> List[Any]:
        """What the audit device wrote since the last call."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        new, self._read = lines[self._read :], len(lines)
        return [json.loads(line) for line in new if line.strip()]

    def switch_log(self, path: Path) -> None:
        """From now on `records` reads the file of another device."""
        self.log, self._read = path, len(path.read_text(encoding="utf-8").splitlines())

    def set_up(self) -> None:
        """Mounts, policies, two people, one application, a database role, twenty secrets."""
        root = self.bao.request
        for mount, kind in (("kv", "kv-v2"), ("database", "database")):
            root("POST", f"sys/mounts/{mount}", {"type": kind})
        for method in ("userpass", "approle"):
            root("POST", f"sys/auth/{method}", {"type": method})
        root("PUT", "sys/policies/acl/admin", {"policy": _ADMIN})
        root("PUT", "sys/policies/acl/app", {"policy": _APP})
        for name, policy in (("alice", "admin"), ("mallory", "app")):
            root("POST", f"auth/userpass/users/{name}", {"password": "correct horse", "token_policies": [policy]})
        root("POST", "auth/approle/role/billing", {"token_policies": ["app"], "token_ttl": "20m"})
        role_id = root("GET", "auth/approle/role/billing/role-id")["data"]["role_id"]
        secret_id = root("POST", "auth/approle/role/billing/secret-id", {})["data"]["secret_id"]
        self._app_role = {"role_id": role_id, "secret_id": secret_id}
        for number in range(20):
            root("POST", f"kv/data/app/service-{number}", {"data": {"password": f"p{number}"}})
        where = {"host": _HERE, "port": self._database_port, "username": "root", "password": "x"}
        root(
            "POST",
            "database/config/cache",
            {"plugin_name": "valkey-database-plugin", "allowed_roles": "*", "verify_connection": False, **where},
        )
        for role in ("reports", "orders", "customers"):
            body = {"db_name": "cache", "creation_statements": '["+@read"]', "default_ttl": "1h"}
            root("POST", f"database/roles/{role}", body)

    def login(self, name: str) -> str:
        """The token of a person."""
        made = self.call("POST", f"auth/userpass/login/{name}", "", {"password": "correct horse"})
        return str(made["auth"]["client_token"])

    def application(self, source: str = _HERE) -> str:
        """The token of the application `billing`."""
        return str(self.call("POST", "auth/approle/login", "", self._app_role, source)["auth"]["client_token"])


def auth_method_backdoor(lab: Lab) -> None:
    """An administrator's stolen token adds a log-in of its own: method, user, and policy; then lengthens its tokens."""
    token = lab.login("alice")
    lab.call("POST", "sys/auth/legacy-ldap", token, {"type": "userpass"})
    lab.call("PUT", "sys/policies/acl/legacy", token, {"policy": _ADMIN})
    lab.call("POST", "auth/legacy-ldap/users/backup", token, {"password": "x", "token_policies": ["legacy"]})
    lab.call("POST", "sys/auth/legacy-ldap/tune", token, {"default_lease_ttl": "700h"})
    lab.call("DELETE", "sys/auth/legacy-ldap", token)


def policy_deleted(lab: Lab) -> None:
    """An administrator's token deletes a policy under the old path."""
    lab.call("DELETE", "sys/policy/legacy", lab.login("alice"))


def configuration_read(lab: Lab) -> None:
    """Harmless: an administrator reads auth methods, policies and audit devices, and lists entities."""
    token = lab.login("alice")
    for path in ("sys/auth", "sys/policies/acl/app", "sys/audit", "sys/auth/userpass/tune"):
        lab.call("GET", path, token)
    lab.call("LIST", "sys/policies/acl", token)


def configuration_denied(lab: Lab) -> None:
    """A token without the right tries to change all three, and an administrator a device that only the file may change."""
    token = lab.login("mallory")
    lab.call("DELETE", "sys/audit/file", token)
    lab.call("POST", "sys/auth/mine", token, {"type": "userpass"})
    lab.call("PUT", "sys/policies/acl/mine", token, {"policy": _ADMIN})
    lab.call("DELETE", "sys/audit/file", lab.login("alice"))


def secret_id_burst(lab: Lab) -> None:
    """A stolen token of a person makes twelve SecretIDs for one application."""
    token = lab.login("alice")
    for _ in range(12):
        lab.call("POST", "auth/approle/role/billing/secret-id", token, {})


def secret_id_once(lab: Lab) -> None:
    """Harmless: a pipeline makes one SecretID, lists them and looks one up."""
    token = lab.login("alice")
    lab.call("POST", "auth/approle/role/billing/secret-id", token, {})
    lab.call("LIST", "auth/approle/role/billing/secret-id", token)
    lab.call("GET", "auth/approle/role/billing", token)


def approle_new_network(lab: Lab) -> None:
    """The application logs in from its own network, then whoever stole its SecretID from another."""
    lab.application()
    lab.application(_ELSEWHERE)


def denied_paths(lab: Lab) -> None:
    """A stolen token of an application feels its way: what may it read?"""
    token = lab.application()
    for path in (
        "sys/auth",
        "sys/mounts",
        "sys/policies/acl/admin",
        "kv/data/admin/root",
        "kv/metadata/admin",
        "identity/entity/id",
    ):
        lab.call("GET", path, token)
    for number in range(10):
        lab.call("GET", f"kv/data/team-{number}/password", token)
    lab.call("GET", "kv/data/app/service-1", token)


def denied_once(lab: Lab) -> None:
    """Harmless: an application asks again and again for two paths that it may not read."""
    token = lab.application()
    for _ in range(10):
        lab.call("GET", "kv/data/app-old/password", token)
        lab.call("GET", "kv/data/app-old/key", token)


def token_minted(lab: Lab) -> None:
    """An administrator's stolen token makes what outlives it: a periodic orphan, and a token for thirty days."""
    token = lab.login("alice")
    lab.call("POST", "auth/token/create-orphan", token, {"policies": ["admin"], "period": "720h"})
    lab.call("POST", "auth/token/create", token, {"policies": ["admin"], "ttl": "720h"})
    lab.call("POST", "auth/token/create", token, {"policies": ["admin"], "no_parent": True, "ttl": "1h"})


def token_ordinary(lab: Lab) -> None:
    """Harmless: a child for an hour, a batch token, a look at itself, and a renewal."""
    token = lab.login("alice")
    lab.call("POST", "auth/token/create", token, {"policies": ["app"], "ttl": "1h"})
    lab.call("POST", "auth/token/create", token, {"policies": ["app"], "ttl": "1h", "type": "batch"})
    lab.call("GET", "auth/token/lookup-self", token)
    lab.call("POST", "auth/token/renew-self", token, {})


def database_burst(lab: Lab) -> None:
    """A stolen token of an application leases database users of every role that there is."""
    token = lab.application()
    for number in range(12):
        lab.call("GET", f"database/creds/{('reports', 'orders', 'customers')[number % 3]}", token)


def database_few(lab: Lab) -> None:
    """Harmless: an application leases three database users, and reads how a role is made."""
    token = lab.application()
    for role in ("reports", "orders", "reports"):
        lab.call("GET", f"database/creds/{role}", token)
    lab.call("GET", "database/roles/reports", lab.login("alice"))


def secret_sweep(lab: Lab) -> None:
    """A stolen AppRole reads every secret that its policy opens."""
    token = lab.application()
    for number in range(20):
        lab.call("GET", f"kv/data/app/service-{number}", token)


def root_generated(lab: Lab) -> None:
    """Whoever holds an administrator's token and an unseal key generates a root token, and reads a secret with it."""
    token = lab.login("alice")
    started = lab.call("PUT", "sys/generate-root-token/attempt", token, {})["data"]
    body = {"key": lab.bao.unseal_key, "nonce": started["nonce"]}
    done = lab.call("PUT", "sys/generate-root-token/update", token, body)["data"]
    sealed, pad = base64.b64decode(done["encoded_token"] + "=="), started["otp"].encode()
    root = bytes(left ^ right for left, right in zip(sealed, pad)).decode()
    lab.call("GET", "kv/data/app/service-1", root)
    lab.call("POST", "auth/token/create", root, {"policies": ["root"]})


def root_cancelled(lab: Lab) -> None:
    """Harmless: the generation of a root token is begun, looked at and cancelled; the old path is refused."""
    token = lab.login("alice")
    lab.call("PUT", "sys/generate-root-token/attempt", token, {})
    lab.call("GET", "sys/generate-root-token/attempt", token)
    lab.call("DELETE", "sys/generate-root-token/attempt", token)
    lab.call("PUT", "sys/generate-root/attempt", "", {})


def audit_device_disabled(lab: Lab) -> None:
    """An administrator's stolen token switches off the device that the SIEM reads: it writes the request and no more."""
    own = lab.log.with_suffix(".siem")
    options = {"file_path": str(own), "hmac_accessor": "false"}
    lab.bao.request("POST", "sys/audit/siem", {"type": "file", "options": options})
    token = lab.login("alice")
    lab.switch_log(own)
    lab.call("DELETE", "sys/audit/siem", token)


SCENES: Tuple[Callable[[Lab], None], ...] = (
    auth_method_backdoor, policy_deleted, configuration_read, configuration_denied, secret_id_burst, secret_id_once,
    approle_new_network, denied_paths, denied_once, token_minted, token_ordinary, database_burst, database_few,
    secret_sweep, root_generated, root_cancelled, audit_device_disabled,
)  # fmt: skip
"""In this order: the last one switches a device off."""


def record(folder: Path) -> Dict[str, int]:
    """Play every scene against a new server; the number of records of each."""
    found: Dict[str, int] = {}
    folder.mkdir(parents=True, exist_ok=True)
    with RespServer() as database, OpenBao(_MORE_CONFIG) as bao:
        lab = Lab(bao, database.port)
        lab.set_up()
        for scene in SCENES:
            lab.records()
            scene(lab)
            records = lab.records()
            text = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
            (folder / f"{scene.__name__}.json").write_text(f"[{text}]\n", encoding="utf-8")
            found[scene.__name__] = len(records)
    return found


if __name__ == "__main__":
    for name, number in record(_SAMPLES).items():
        sys.stdout.write(f"{name}: {number} records\n")
