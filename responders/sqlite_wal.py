"""SQLite's write-ahead log, for files that several processes or threads may make at one moment."""

from __future__ import annotations

import sqlite3
import time


def use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch to WAL, trying again for up to `busy_seconds`.

    While another connection makes the same file, SQLite refuses that at once, whatever its own timeout
    (https://www.sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode"). Raises sqlite3.Error.
    """
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= until:
                raise
            time.sleep(0.02)
