"""Small real servers for transport tests: whatever bytes a script sends, over TCP or TLS; and certificates for them."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Callable, List, Optional, Type

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from responders.drill.simulators.server import Answer, Request, Simulator
from responders.vendors.transport import Endpoint, Limits, Transport

QUICK = Limits(connect=2.0, attempt=2.0, total=4.0, retries=3)
Script = Callable[[socket.socket, bytes], None]


class Server:
    """Listens on 127.0.0.1; reads one request and hands the connection to `script`. `heads` are the requests' heads."""

    def __init__(self, script: Script, tls: Optional[ssl.SSLContext] = None) -> None:
        self.script, self.tls = script, tls
        self.heads: List[bytes] = []
        self.connections = 0
        self._open: List[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), plain:
            connection = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            self._open.append(connection)
            with connection:
                while True:
                    request = read_request(connection)
                    if not request:
                        return
                    self.heads.append(request)
                    self.script(connection, request)


def read_request(connection: socket.socket) -> bytes:
    """One request's head and body; b"" at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def always(data: bytes) -> Script:
    """A script that answers every request with these bytes."""
    return lambda connection, request: connection.sendall(data)


def drip(first: bytes, seconds: float = 8.0) -> Script:
    """A script that sends `first`, and then a byte each 20 ms."""

    def script(connection: socket.socket, request: bytes) -> None:
        connection.sendall(first)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.sendall(b"1")
            time.sleep(0.02)
        connection.shutdown(socket.SHUT_RDWR)

    return script


class Echo(Simulator):
    """A simulated vendor whose every known path answers {}."""

    def __init__(self, *paths: str) -> None:
        super().__init__()
        for path in paths or ("/thing",):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                self.route(method, path, self._answer)

    def _answer(self, request: Request) -> Answer:
        return Answer(200, {"ids": list(request.ids)})


def transport(url: str, limits: Limits = QUICK, *, ca: str = "", proxy: str = "", vendor: str = "okta") -> Transport:
    """A transport to a test server."""
    return Transport(Endpoint(vendor, url, ca, proxy, url.startswith("http://"), limits), lambda body: ("", str(body)))


@dataclass(frozen=True)
class Certificates:
    """A private CA's bundle, and a server's side of TLS: one signed by that CA, one by itself."""

    ca: str
    signed: ssl.SSLContext
    self_signed: ssl.SSLContext


def certificates(folder: Path) -> Certificates:
    """Throw-away certificates for 127.0.0.1."""
    ca_key, ca = _issue("test CA", None, None)
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    contexts = []
    for name, issuer in (("signed", (ca_key, ca)), ("alone", (None, None))):
        key, found = _issue("127.0.0.1", *issuer)
        path = folder / f"{name}.pem"
        path.write_bytes(
            found.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        contexts.append(context)
    return Certificates(str(folder / "ca.pem"), *contexts)


def _issue(
    name: str, ca_key: Optional[ec.EllipticCurvePrivateKey], ca: Optional[x509.Certificate]
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ca.subject if ca else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    )
    if ca_key is not None:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        builder = builder.add_extension(issuer, critical=False)
    return key, builder.sign(ca_key or key, hashes.SHA256())
