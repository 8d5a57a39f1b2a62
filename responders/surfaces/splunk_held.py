"""The rows of one start of the alert action, in a file of this search head until they are handled."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any, Mapping, Sequence

from responders.alerts.kept import kept
from responders.surfaces.splunk_log import ACTION, Log, var_folder
from responders.surfaces.splunk_results import Payload
from responders.surfaces.splunk_spool import Spool

_QUICK = 200  # rows that are kept before anything else is done


class Held:
    """One such file; none when the disk does not take it, which the log then says."""

    def __init__(self, app_home: str, payload: Payload, rows: Sequence[Mapping[str, Any]], log: Log) -> None:
        self._spool = Spool(var_folder(app_home))
        self._payload, self._log = payload, log
        self._path = ""
        self._sure = False
        self._lock = threading.Lock()
        self._writing = threading.Thread(target=self._begin, args=(rows,))
        self._writing.start()
        if len(rows) <= _QUICK:  # of very many, which an attacker may have caused, the first is not kept waiting
            self._writing.join()

    def vouch(self) -> None:
        """Splunkd said that this session may contain: whoever takes the rows up need not find out who ran the search."""
        with self._lock:
            self._sure = True
            if self._path:
                self._path = self._vouched(self._path)

    def replace(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep these instead: what was not begun. They are free for whoever runs next."""
        self._writing.join()
        old, self._path = self._path, self._keep(rows, 0) if rows else ""
        if old:
            self._spool.remove(old)

    def drop(self) -> None:
        self.replace(())

    @property
    def kept(self) -> bool:
        """True while there is a file of it."""
        self._writing.join()
        return bool(self._path)

    def said(self, payload: Payload) -> str:
        """What becomes of the alert that could not be handled."""
        if self.kept:
            return "Nobody was contained; the alert is kept on this search head, and is tried again each minute"
        again = f"When this is put right: | loadjob {payload.sid} | sendalert {ACTION}" if payload.sid else ""
        return f"Nobody was contained. {again}".strip()

    def _begin(self, rows: Sequence[Mapping[str, Any]]) -> None:
        path = self._keep(rows, os.getpid())
        with self._lock:
            self._path = self._vouched(path) if path and self._sure else path

    def _vouched(self, path: str) -> str:
        with contextlib.suppress(OSError):  # then it stays one that nobody vouches for
            return self._spool.vouch(path)
        return path

    def _keep(self, rows: Sequence[Mapping[str, Any]], process: int) -> str:
        given = self._payload
        try:
            about = {"search": given.search, "sid": given.sid, "owner": given.owner}
            return self._spool.keep([kept(row) for row in rows], **about, process=process, sure=self._sure)
        except OSError as error:  # a full disk must not keep anybody from being contained
            self._log.write(given.search, given.sid, "failure", f"the alert can't be kept beside the journal: {error}")
            return ""
