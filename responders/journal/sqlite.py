"""The default store: one SQLite file in WAL mode, shared by threads and by processes on one machine."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from typing import Iterator, Tuple

from responders.errors import JournalError
from responders.journal.store import Document, OneByOne
from responders.sqlite_file import open_wal

_PAGE = 500


class SqliteStore(OneByOne):
    """A `JournalStore` in a file with mode 0600. Raises JournalError when the file can't be used."""

    def __init__(self, path: str, *, busy_seconds: float = 20.0) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = open_wal(path, busy_seconds, shared=True)
            # An intent that a power cut could take back would be a change nobody recorded.
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS journal (key TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise JournalError(_said(path, error, "Check that the folder exists and is writable")) from error

    def create(self, key: str, doc: Document) -> bool:
        text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        try:
            with self._lock:
                cursor = self._connection.execute("INSERT OR IGNORE INTO journal VALUES (?, ?)", (key, text))
                return cursor.rowcount == 1
        except sqlite3.Error as error:
            raise JournalError(_said(self.path, error, f"Nothing was stored under {key}")) from error

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        last, end = max(after, prefix), prefix + "\U0010ffff"
        inclusive = after < prefix
        while True:
            try:
                with self._lock:
                    rows = self._connection.execute(
                        f"SELECT key, doc FROM journal WHERE key {'>=' if inclusive else '>'} ? AND key < ? "  # noqa: S608
                        "ORDER BY key LIMIT ?",
                        (last, end, _PAGE),
                    ).fetchall()
            except sqlite3.Error as error:
                raise JournalError(_said(self.path, error, "Nothing could be read")) from error
            for key, text in rows:
                doc = _object(text)
                yield key, doc
            if len(rows) < _PAGE:
                return
            last, inclusive = rows[-1][0], False

    def close(self) -> None:
        """Close the file; the store can't be used afterwards."""
        with self._lock:
            self._connection.close()


def _object(text: str) -> Document:
    """What is no JSON object can't carry a MAC: handed on as an empty one, it is found as edited like any other."""
    try:
        doc = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return doc if isinstance(doc, dict) else {}


def _said(path: str, error: Exception, otherwise: str) -> str:
    if type(error) is sqlite3.DatabaseError:
        otherwise = "The file is damaged: keep it, put a backup in its place, and compare it with the escalations' heads"
    return f"journal {path}: {error}. {otherwise}"
