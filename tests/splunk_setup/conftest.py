"""One browser a module; an office with a splunkweb in front of it, and the simulated vendors behind TLS of a private CA."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from typing import Iterator, NamedTuple
from urllib.parse import urlsplit

import pytest

from responders.drill.world import World
from tests.splunk_rest.office import Office
from tests.splunk_setup.browser import Browser
from tests.splunk_setup.splunkweb import SplunkWeb
from tests.vendors.servers import Certificates, certificates


class Vendors(NamedTuple):
    """The simulated vendors as the page's user sees them: https addresses, and the CA's certificate to paste."""

    world: World
    okta: str
    entra: str
    login: str
    cyberark: str
    ca_pem: str
    tls: Certificates


class Front:
    """TLS in front of a plain server on this machine."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        self._to, self._tls = ("127.0.0.1", parts.port or 80), tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}{parts.path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            outer = self._tls.wrap_socket(plain, server_side=True)
            with outer, socket.create_connection(self._to) as inner:
                back = threading.Thread(target=_copy, args=(inner, outer), daemon=True)
                back.start()
                _copy(outer, inner)
                back.join()


def _copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    folder = tmp_path_factory.mktemp("vendors")
    tls = certificates(folder)
    with World(folder, vault=False) as world:
        names = ("listAccounts", "viewSafeMembers", "manageSafeMembers", "initiateCPMAccountManagementOperations")
        world.cyberark.add_member("servers", "tourniquet", dict.fromkeys(names, True))
        fronts = [Front(part.url, tls.signed) for part in (world.okta, world.graph, world.cyberark)]
        okta, graph, cyberark = fronts
        login = f"https://{urlsplit(graph.url).netloc}"
        urls = {"okta": okta.url, "entra": graph.url, "cyberark": cyberark.url}
        with pytest.MonkeyPatch.context() as patch:
            # What they write into documents, and ask of assertions, is the address at which they are reached.
            patch.setattr(type(world.graph), "login", login)
            patch.setattr(world.okta, "url", okta.url)
            plain = {"login": login}
            world.connections = tuple(
                replace(c, url=urls[c.vendor], plain={**c.plain, **(plain if c.vendor == "entra" else {})})
                for c in world.connections
            )
            yield Vendors(world, okta.url, graph.url, login, cyberark.url, Path(tls.ca).read_text(), tls)
        for front in fronts:
            front.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def office(vendors: Vendors, tmp_path: Path) -> Iterator[Office]:
    """carl configures, eve and ed edit policies, ida restores, vic looks, nil may nothing; nothing is set up yet."""
    found = Office(vendors.world, tmp_path)
    found.user("carl", "view_journal", "configure", "edit_policy", "restore", identity="carl", restorer=True)
    found.user("eve", "view_journal", "edit_policy", identity="eve")
    found.user("ed", "view_journal", "edit_policy", identity="ed", restorer=True)
    found.user("vic", "view_journal")
    found.user("nil")
    yield found
    found.close()


@pytest.fixture
def web(office: Office) -> Iterator[SplunkWeb]:
    with SplunkWeb(office) as found:
        yield found


@pytest.fixture
def connected(office: Office, vendors: Vendors) -> Office:
    """An office whose three vendors are connected, with the private CA, and whose inventory is uploaded."""
    office.connect()
    for name in ("okta_main", "entra_main", "cyberark_main"):
        office.deployment.configure(
            "tourniquet_connection", name, {"ca_pem": base64.b64encode(vendors.ca_pem.encode()).decode()}
        )
    office.inventory()
    return office
