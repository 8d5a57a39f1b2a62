"""A stand-in for a Redis-like database: it says OK to whatever OpenBao's valkey plugin asks, and keeps nothing."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Optional, Type


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        # RESP: an array of byte strings, *N then N times $LENGTH and the bytes (Redis documentation, "Protocol").
        while line := self.rfile.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(length + 2)[:-2])
            if words and words[0].upper() == b"HELLO":
                self.wfile.write(b"-ERR unknown command\r\n")
            else:
                self.wfile.write(b"+OK\r\n")


class RespServer:
    """Listens on a free loopback port from entering to leaving."""

    def __init__(self) -> None:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> RespServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
