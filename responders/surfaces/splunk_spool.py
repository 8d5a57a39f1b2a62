"""Alerts on their way into the journal, in files of this search head: a process that is killed, a KV store that is down or a
session that has ended lose none. `tourniquet_due` takes up what was left.

A file is there from before the first row is handled until the last one is. It holds rows and what Splunk said of the
search, never a session key. Its name ends in `.sure.json` once splunkd has said that the session may contain without a
request. Of any other, `tourniquet_due` asks splunkd who ran the search: the owner in a payload is the search's, and whoever
may read a search of nobody's may run it, over rows of his own making, and end his session before anybody asked.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass
from typing import Any, List, Mapping, Sequence, Tuple

LONGEST_RUN = 360.0
"""Seconds after which no process has them any more: Splunk ends it before (alert_actions.conf maxtime)."""
_FOLDER = "spool"
_LARGEST = 512 * 1024 * 1024
_SURE = ".sure.json"


@dataclass(frozen=True)
class Kept:
    """One file: the rows of one start of the alert action. `owner` owns the search, `process` was to handle them.

    `seconds`: how long ago it was written. `sure`: whose session it was may contain without a request.
    """

    path: str
    search: str
    sid: str
    owner: str
    process: int
    rows: Tuple[Mapping[str, Any], ...]
    seconds: float
    sure: bool

    @property
    def alone(self) -> bool:
        """True when the process that was to handle them is gone, or must be: its number may be another one's by now."""
        if self.seconds > LONGEST_RUN:
            return True
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            return False
        return self.process <= 0


class Spool:
    """The folder of such files, mode 0700, below the app's own folder `var`. Raises OSError."""

    def __init__(self, var: str) -> None:
        self._folder = os.path.join(var, _FOLDER)

    def keep(
        self, rows: Sequence[Mapping[str, Any]], *, search: str, sid: str, owner: str, process: int, sure: bool = False
    ) -> str:
        """Write rows down; the path."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        doc = {"search": search, "sid": sid, "owner": owner, "process": process, "rows": list(rows)}
        path = os.path.join(self._folder, f"{time.time_ns():020d}-{secrets.token_hex(4)}{_SURE if sure else '.json'}")
        scratch = f"{path}.new"
        handle = os.open(scratch, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump(doc, file, default=str)
        os.rename(scratch, path)
        return path

    def vouch(self, path: str) -> str:
        """Splunkd said that the session may contain; the path from now on."""
        if path.endswith(_SURE):
            return path
        sure = path[: -len(".json")] + _SURE
        os.rename(path, sure)
        return sure

    def paths(self) -> List[str]:
        """All files, oldest first."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        return [os.path.join(self._folder, name) for name in sorted(names) if name.endswith(".json")]

    def read(self, path: str) -> Kept:
        """One file. Raises ValueError when it is none of ours."""
        with open(path, encoding="ascii") as file:
            text = file.read(_LARGEST)
        try:
            doc = json.loads(text)
            rows = tuple(dict(row) for row in doc["rows"])
            seconds = time.time() - int(os.path.basename(path).partition("-")[0]) / 1e9
            search, sid, owner = str(doc["search"]), str(doc["sid"]), str(doc["owner"])
            return Kept(path, search, sid, owner, int(doc["process"]), rows, seconds, path.endswith(_SURE))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{path} can't be read ({error}). Contain by hand whom it names, then delete it") from None

    def remove(self, path: str) -> None:
        """The rows are in the journal."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
