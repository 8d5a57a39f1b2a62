"""The key `console` of the service's settings: who may do what, and where the pages are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, FrozenSet, Iterable, Mapping, Tuple
from urllib.parse import urlsplit

VIEWER, RESTRICT, REVOKE, RESTORER, POLICY = "viewer", "restrict", "revoke", "restorer", "policy_editor"
ROLES = (VIEWER, RESTRICT, REVOKE, RESTORER, POLICY)
"""A console role; each may also look at everything, and `revoke` holds `restrict`."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ConsoleSettings:
    """`roles` maps roles of Elasticsearch to console roles. `origin` is how browsers reach the pages, "" for loopback http.

    `realms`: users of these realms of Elasticsearch only; empty for any. Times in seconds: `idle` and `lifetime` end a
    session, `confirm` is how long after a sign-in its roles are believed when something is asked for.
    """

    tenant: str
    origin: str
    roles: Mapping[str, FrozenSet[str]]
    realms: Tuple[str, ...]
    idle: float
    lifetime: float
    confirm: float

    @property
    def secure(self) -> bool:
        """True when browsers come by https: the cookie is bound to it then."""
        return self.origin.startswith("https://")


def console_settings(given: Mapping[str, Any], defaults: Mapping[str, Any], https: bool) -> ConsoleSettings:
    """Read what has passed the schema. Raises ValueError with what is wrong with `origin`."""
    roles = {name: frozenset(found) for name, found in _by_elastic_role(given["roles"]).items()}

    def value(name: str) -> Any:
        return given.get(name, defaults[name]["default"])

    return ConsoleSettings(
        value("tenant"), _origin(given.get("origin", ""), https), roles, tuple(value("realms")),
        float(value("idle")), float(value("lifetime")), float(value("confirm")),
    )  # fmt: skip


def console_roles(settings: ConsoleSettings, elastic_roles: Iterable[str]) -> FrozenSet[str]:
    """Console roles of somebody with these roles of Elasticsearch."""
    return frozenset(role for name in elastic_roles for role in settings.roles.get(name, ()))


def _by_elastic_role(given: Mapping[str, Any]) -> Mapping[str, Tuple[str, ...]]:
    names = dict.fromkeys(name for found in given.values() for name in found)
    return {name: tuple(role for role, found in given.items() if name in found) for name in names}


def _origin(given: str, https: bool) -> str:
    """As a browser writes it in the header Origin: no default port, no path."""
    if not given:
        if https:
            raise ValueError("is missing: with tls, say how browsers reach the console")
        return ""
    parts = urlsplit(given)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or parts.path not in ("", "/") or parts.query or parts.username:
        raise ValueError(f"{given[:200]!r} is no origin")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("http would send cookies in the clear")
    shown = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port and parts.port != default else "")
