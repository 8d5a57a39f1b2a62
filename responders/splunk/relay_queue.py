"""The queue between search heads and relays: a collection of insert-only documents, as the journal's is.

Of two that insert the same key one gets it, wherever in the cluster they are: so a request is handed to one relay. Reads may
be behind: a request is then seen a little later, and one that is gone is claimed in vain.
"""

from __future__ import annotations

import json

from responders.errors import JournalError
from responders.journal.kvstore import KvStore
from responders.splunk.splunkd import Splunkd, SplunkError
from responders.vendors.relay_wire import stamp

COLLECTION = "tourniquet_relay"
KEPT = 600.0
"""Seconds for which a document stays: five times what a request may live."""
_KINDS = ("r", "c", "a", "s")


class KvRelayQueue(KvStore):
    """A `RelayQueue` in the app's collection. `patience`: seconds of trying while the KV store starts or is away."""

    def __init__(self, splunkd: Splunkd, *, patience: float = 2.0) -> None:
        super().__init__(splunkd, COLLECTION, patience=patience)

    def forget(self, key: str) -> None:
        """Delete one document; one that is gone is no error. Raises JournalError."""
        with self._lock:
            self._own.pop(key, None)
        self._delete({"_key": key})

    def sweep(self, relay: str, now: float) -> None:
        """Delete what is older than ten minutes: what it asked for has expired long since. Raises JournalError."""
        for kind in _KINDS:
            self._delete({"_key": {"$gte": f"{kind}/{relay}/", "$lt": f"{kind}/{relay}/{stamp(now - KEPT)}"}})

    def _delete(self, wanted: object) -> None:
        try:
            self._splunkd.delete(*self._path, query={"query": json.dumps(wanted)})
        except SplunkError as error:
            raise JournalError(f"{self._place}: {error}") from error
