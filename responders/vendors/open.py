"""Opens the vendor clients that the settings name, each when it is first asked for."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from responders.errors import BadSettings
from responders.settings import Connection, Secret
from responders.vendors import cyberark, entra, okta, vault
from responders.vendors.base import BaseClient
from responders.vendors.client import OpenClient
from responders.vendors.relay import RelayClient
from responders.vendors.relay_wire import RelayQueue
from responders.vendors.transport import Endpoint, Limits, Transport

Gate = Callable[[], None]
OnCall = Callable[[str, str, str, str], None]


class ClientPool:
    """Clients by vendor and tenant, with a credential of their own for privileged targets where one is set.

    `gate` is called before every change and may raise Halted; `on_call` sees each call (tests, drill). `queue` is where
    connections through a relay put their requests.
    """

    def __init__(
        self,
        connections: Tuple[Connection, ...],
        *,
        gate: Optional[Gate] = None,
        on_call: Optional[OnCall] = None,
        clock: Optional[Callable[[], datetime]] = None,
        limits: Optional[Limits] = None,
        queue: Optional[RelayQueue] = None,
    ) -> None:
        self._connections: Dict[Tuple[str, str], Connection] = {(c.vendor, c.tenant): c for c in connections}
        self._clients: Dict[Tuple[str, str, bool], OpenClient] = {}
        self._lock = threading.Lock()
        self._gate, self._on_call, self._clock, self._limits = gate, on_call, clock, limits or Limits()
        self._queue = queue

    def get(self, vendor: str, tenant: str, *, privileged: bool = False) -> Optional[OpenClient]:
        """The client, None when the settings name no such connection."""
        connection = self._connections.get((vendor, tenant))
        if connection is None:
            return None
        # Whether there is a second credential, only the relay knows.
        other = privileged and (connection.privileged is not None or bool(connection.relay))
        with self._lock:
            key = (vendor, tenant, other)
            if key not in self._clients:
                chosen = connection.privileged if other and connection.privileged else connection
                client = self._through_relay(connection, other) if connection.relay else self._open(chosen)
                if self._clock is not None:
                    client.clock = self._clock
                self._clients[key] = client
            return self._clients[key]

    def all(self) -> Tuple[OpenClient, ...]:
        """One client for every connection."""
        return tuple(client for key in self._connections for client in [self.get(*key)] if client is not None)

    def close(self) -> None:
        """Sign out everywhere."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _open(self, connection: Connection) -> OpenClient:
        base = connection.url.rstrip("/")
        if connection.vendor == "vault" and not base.endswith("/v1"):
            base += "/v1"
        if connection.vendor == "cyberark" and "/passwordvault" not in base.lower():
            base += "/PasswordVault"
        endpoint = Endpoint(
            connection.vendor, base, connection.ca, connection.proxy, connection.allow_loopback_http, self._limits
        )
        explain = {"okta": okta.explain, "entra": entra.explain, "cyberark": cyberark.explain, "vault": vault.explain}
        transport = Transport(endpoint, explain[connection.vendor], gate=self._gate, on_call=self._on_call)
        return _MAKERS[connection.vendor](transport, connection)

    def _through_relay(self, connection: Connection, privileged: bool) -> OpenClient:
        if self._queue is None:
            raise BadSettings(
                "has no queue here", place=f"{connection.vendor}.relay", remedy="a relay only works inside Splunk"
            )
        return RelayClient(
            self._queue, connection, privileged=privileged, gate=self._gate, on_call=self._on_call, limits=self._limits
        )


def _okta(transport: Transport, connection: Connection) -> BaseClient:
    scopes = connection.plain.get("scopes", ())
    return okta.OktaClient(
        transport,
        connection.tenant,
        connection.settings,
        api_token=_reveal(connection.secrets, "api_token"),
        client_id=str(connection.plain.get("client_id", "")),
        private_key=_reveal(connection.secrets, "private_key"),
        key_id=str(connection.plain.get("key_id", "")),
        scopes=tuple(scopes.split() if isinstance(scopes, str) else scopes),
    )


def _entra(transport: Transport, connection: Connection) -> BaseClient:
    plain: Mapping[str, Any] = connection.plain
    if not plain.get("client_id"):
        raise BadSettings("is missing", place="entra.client_id", remedy="give the application's client id")
    credential = entra.Credential(
        str(plain["client_id"]),
        _reveal(connection.secrets, "client_secret"),
        str(plain.get("thumbprint", "")),
        _reveal(connection.secrets, "private_key"),
    )
    settings = {"graph_url": transport.endpoint.base, **connection.settings}
    login = str(plain.get("login", "https://login.microsoftonline.com"))
    return entra.EntraClient(transport, connection.tenant, settings, login=login, credential=credential)


def _cyberark(transport: Transport, connection: Connection) -> BaseClient:
    return cyberark.CyberArkClient(
        transport,
        connection.tenant,
        connection.settings,
        username=str(connection.plain.get("username", "")),
        password=_reveal(connection.secrets, "password"),
        method=str(connection.plain.get("method", "cyberark")),
    )


def _vault(transport: Transport, connection: Connection) -> BaseClient:
    return vault.VaultClient(
        transport,
        connection.tenant,
        connection.settings,
        token=_reveal(connection.secrets, "token"),
        role_id=str(connection.plain.get("role_id", "")),
        secret_id=_reveal(connection.secrets, "secret_id"),
        approle_mount=str(connection.plain.get("approle_mount", "approle")),
    )


_MAKERS: Dict[str, Callable[[Transport, Connection], BaseClient]] = {
    "okta": _okta,
    "entra": _entra,
    "cyberark": _cyberark,
    "vault": _vault,
}


def _reveal(secrets: Mapping[str, Secret], name: str) -> str:
    found = secrets.get(name)
    return found.reveal() if found is not None else ""
