"""A total deadline for one exchange: a socket's own time-out starts anew with every byte that drips in."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import socket
import threading
import time
from types import TracebackType
from typing import Any, List, Optional, Tuple, Type

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_HERE = threading.local()


class _Alarm:
    """One thread that ends every watch whose time is up: a thread for each call would cost more than the call."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: List[Tuple[float, int, Watch]] = []
        self._number = itertools.count()
        self._thread: Optional[threading.Thread] = None

    def add(self, at: float, watch: Watch) -> None:
        """End this watch at `at` (time.monotonic())."""
        with self._changed:
            heapq.heappush(self._due, (at, next(self._number), watch))
            if self._thread is None or not self._thread.is_alive():  # not alive after a fork
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            elif self._due[0][2] is watch:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.monotonic():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                watch = heapq.heappop(self._due)[2]
            watch.end()


_ALARM = _Alarm()


class Watch:
    """Shuts the connection that this thread uses once `seconds` are over; `late` says that it did."""

    def __init__(self, seconds: float) -> None:
        self.late = False
        self._over = False
        self._lock = threading.Lock()
        self._socket: Any = None
        self._seconds = seconds

    def __enter__(self) -> Watch:
        _HERE.watch = self
        _ALARM.add(time.monotonic() + self._seconds, self)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with self._lock:
            self._over = True
            self._socket = None  # back in the pool: it belongs to another call now
        _HERE.watch = None

    def use(self, sock: Any) -> None:
        """From now on this socket is the one to shut."""
        with self._lock:
            self._socket = sock
            if self.late:
                _shut(sock)

    def end(self) -> None:
        """Time is up; nothing happens when the exchange is over already."""
        with self._lock:
            if self._over:
                return
            self.late = True
            if self._socket is not None:
                _shut(self._socket)


def _shut(sock: Any) -> None:
    plain = getattr(sock, "socket", sock)  # TLS inside an https proxy wraps the socket
    with contextlib.suppress(OSError):
        # Not SSLSocket.shutdown: it would drop the TLS state under a read that is going on in another thread.
        socket.socket.shutdown(plain, socket.SHUT_RDWR)


def _watch(sock: Any) -> None:
    watch: Optional[Watch] = getattr(_HERE, "watch", None)
    if watch is not None:
        watch.use(sock)


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _watch(made)
        return made

    def getresponse(self) -> Any:
        _watch(self.sock)
        return super().getresponse()


class _Tls(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        _watch(made)
        return made

    def getresponse(self) -> Any:
        _watch(self.sock)
        return super().getresponse()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


_POOLS = {"http": _PlainPool, "https": _TlsPool}


class WatchedAdapter(HTTPAdapter):
    """requests' adapter, whose connections tell the thread's `Watch` which socket they use."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager
