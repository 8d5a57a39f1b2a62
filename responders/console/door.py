"""Sign-in against Elasticsearch: who a user name and password, or an API key, belong to, and what roles they have there.

The credential is sent once, over TLS, and kept nowhere. Sources: Elasticsearch API, "Authenticate a user"
(`GET _security/_authenticate`) and "Check user privileges"; measured on 8.19.21: the answer for an API key lists no roles,
so a key's console roles are application privileges, which its owner can't give it beyond their own. The names of a key's
role descriptors would not do: its maker chooses them.
"""

from __future__ import annotations

import base64
import re
import time
import warnings
from dataclasses import dataclass
from typing import Any, FrozenSet

from elastic_transport import SecurityWarning
from elasticsearch import ApiError, AuthenticationException, Elasticsearch, ElasticsearchWarning, TransportError

from responders.console.settings import ROLES, ConsoleSettings, console_roles
from responders.errors import Refused, TourniquetError
from responders.settings import ElasticSettings, Secret

APPLICATION = "tourniquet-console"
"""Its privileges are `console:viewer`, `console:restrict` and so on, on any resource."""
_SECONDS = 5.0
_USER = re.compile(r"[^\x00-\x1f\x7f:]{1,507}\Z")
"""Elasticsearch's limit of a user name; the colon ends it in HTTP basic authentication (RFC 7617)."""
_KEY = re.compile(r"[A-Za-z0-9+/=_-]{20,1024}\Z")
_LONGEST = 1024


class WrongCredential(Refused):
    """Elasticsearch does not know this user with this password, or this key."""


class NoAnswer(TourniquetError):
    """Elasticsearch can't be asked now."""


@dataclass(frozen=True)
class Known:
    """Whom Elasticsearch knows. `user` is the key's owner for an API key; `how` is realm or api_key."""

    user: str
    realm: str
    how: str
    roles: FrozenSet[str]


class Door:
    """One client for all sign-ins; no credential of its own."""

    def __init__(self, server: ElasticSettings, settings: ConsoleSettings) -> None:
        self._settings = settings
        more: Any = {"ca_certs": server.ca} if server.ca else {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            self._client = Elasticsearch(
                list(server.urls), max_retries=0, request_timeout=_SECONDS, dead_node_backoff_factor=0.0, **more
            )  # fmt: skip

    def close(self) -> None:
        self._client.close()

    def ask(self, user: str, secret: Secret) -> Known:
        """Who this is; without `user` the secret is an API key. Raises WrongCredential, NoAnswer, Refused."""
        value = secret.reveal()
        if not value or len(value) > _LONGEST or (user and not _USER.match(user)) or (not user and not _KEY.match(value)):
            raise WrongCredential("Elasticsearch does not know this user with this password, or this key")
        given: Any = {"basic_auth": _basic(user, value)} if user else {"api_key": value}
        until = time.monotonic() + _SECONDS
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ElasticsearchWarning)
                client = self._client.options(**given)
                found = client.security.authenticate().body
                held = _held(client, until) if found.get("authentication_type") == "api_key" else frozenset()
        except AuthenticationException:
            raise WrongCredential("Elasticsearch does not know this user with this password, or this key") from None
        except (ApiError, TransportError) as error:
            status = getattr(error, "status_code", "")
            raise NoAnswer(f"Elasticsearch can't be asked now: {status or type(error).__name__}. Try again") from None
        return self._known(user, found, held)

    def _known(self, user: str, found: Any, held: FrozenSet[str]) -> Known:
        name, realm = str(found["username"]), str(found["authentication_realm"]["name"])
        how = str(found["authentication_type"])
        if how != ("realm" if user else "api_key") or found.get("enabled") is not True:
            raise Refused(f"Elasticsearch took it as {how}: sign in as a person, or with an API key of theirs")
        if self._settings.realms and realm not in self._settings.realms:
            raise Refused(f"users of realm {realm} may not sign in here")
        roles = console_roles(self._settings, map(str, found["roles"])) if user else held
        return Known(name, realm, how, roles)


def _basic(user: str, password: str) -> str:
    """As HTTP basic authentication in UTF-8, which Elasticsearch asks for; the client's own coding knows no umlaut."""
    return base64.b64encode(f"{user}:{password}".encode("utf-8", "replace")).decode("ascii")


def _held(client: Elasticsearch, until: float) -> FrozenSet[str]:
    """The console roles that an API key holds as application privileges."""
    wanted = [{"application": APPLICATION, "privileges": [f"console:{role}" for role in ROLES], "resources": ["*"]}]
    asked = client.options(request_timeout=max(0.5, until - time.monotonic()))
    found = asked.security.has_privileges(application=wanted).body["application"][APPLICATION]["*"]
    return frozenset(role for role in ROLES if found.get(f"console:{role}") is True)
