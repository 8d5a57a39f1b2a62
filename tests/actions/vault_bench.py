"""A real OpenBao behind a relay that injects faults, and a database whose passwords OpenBao really changes.

The database is a stand-in that speaks as much of InfluxDB 1's HTTP API as OpenBao's influxdb plugin uses (InfluxDB, "HTTP
API reference"; Vault documentation, "InfluxDB database secrets engine").
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Dict, Mapping, Tuple

import requests

from responders.drill.openbao import OpenBao
from responders.drill.simulators.server import Answer, Request, Simulator
from responders.settings import Connection

_DROP = re.compile(r"""DROP USER "?([\w.-]+)"?""", re.IGNORECASE)
_SET = re.compile(r"""(?:SET PASSWORD FOR|CREATE USER) "?([\w.-]+)"? (?:=|WITH PASSWORD) '([^']*)'""", re.IGNORECASE)
_VOLATILE = ("last_update_time", "creation_time", "merged_entity_ids", "direct_group_ids")


class Relay(Simulator):
    """Hands every request on to OpenBao. Faults, the request log and the rate limit are a simulator's."""

    def __init__(self, bao: OpenBao) -> None:
        super().__init__()
        self._bao = bao

    def serve(self, request: Request) -> Answer:
        names = ("x-vault-token", "x-vault-request", "x-vault-namespace")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(request.method, self._bao.url + request.path, params=dict(request.query),
                                     json=request.body, headers=headers, timeout=10)  # fmt: skip
        return Answer(answer.status_code, answer.json() if answer.content else None)

    def limited(self) -> Answer:
        """Vault's 429 names no time. Source: Vault API, "HTTP status codes"."""
        return Answer(429, {"errors": ["request path rate limit quota exceeded"]})

    def error(self, status: int, text: str) -> Answer:
        return Answer(status, {"errors": [text]})

    def dump(self) -> Any:
        return held(self._bao)

    def connection(self, given: Connection) -> Connection:
        """The same connection, through the relay."""
        return replace(given, url=self.url)


def held(bao: OpenBao) -> Dict[str, Any]:
    """What a containment changes in Vault: entities, policies, AppRoles, users. Read as root, past the faults."""

    def keys(path: str) -> Tuple[str, ...]:
        try:
            return tuple(bao.request("GET", f"{path}?list=true")["data"]["keys"])
        except Exception as error:
            assert "404" in str(error), error
            return ()

    def data(path: str) -> Dict[str, Any]:
        found: Dict[str, Any] = bao.request("GET", path)["data"]
        return found

    found: Dict[str, Any] = {"policies": {}, "roles": {}, "users": {}, "entities": {}}
    for name in keys("sys/policies/acl"):
        found["policies"][name] = data(f"sys/policies/acl/{name}").get("policy")
    for name in keys("auth/approle/role"):
        found["roles"][name] = data(f"auth/approle/role/{name}")
        found["roles"][name]["secret ids"] = sorted(keys(f"auth/approle/role/{name}/secret-id"))
    for name in keys("auth/userpass/users"):
        found["users"][name] = data(f"auth/userpass/users/{name}")
    for name in keys("identity/entity/id"):
        entity = data(f"identity/entity/id/{name}")
        entity["aliases"] = sorted(alias["name"] for alias in entity.get("aliases") or ())
        found["entities"][name] = {key: value for key, value in entity.items() if key not in _VOLATILE}
        # An entity without policies reads as null, and as [] once it had some.
        found["entities"][name]["policies"] = entity.get("policies") or []
    return found


class Database(Simulator):
    """Users and their passwords; `root` may change them."""

    def __init__(self) -> None:
        super().__init__()
        self.state = {"passwords": {"root": "root-first"}}
        self.route("GET", "/ping", lambda request: Answer(204, headers={"X-Influxdb-Version": "1.8.10"}))
        self.route("GET", "/query", self._query)
        self.route("POST", "/query", self._query)

    def login(self, user: str, password: str) -> bool:
        """Does this password work now?"""
        return bool(self.state["passwords"].get(user) == password)

    def _query(self, request: Request) -> Answer:
        form: Mapping[str, Any] = request.body if isinstance(request.body, dict) else {}
        statement = str(request.query.get("q", form.get("q", "")))
        for user, password in _SET.findall(statement):
            self.state["passwords"][user] = password
        for user in _DROP.findall(statement):
            self.state["passwords"].pop(user, None)
        users = [[user, True] for user in self.state["passwords"]]
        return Answer(200, {"results": [{"statement_id": 0, "series": [{"columns": ["user", "admin"], "values": users}]}]})


def mount_database(bao: OpenBao, database: Database) -> None:
    """A database engine with one connection, `shop`."""
    port = int(database.url.rpartition(":")[2])
    bao.request("POST", "sys/mounts/database", {"type": "database"})
    connection = {"plugin_name": "influxdb-database-plugin", "host": "127.0.0.1", "port": port, "username": "root",
                  "password": "root-first", "allowed_roles": "*"}  # fmt: skip
    bao.request("POST", "database/config/shop", connection)
