"""What a relay must not forget when it is started anew: requests it has seen, changes of the last hour, what it took away.

One SQLite file, written through to the disk before a request is carried out.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from typing import Optional

from responders.errors import BadSettings
from responders.sqlite_file import open_wal

HOUR = 3600.0
_BUSY = 20.0
"""Seconds that another process may hold the file."""
TAKEN_FOR = 90 * 86400.0
"""Seconds after which what was taken away is not given back through a relay any more."""


class State:
    """Safe to share between threads. Raises BadSettings when the file can't be used."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            os.close(handle)
            self._db = open_wal(path, _BUSY, shared=True)
            self._db.execute("PRAGMA synchronous = FULL")
            for table in (
                "seen (id TEXT PRIMARY KEY, until REAL NOT NULL)",
                "changes (at REAL NOT NULL)",
                "taken (key TEXT PRIMARY KEY, doc TEXT NOT NULL, at REAL NOT NULL)",
            ):
                self._db.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        except (OSError, sqlite3.Error) as error:
            raise BadSettings(
                f"{path} can't be used: {error}", place="relay.state", remedy="name a file it may write"
            ) from None

    def close(self) -> None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._db.close()

    def once(self, ask_id: str, until: float) -> bool:
        """True the first time a request is seen. It is remembered until it has expired, by epoch seconds."""
        with self._lock:
            self._db.execute("DELETE FROM seen WHERE until < ?", (time.time(),))
            found = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (ask_id, until))
            return found.rowcount == 1

    def change(self, most: int, now: float) -> Optional[float]:
        """Count a change. None when there was room for it in this hour, else the epoch seconds from which there is."""
        with self._lock:
            self._db.execute("DELETE FROM changes WHERE at < ?", (now - HOUR,))
            (made,) = self._db.execute("SELECT count(*) FROM changes").fetchone()
            if made >= most:
                (oldest,) = self._db.execute("SELECT min(at) FROM changes").fetchone()
                return float(oldest if oldest is not None else now) + HOUR
            self._db.execute("INSERT INTO changes VALUES (?)", (now,))
            return None

    def taken(self, key: str) -> Optional[str]:
        """What was noted when this was taken away, None when this relay did not take it."""
        with self._lock:
            self._db.execute("DELETE FROM taken WHERE at < ?", (time.time() - TAKEN_FOR,))
            row = self._db.execute("SELECT doc FROM taken WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

    def take(self, key: str, doc: str = "") -> None:
        """Note that this was taken away. What was noted first stays."""
        with self._lock:
            self._db.execute("INSERT OR IGNORE INTO taken VALUES (?, ?, ?)", (key, doc, time.time()))

    def gave_back(self, key: str) -> None:
        """It was given back: it is not given once more."""
        with self._lock:
            self._db.execute("DELETE FROM taken WHERE key = ?", (key,))
