"""A relay in front of one vendor that adds the round trips of a network, the same way for all four vendors."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import List
from urllib.parse import urlsplit

ROUND_TRIP = 0.05
"""Seconds from a request to its answer's first byte."""
CONNECT_TRIPS = 2
"""Further round trips of a new connection: TCP and TLS 1.3."""


class Relay:
    """Listens on loopback; answers arrive one round trip late, a new connection's first bytes leave two late."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._path = parts.path
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._port = 0
        self.accepted: List[float] = []
        threading.Thread(target=self._serve, daemon=True).start()
        self._ready.wait(10)
        self.url = f"http://127.0.0.1:{self._port}{self._path}"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._client, "127.0.0.1", 0, backlog=512))
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted.append(time.monotonic())
        await asyncio.sleep(CONNECT_TRIPS * ROUND_TRIP)
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, up_writer, 0.0), _copy(up_reader, writer, ROUND_TRIP))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Every piece leaves `delay` seconds after it came, in order; pieces on their way do not hold each other up."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while True:
            data = await reader.read(65536)
            if not data:
                break
            if delay:
                loop.call_later(delay, writer.write, data)
            else:
                writer.write(data)
    if delay:
        await asyncio.sleep(delay)
    with contextlib.suppress(OSError):
        writer.close()
