"""A total deadline for one exchange: a socket's own time-out starts anew with every byte that drips in."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Optional, Type

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_HERE = threading.local()


class Watch:
    """Shuts the connection that this thread uses once `seconds` are over; `late` says that it did."""

    def __init__(self, seconds: float) -> None:
        self.late = False
        self._lock = threading.Lock()
        self._socket: Any = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        _HERE.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None  # back in the pool: it belongs to another call now
        _HERE.watch = None

    def use(self, sock: Any) -> None:
        """From now on this socket is the one to shut."""
        with self._lock:
            self._socket = sock
            if self.late:
                _shut(sock)

    def _end(self) -> None:
        with self._lock:
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
