"""The relay's settings file: `connections` and `escalation` as everywhere (docs/settings.md), and the section `relay`."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from typing import Any, Callable, List, Mapping, Tuple

from responders.errors import BadInput, BadInputs, BadSettings
from responders.escalation.channels import open_channels
from responders.escalation.report import Channel
from responders.settings import (
    RELAY_NAME,
    RELAYED,
    SHORTEST_KEY,
    Connection,
    Secret,
    load_json,
    read_connections,
    read_secret,
    sound_url,
)

_KEYS = (
    "name", "instance", "splunk", "token", "ca", "proxy", "key", "state", "never", "changes_an_hour", "clock_skew",
    "workers", "allow_loopback_http",
)  # fmt: skip


@dataclass(frozen=True)
class Config:
    """`never` are ids that no change may name; `clock_skew` are seconds; `state` is a file of this process alone."""

    connections: Tuple[Connection, ...]
    channels: Tuple[Channel, ...]
    name: str
    instance: str
    splunk: str
    token: Secret
    key: Secret
    state: str
    ca: str = ""
    proxy: str = field(default="", repr=False)  # its URL may hold a password
    never: Tuple[str, ...] = ()
    changes_an_hour: int = 200
    clock_skew: float = 10.0
    workers: int = 16
    allow_loopback_http: bool = False

    def secrets(self) -> List[str]:
        """Every secret in it, so that the log never shows one."""
        held = [one for c in self.connections for one in (c, c.privileged) if one is not None]
        return [self.token.reveal(), self.key.reveal(), *(s.reveal() for one in held for s in one.secrets.values())]


def load_config(path: str) -> Config:
    """Raises BadInputs with everything that is wrong."""
    given = load_json(path)
    if not isinstance(given, dict):
        raise BadInputs([_bad(path, "not an object", "docs/relay.md has an example")])
    reader = _Reader(path)
    connections: Tuple[Connection, ...] = ()
    channels: Tuple[Channel, ...] = ()
    try:
        connections, escalation = read_connections(given, path, ("relay",))
        channels = open_channels(escalation)
    except BadInputs as error:
        reader.errors.extend(error.errors)
    except BadInput as error:
        reader.errors.append(error)
    for connection in connections:
        if connection.vendor not in RELAYED:
            reader.error("connections", f"a relay does not speak for {connection.vendor}", f"only {' and '.join(RELAYED)}")
    if not connections and not reader.errors:
        reader.error("connections", "are missing", "name the vendors that the relay speaks for")
    return reader.config(given.get("relay"), connections, channels)


class _Reader:
    def __init__(self, path: str) -> None:
        self.path, self.folder = path, os.path.dirname(os.path.abspath(path))
        self.errors: List[BadInput] = []

    def error(self, name: str, what: str, remedy: str) -> None:
        self.errors.append(_bad(f"{self.path}: {name}", what, remedy))

    def config(self, given: Any, connections: Tuple[Connection, ...], channels: Tuple[Channel, ...]) -> Config:
        if not isinstance(given, dict):
            self.error("relay", "is missing", "docs/relay.md has an example")
            raise BadInputs(self.errors)
        for name in sorted(set(given) - set(_KEYS)):
            self.error("relay", f"unknown key {name!r}", f"the keys are {', '.join(_KEYS)}")
        local = given.get("allow_loopback_http", False) is True
        config = Config(
            connections=connections,
            channels=channels,
            name=self.text(given, "name", RELAY_NAME.match, "use small letters, digits, - and _"),
            instance=self.text(given, "instance", _short, "give a short name", socket.gethostname()[:64]),
            splunk=self.text(given, "splunk", lambda url: sound_url(url, local), "give https://SEARCH-HEAD:8089"),
            token=self.secret(given, "token"),
            key=self.secret(given, "key"),
            state=os.path.join(self.folder, self.text(given, "state", bool, "name a file, which is made")),
            ca=self.file(given, "ca"),
            proxy=self.secret(given, "proxy").reveal()
            if isinstance(given.get("proxy"), dict)
            else str(given.get("proxy", "")),
            never=self.names(given),
            changes_an_hour=int(self.number(given, "changes_an_hour", 200, 1, 10_000)),
            clock_skew=self.number(given, "clock_skew", 10, 1, 60),
            workers=int(self.number(given, "workers", 16, 1, 64)),
            allow_loopback_http=local,
        )
        if len(config.key.reveal()) < SHORTEST_KEY and not self.errors:
            self.error("relay.key", f"is shorter than {SHORTEST_KEY} characters", "make one: tourniquet journal key FILE")
        if self.errors:
            raise BadInputs(self.errors)
        return config

    def text(self, given: Mapping[str, Any], name: str, fits: Callable[[str], Any], remedy: str, default: str = "") -> str:
        value = given.get(name, default)
        if not isinstance(value, str) or not value or not fits(value):
            self.error(f"relay.{name}", "is missing" if name not in given else "can't be used", remedy)
            return ""
        return value

    def number(self, given: Mapping[str, Any], name: str, default: float, least: float, most: float) -> float:
        value = given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            self.error(f"relay.{name}", f"is no number from {least} to {most}", "correct it, or leave it out")
            return default
        return value

    def names(self, given: Mapping[str, Any]) -> Tuple[str, ...]:
        value = given.get("never", [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self.error("relay.never", "is no list of ids", "name users, groups, safes, entities or accessors, exactly")
            return ()
        return tuple(value)

    def secret(self, given: Mapping[str, Any], name: str) -> Secret:
        try:
            return read_secret(given.get(name), f"{self.path}: relay.{name}", self.folder)
        except BadInputs as error:
            self.errors.extend(error.errors)
            return Secret("")

    def file(self, given: Mapping[str, Any], name: str) -> str:
        if name not in given:
            return ""
        path = os.path.join(self.folder, os.path.expanduser(str(given[name])))
        if not os.path.isfile(path):
            self.error(f"relay.{name}", f"{path} is no file", "name a file of PEM certificates")
        return path


def _short(text: str) -> bool:
    return len(text) <= 64 and all(c.isalnum() or c in "_.-" for c in text) and text.isascii()


def _bad(place: str, what: str, remedy: str) -> BadSettings:
    return BadSettings(what, place=place, remedy=remedy)
