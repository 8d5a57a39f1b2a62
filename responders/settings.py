"""The settings file: where each vendor is and where its secrets are kept. Secrets themselves are never in it."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Tuple

from responders.errors import BadInput, BadInputs, BadSettings

VENDORS: Dict[str, Tuple[str, ...]] = {
    "okta": ("api_token", "private_key"),
    "entra": ("client_secret", "private_key"),
    "cyberark": ("password",),
    "vault": ("token", "secret_id"),
}
"""Vendor to the names of its secrets; at least one of them must be given."""

_PLAIN: Dict[str, Tuple[str, ...]] = {
    "okta": ("client_id", "key_id", "scopes"),
    "entra": ("client_id", "thumbprint", "login"),
    "cyberark": ("username", "method"),
    "vault": ("role_id", "approle_mount"),
}
_COMMON = ("vendor", "tenant", "url", "ca", "proxy", "settings", "privileged", "allow_loopback_http")
_TOP = (
    "connections", "journal", "inventory", "policy", "escalation", "signals", "timing", "unauthenticated_ingest",
)  # fmt: skip


class Secret:
    """A secret value whose repr and str never show it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True)
class Connection:
    """One vendor tenant. `plain` are its non-secret sign-in fields, `settings` what actions ask for."""

    vendor: str
    tenant: str
    url: str
    secrets: Mapping[str, Secret]
    plain: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    ca: str = ""
    proxy: str = ""
    allow_loopback_http: bool = False
    privileged: Optional[Connection] = None


@dataclass(frozen=True)
class Settings:
    """Everything a responder is started with."""

    connections: Tuple[Connection, ...]
    journal: str
    journal_key: Secret
    anchor: str
    inventory: str
    policy: str
    signals: str
    escalation: Tuple[Mapping[str, Any], ...] = ()
    timing: Mapping[str, Any] = field(default_factory=dict)
    unauthenticated_ingest: Tuple[str, ...] = ()


def load_settings(path: str) -> Settings:
    """Read a JSON settings file. Paths in it are relative to it. Raises BadInputs with everything that is wrong."""
    try:
        with open(path, encoding="utf-8") as handle:
            given = json.load(handle)
    except OSError as error:
        raise BadInputs([_bad(path, f"{error.strerror}", "create it, docs/settings.md has an example")]) from None
    except ValueError as error:
        raise BadInputs([_bad(path, f"not JSON: {error}", "correct the file")]) from None
    return read_settings(given, path)


def read_settings(given: Any, place: str) -> Settings:
    """Settings from their JSON form. Raises BadInputs."""
    reader = _Reader(place, os.path.dirname(os.path.abspath(place)))
    if not isinstance(given, dict):
        raise BadInputs([_bad(place, "not an object", "see docs/settings.md")])
    reader.unknown(given, _TOP, place)
    connections = tuple(
        found
        for number, entry in enumerate(given.get("connections") or (), 1)
        for found in [reader.connection(entry, f"{place}: connections[{number}]")]
        if found is not None
    )
    names = [(c.vendor, c.tenant) for c in connections]
    reader.errors.extend(
        _bad(place, f"{vendor}:{tenant} is connected twice", "keep one of them")
        for vendor, tenant in sorted({name for name in names if names.count(name) > 1})
    )
    journal = given.get("journal")
    if not isinstance(journal, dict):
        reader.error(f"{place}: journal", "is missing", 'give {"path": …, "key": {"env" or "file": …}}')
        journal = {}
    reader.unknown(journal, ("path", "key", "anchor"), f"{place}: journal")
    key = reader.secret(journal.get("key"), f"{place}: journal.key")
    settings = Settings(
        connections=connections,
        journal=reader.path(journal.get("path"), f"{place}: journal.path"),
        journal_key=key or Secret(""),
        anchor=reader.path(journal.get("anchor") or "journal.anchor", f"{place}: journal.anchor"),
        inventory=reader.path(given.get("inventory"), f"{place}: inventory"),
        policy=reader.path(given["policy"], f"{place}: policy") if given.get("policy") else "",
        signals=reader.path(given.get("signals") or "signals", f"{place}: signals"),
        escalation=tuple(given.get("escalation") or ()),
        timing=given.get("timing") or {},
        unauthenticated_ingest=tuple(str(name) for name in given.get("unauthenticated_ingest") or ()),
    )
    if reader.errors:
        raise BadInputs(reader.errors)
    return settings


class _Reader:
    """Collects every error of one file."""

    def __init__(self, place: str, folder: str) -> None:
        self.place, self.folder = place, folder
        self.errors: List[BadInput] = []

    def error(self, place: str, what: str, remedy: str) -> None:
        self.errors.append(_bad(place, what, remedy))

    def unknown(self, given: Mapping[str, Any], known: Tuple[str, ...], place: str) -> None:
        for name in sorted(set(given) - set(known)):
            self.error(place, f"unknown key {name!r}", f"the keys are {', '.join(known)}")

    def path(self, value: Any, place: str) -> str:
        if not isinstance(value, str) or not value:
            self.error(place, "is missing", "give a path")
            return ""
        return os.path.join(self.folder, os.path.expanduser(value))

    def connection(self, entry: Any, place: str, parent: Optional[Mapping[str, Any]] = None) -> Optional[Connection]:
        if not isinstance(entry, dict):
            self.error(place, "is no object", "see docs/settings.md")
            return None
        given = {**{k: v for k, v in (parent or {}).items() if k != "privileged"}, **entry}
        vendor = str(given.get("vendor", ""))
        if vendor not in VENDORS:
            self.error(f"{place}.vendor", f"unknown vendor {vendor!r}", f"use one of {', '.join(VENDORS)}")
            return None
        self.unknown(given, (*_COMMON, *_PLAIN[vendor], *VENDORS[vendor]), place)
        for name in ("tenant", "url"):
            if not isinstance(given.get(name), str) or not given[name]:
                self.error(f"{place}.{name}", "is missing", "give it")
        secrets = {
            name: found
            for name in VENDORS[vendor]
            if name in given
            for found in [self.secret(given[name], f"{place}.{name}")]
            if found is not None
        }
        if not any(name in given for name in VENDORS[vendor]):
            self.error(place, "has no credential", f"give one of {', '.join(VENDORS[vendor])} as env or file")
        privileged = entry.get("privileged")
        return Connection(
            vendor=vendor,
            tenant=str(given.get("tenant", "")),
            url=str(given.get("url", "")),
            secrets=secrets,
            plain={name: given[name] for name in _PLAIN[vendor] if name in given},
            settings={str(k): str(v) for k, v in (given.get("settings") or {}).items()},
            ca=str(given.get("ca") or ""),
            proxy=str(given.get("proxy") or ""),
            allow_loopback_http=given.get("allow_loopback_http") is True,
            privileged=self.connection(privileged, f"{place}.privileged", given) if privileged else None,
        )

    def secret(self, value: Any, place: str) -> Optional[Secret]:
        """From `{"env": NAME}` or `{"file": PATH}`; the file must be ours alone (mode 0600)."""
        if isinstance(value, dict) and set(value) == {"env"}:
            found = os.environ.get(str(value["env"]))
            if not found:
                self.error(place, f"the environment has no {value['env']}", "set it for the responder's process only")
                return None
            return Secret(found)
        if isinstance(value, dict) and set(value) == {"file"}:
            return self._secret_file(os.path.join(self.folder, os.path.expanduser(str(value["file"]))), place)
        self.error(place, "must not be in this file", 'refer to it: {"env": NAME} or {"file": PATH}')
        return None

    def _secret_file(self, path: str, place: str) -> Optional[Secret]:
        try:
            with open(path, encoding="utf-8") as handle:
                mode = os.fstat(handle.fileno())
                text = handle.read(65536)
        except (OSError, ValueError) as error:
            self.error(place, f"{path}: {error}", "create it with mode 0600")
            return None
        if stat.S_IMODE(mode.st_mode) & 0o077 or mode.st_uid not in (os.geteuid(), 0):
            self.error(place, f"{path} can be read by others", f"chmod 600 {path}, owned by the responder's user")
            return None
        if not text.strip():
            self.error(place, f"{path} is empty", "write the secret into it")
            return None
        return Secret(text.strip() if "BEGIN" not in text else text)


def _bad(place: str, what: str, remedy: str) -> BadSettings:
    return BadSettings(what, place=place, remedy=remedy)
