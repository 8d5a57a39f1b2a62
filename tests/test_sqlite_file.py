"""Files of SQLite that are made while somebody else makes them."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any, Callable, List

import pytest

from responders.inventory.sync.raw import RawStore
from responders.journal.sqlite import SqliteStore
from responders.surfaces.relay.state import State


@pytest.mark.parametrize("opens", [lambda path: SqliteStore(str(path)), RawStore, lambda path: State(str(path))])
def test_a_file_that_another_is_making_is_waited_for(tmp_path: Path, opens: Callable[[Path], Any]) -> None:
    """Two that start at one moment on a new file: SQLite refuses the second the switch to WAL; it tries again."""
    path = tmp_path / "new.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN IMMEDIATE")
    opened: List[Any] = []
    opening = threading.Thread(target=lambda: opened.append(_usable(opens, path)))
    opening.start()
    opening.join(0.2)
    other.execute("ROLLBACK")
    opening.join(10)
    other.close()
    assert opened == ["wal"]


def _usable(opens: Callable[[Path], Any], path: Path) -> str:
    """What the file is after it was opened and closed by its own code; why not, when it refuses."""
    try:
        opens(path).close()
    except Exception as error:
        return str(error)
    with sqlite3.connect(path) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    return str(mode)
