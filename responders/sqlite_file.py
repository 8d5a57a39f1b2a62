"""Files of SQLite that several processes or threads may make at one moment: how they are opened, written to and closed."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Iterator, Optional, Type, TypeVar, Union

Self = TypeVar("Self", bound="SqliteFile")


def open_wal(path: Union[str, Path], busy_seconds: float, *, shared: bool = False) -> sqlite3.Connection:
    """A connection in write-ahead log mode; others may hold the file for up to `busy_seconds`. `shared` between threads.

    While another connection makes the same file, SQLite refuses the switch at once, whatever its own timeout
    (https://www.sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode"). Raises sqlite3.Error.
    """
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=not shared)
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return connection
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= until:
                raise
            time.sleep(0.02)


class SqliteFile:
    """One connection, `_db`, closed at the end of a `with` block."""

    _db: sqlite3.Connection

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")
