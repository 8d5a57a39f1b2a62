"""What the search heads of one cluster share: users, conf files, passwords, KV store, indexed events, messages."""

from __future__ import annotations

import re
import secrets
import threading
import time
from configparser import RawConfigParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple

Stanzas = Dict[str, Dict[str, str]]
SYSTEM_USER = "splunk-system-user"
_ACCESS = re.compile(r"(read|write) : \[ (.+?) \]")
_EVERYTHING = "everything"
"""Stanza [] of default.meta, which configparser takes for none."""
_ALL = frozenset({"admin_all_objects"})


@dataclass(frozen=True)
class User:
    """`admin_all_objects` among the capabilities stands for all of them (authorize.conf.spec)."""

    name: str
    capabilities: FrozenSet[str] = frozenset()
    roles: Tuple[str, ...] = ()

    def may(self, *capabilities: str) -> bool:
        """True when one of these, or admin_all_objects, is theirs."""
        return bool(self.capabilities & {*capabilities, "admin_all_objects"})


@dataclass(frozen=True)
class Password:
    """One stanza `credential:realm:name:` of passwords.conf."""

    app: str
    realm: str
    name: str
    clear: str = field(repr=False)


@dataclass(frozen=True)
class Event:
    """One event as it was sent for indexing."""

    index: str
    sourcetype: str
    source: str
    host: str
    raw: str


@dataclass(frozen=True)
class Version:
    """A document as it was from `at` on; `doc` None is deleted."""

    at: float
    doc: Optional[Mapping[str, Any]]


class Deployment:
    """`jobs`: search id to who ran it.

    `kvstore` is ready, starting, failed or readonly (KV store status definitions in Splunk's Admin Manual)."""

    def __init__(self, *, app: str = "tourniquet", version: str = "9.4.3") -> None:
        self.app = app
        self.version = version
        self.lock = threading.RLock()
        self.clock: Callable[[], float] = time.monotonic
        self.kvstore = "ready"
        self.users: Dict[str, User] = {
            SYSTEM_USER: User(SYSTEM_USER, _ALL, ("splunk-system-role",)),
            "admin": User("admin", _ALL, ("admin",)),
        }
        self.sessions: Dict[str, str] = {}
        self.passwords: Dict[Tuple[str, str, str], Password] = {}
        self.confs: Dict[Tuple[str, str], Tuple[Stanzas, Stanzas]] = {}
        self.collections: Dict[Tuple[str, str], Dict[str, str]] = {}
        self.documents: Dict[Tuple[str, str, str], Dict[str, List[Version]]] = {}
        self.indexes: List[str] = ["main", "_internal", "summary"]
        self.events: List[Event] = []
        self.messages: Dict[str, Tuple[str, str]] = {}
        self.acls: Dict[str, Dict[str, str]] = {}
        self.access: Dict[str, Mapping[str, FrozenSet[str]]] = {}
        self.reloaded: List[str] = []
        self.jobs: Dict[str, str] = {}

    # -- the administrator --------------------------------------------------------------------------------

    def install(self, app_home: Path) -> None:
        """Read an app's default/ and local/ conf files, and make the collections of its collections.conf."""
        names = {path.stem for layer in ("default", "local") for path in (app_home / layer).glob("*.conf")}
        for name in sorted(names):
            layers = (_stanzas(app_home / layer / f"{name}.conf") for layer in ("default", "local"))
            default, local = layers
            self.confs[self.app, name] = (default, local)
        for name, fields in self.merged(self.app, "collections").items():
            self.collections[self.app, name] = dict(fields)
        self.access = {
            name: {way: frozenset(roles.split(", ")) for way, roles in _ACCESS.findall(about["access"])}
            for name, about in _stanzas(app_home / "metadata" / "default.meta").items()
            if "access" in about
        }

    def user(self, name: str, *capabilities: str, roles: Tuple[str, ...] = ("user",)) -> User:
        """Add an account."""
        self.users[name] = User(name, frozenset(capabilities), roles)
        return self.users[name]

    def session(self, name: str) -> str:
        """A session key of this user."""
        key = secrets.token_hex(24)
        self.sessions[key] = self.users[name].name
        return key

    def token(self, name: str) -> str:
        """An authentication token of this user: a JSON web token, sent as `Bearer`."""
        key = f"eyJ{secrets.token_hex(8)}.{secrets.token_hex(8)}.{secrets.token_hex(8)}"
        self.sessions[key] = self.users[name].name
        return key

    def expire(self, key: str) -> None:
        """From now on this session key is none."""
        self.sessions.pop(key, None)

    def store_password(self, name: str, clear: str, *, realm: str = "tourniquet", app: str = "") -> None:
        """Put a secret into storage/passwords."""
        self.passwords[app or self.app, realm, name] = Password(app or self.app, realm, name, clear)

    def configure(self, conf: str, stanza: str, values: Mapping[str, str], *, app: str = "") -> None:
        """Set keys in the app's local/ layer of a conf file."""
        _, local = self.confs.setdefault((app or self.app, conf), ({}, {}))
        local.setdefault(stanza, {}).update(values)

    def may(self, user: User, way: str, name: str) -> bool:
        """Whether the access in the app's metadata lets a user read or write `collections/NAME` or a conf file.

        Source: default.meta.conf.spec. Without metadata everybody may.
        """
        access = self.access.get(name) or self.access.get(_EVERYTHING, {})
        roles = access.get(way, frozenset({"*"}))
        return user.may() or "*" in roles or bool(roles & set(user.roles))

    # -- what is there ------------------------------------------------------------------------------------

    def merged(self, app: str, conf: str) -> Stanzas:
        """Stanzas of a conf file, local over default, [default] under each (Splunk, "Configuration file precedence")."""
        default, local = self.confs.get((app, conf), ({}, {}))
        names = [name for name in dict.fromkeys([*default, *local]) if name != "default"]
        base = {**default.get("default", {}), **local.get("default", {})}
        return {name: {**base, **default.get(name, {}), **local.get(name, {})} for name in names}

    def rows(self, collection: str, *, app: str = "", owner: str = "nobody") -> List[Mapping[str, Any]]:
        """All documents of a collection now, by key."""
        held = self.documents.get((app or self.app, owner, collection), {})
        return [doc for _, versions in sorted(held.items()) for doc in [versions[-1].doc] if doc is not None]

    def put(self, collection: str, doc: Mapping[str, Any], *, app: str = "", owner: str = "nobody") -> None:
        """Write a document without asking, as an administrator with outputlookup does."""
        held = self.documents.setdefault((app or self.app, owner, collection), {})
        held.setdefault(str(doc["_key"]), []).append(Version(self.clock(), {**doc, "_user": owner}))

    def remove(self, collection: str, key: str, *, app: str = "", owner: str = "nobody") -> None:
        """Delete a document without asking."""
        held = self.documents.setdefault((app or self.app, owner, collection), {})
        held.setdefault(key, []).append(Version(self.clock(), None))

    def of(self, sourcetype: str) -> List[Event]:
        """Events of one sourcetype, in the order in which they came."""
        return [event for event in self.events if event.sourcetype == sourcetype]


def _stanzas(path: Path) -> Stanzas:
    if not path.is_file():
        return {}
    parser = RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None, strict=False,
                             default_section="\0")  # fmt: skip
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    text = path.read_text(encoding="utf-8")
    parser.read_string(text.replace("[]\n", f"[{_EVERYTHING}]\n"))
    return {name: dict(parser[name]) for name in parser.sections()}
