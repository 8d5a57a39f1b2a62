"""Contract checks against one vendor tenant: read only, and block and undo on an account that its owner calls disposable."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Tuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import yaml

from responders.actions import registry
from responders.drill.simulators.server import Logged
from responders.errors import BadInput, Forbidden, Halted, NotFound, Refused
from responders.model import Account, Status
from responders.settings import Connection, load_settings
from responders.vendors.open import ClientPool
from tests.specs.checker import VENDORS, Spec, spec_of
from tests.support import step_of

FILE = "TOURNIQUET_CONTRACT"
BLOCKS = {"okta": "okta.suspend_user", "entra": "entra.disable_user", "cyberark": "cyberark.disable_user"}
"""The action that is tried on a disposable account, and undone."""
_SPECS = {"okta": "okta", "entra": "graph", "cyberark": "cyberark"}


@dataclass(frozen=True)
class Target:
    """Where to look. `disposable` is an account that may be blocked for a moment, "" for none."""

    connection: Connection
    user: str
    disposable: str
    folder: Path

    @property
    def urls(self) -> Tuple[str, ...]:
        login = str(self.connection.plain.get("login", "https://login.microsoftonline.com"))
        return (self.connection.url, *((login,) if self.connection.vendor == "entra" else ()))

    @property
    def secrets(self) -> Tuple[str, ...]:
        return tuple(secret.reveal() for secret in self.connection.secrets.values())

    def account(self, user: str) -> Account:
        return Account(self.connection.vendor, self.connection.tenant, "user", user)


def named_target(vendor: str) -> Target:
    """The target in the file that TOURNIQUET_CONTRACT names. Raises BadInput with what is missing."""
    path = os.environ.get(FILE, "")
    remedy = f"set {FILE} to a JSON file as docs/contract_tests.md shows"
    if not path:
        raise BadInput("is not set", place=FILE, remedy=remedy)
    try:
        given: Mapping[str, Any] = json.loads(Path(path).read_text())
        mine: Mapping[str, Any] = given[vendor]
        settings = Path(path).parent / given["settings"]
        tenant, user = str(mine["tenant"]), str(mine["user"])
        folder = Path(path).parent / given["cassettes"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{type(error).__name__}: {error}", place=path, remedy=remedy) from None
    for connection in load_settings(str(settings)).connections:
        if (connection.vendor, connection.tenant) == (vendor, tenant):
            return Target(connection, user, str(mine.get("disposable_user", "")), folder)
    raise BadInput(f"{vendor}:{tenant} is not connected", place=str(settings), remedy="correct `tenant`")


def _nothing_is_written() -> None:
    raise Halted("this run only reads")


def read_only(target: Target) -> Dict[str, str]:
    """`check` of every action on users, with a gate that refuses each change. What came of it, by action.

    A missing permission or setting is told and is no failure; an answer that the client can't read raises.
    """
    pool = ClientPool((target.connection,), gate=_nothing_is_written)
    told: Dict[str, str] = {}
    try:
        client = pool.get(target.connection.vendor, target.connection.tenant)
        assert client is not None
        client.warm()
        for name in registry.names():
            action = registry.load(name)
            if action.vendor != target.connection.vendor or "user" not in action.kinds or action.needs:
                continue
            _, step = step_of(name, target.account(target.user))
            try:
                state = action.check(client, step)
                told[name] = "contained" if state.contained else "open"
            except Forbidden:
                told[name] = f"not permitted: needs {', '.join(action.permissions)}"
            except (BadInput, Refused, NotFound) as error:
                told[name] = f"not possible: {type(error).__name__}"
    finally:
        pool.close()
    return told


def block_and_undo(target: Target) -> Tuple[Status, bool]:
    """Blocks the disposable account, reads it back, and undoes it: (what confirm said, whether all is as before)."""
    assert target.disposable, "no disposable account is named"
    pool = ClientPool((target.connection,))
    try:
        client = pool.get(target.connection.vendor, target.connection.tenant)
        assert client is not None
        action, step = step_of(BLOCKS[target.connection.vendor], target.account(target.disposable))
        before = action.check(client, step)
        assert not before.contained, "the disposable account is blocked already: enable it first"
        try:
            action.apply(client, step, before)
            outcome = action.confirm(client, step, before)
        finally:
            action.undo(client, step, before)
        return outcome.status, action.restored(before, action.check(client, step))
    finally:
        pool.close()


def deviations(vendor: str, path: Path) -> List[str]:
    """Where a cassette's exchanges differ from the vendor's description in tests/specs."""
    (kind,) = [kind for kind, known in VENDORS.items() if known.name == _SPECS[vendor]]
    spec = spec_of(kind)
    assert spec is not None
    return list(dict.fromkeys(str(found) for entry in _logged(path, spec) for found in spec.check(entry)))


def _logged(path: Path, spec: Spec) -> Iterator[Logged]:
    for entry in yaml.safe_load(path.read_text())["interactions"]:
        asked, given = entry["request"], entry["response"]
        parts = urlsplit(asked["uri"])
        kind = "".join(asked["headers"].get("Content-Type", []))
        body: Any = dict(parse_qsl(asked["body"] or "")) if "urlencoded" in kind else _json(asked["body"])
        # Credentials' headers are not recorded; that they were there, the vendor's answer says.
        headers = {"content-type": kind, "authorization": "Bearer scrubbed"}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        answer = _json(given["body"]["string"])
        where = parts.path + ("?" + urlencode(query) if query else "")
        yield Logged(0.0, 0, asked["method"], where, query, headers, body, given["status"]["code"], answer, "")


def _json(text: Any) -> Any:
    return json.loads(text) if text else None
