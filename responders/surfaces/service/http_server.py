"""The HTTP server: cheroot, a fixed number of threads, TLS where a certificate is set."""

from __future__ import annotations

import socket
import ssl
import threading
from typing import Any, Dict, Tuple

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

from responders.surfaces.service.config import Config
from responders.surfaces.service.log import Log

_MOST_BODY, _MOST_HEADERS = 1024 * 1024, 32 * 1024
_SILENT_SECONDS = 10
"""So long a connection may say nothing while a thread waits for it."""
_STOP_SECONDS = 5


class HttpServer:
    """Listens from `open` on, answers from `start` on."""

    def __init__(self, config: Config, app: Any, log: Log) -> None:
        self._server = Server(
            (config.host, config.port), app, numthreads=config.threads, server_name="tourniquet",
            request_queue_size=256, timeout=_SILENT_SECONDS, shutdown_timeout=_STOP_SECONDS,
        )  # fmt: skip
        self._server.max_request_body_size = _MOST_BODY
        self._server.max_request_header_size = _MOST_HEADERS
        self._server.error_log = _into(log)  # type: ignore[method-assign]
        if config.certificate:
            self._server.ssl_adapter = _Tls(config.certificate, config.key)
        self._thread = threading.Thread(target=self._server.serve, name="http", daemon=True)

    def open(self) -> Tuple[str, int]:
        """Bind; the address and port. Raises OSError."""
        self._server.prepare()
        host, port = self._server.socket.getsockname()[:2]
        return str(host), int(port)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more; end what was begun, for a few seconds. A response that does not end holds no exit."""
        ending = threading.Thread(target=self._server.stop, name="http-stop", daemon=True)
        ending.start()
        ending.join(_STOP_SECONDS + 2)


class _Tls(BuiltinSSLAdapter):
    """Shakes hands in the thread that serves the connection: one that keeps silent must not keep others from connecting."""

    def __init__(self, certificate: str, key: str) -> None:
        super().__init__(certificate, key)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    def wrap(self, sock: socket.socket) -> Tuple[socket.socket, Dict[str, Any]]:
        secured = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return secured, {"wsgi.url_scheme": "https", "HTTPS": "on"}


def _into(log: Log) -> Any:
    def write(msg: str = "", level: int = 20, traceback: bool = False) -> None:
        if level >= 40:
            log.error("http", why=msg)

    return write
