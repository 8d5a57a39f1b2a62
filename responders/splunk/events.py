"""What becomes an event in Splunk, in an index of the customer's choice: signals, standings, and every journal entry.

`sourcetype=tourniquet:signal` and `tourniquet:journal`. Of the latter, `kind` is `contained`, `restored` or `closed` where
it says how one account stands, and `entry` for a journal entry, whose own kind is in `entry`. An entry has `chain`, `seq`,
`prev` and `mac`, so that the copies alone can be verified; one that was told twice has the same `id`.

Source: Splunk REST API Reference, "receivers/simple"; its capability is edit_tcp.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Callable, Iterable, Mapping, Sequence

from responders.containment.signals import signal_row, standing_row, watch_row
from responders.errors import MirrorError
from responders.journal.chain import Entry
from responders.journal.mirror import event_id
from responders.model import Alert, Identity, Standing
from responders.splunk.splunkd import Splunkd, SplunkError

SIGNAL, JOURNAL = "tourniquet:signal", "tourniquet:journal"
SOURCE = "tourniquet"
WATCH = "tourniquet_watch"
_LONGEST = 90_000
"""Characters of an event: props.conf of the app truncates at 100,000 bytes."""


class SplunkSignals:
    """Signals and standings as events, the watch list in the KV store. Raises SplunkError: what was not told stays due."""

    def __init__(self, splunkd: Splunkd, index: str, clock: Callable[[], datetime]) -> None:
        self._splunkd, self._index, self._clock = splunkd, index, clock

    def signal(self, alert: Alert, identity: Identity) -> None:
        send(self._splunkd, self._index, SIGNAL, [signal_row(alert, identity, self._clock())])

    def watch(self, identity: Identity, until: datetime, why: str) -> None:
        """One row an identity, its key as the app's search `Watch list` makes it: a later signal replaces it."""
        row = watch_row(identity, until, why, self._clock())
        key = hashlib.md5(identity.id.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
        self._splunkd.post_json("storage", "collections", "data", WATCH, "batch_save", body=[{"_key": key, **row}])

    def standing(self, standing: Standing) -> None:
        send(self._splunkd, self._index, JOURNAL, [standing_row(standing)])


class SplunkMirror:
    """Journal entries as events (`responders.journal.mirror.Mirror`)."""

    def __init__(self, splunkd: Splunkd, index: str) -> None:
        self._splunkd, self._index = splunkd, index

    def tell(self, entries: Sequence[Entry]) -> None:
        """Send up to 200 entries. Raises MirrorError; some of them may then be stored."""
        try:
            send(self._splunkd, self._index, JOURNAL, [entry_row(entry) for entry in entries])
        except SplunkError as error:
            raise MirrorError(f"journal entries are not in index {self._index} yet: {error}") from error


def entry_row(entry: Entry) -> Mapping[str, Any]:
    """A journal entry as an event. Of a body that is too long for one, there is its digest: it is in the journal."""
    row = {
        "time": entry.at.isoformat(), "kind": "entry", "entry": entry.kind, "chain": entry.chain, "seq": entry.seq,
        "id": event_id(entry), "prev": entry.prev, "mac": entry.mac,
    }  # fmt: skip
    body = json.dumps(entry.body, sort_keys=True)
    if len(body) > _LONGEST:
        return {**row, "body_sha256": hashlib.sha256(body.encode()).hexdigest(), "body_length": len(body)}
    return {**row, "body": entry.body}


def send(splunkd: Splunkd, index: str, sourcetype: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Send events, each by itself: whether receivers/simple takes a body of several lines for several events depends on
    more than we know. Raises SplunkError; some of them may then be stored."""
    query = {"index": index, "sourcetype": sourcetype, "source": SOURCE}
    for row in rows:
        splunkd.post_text("receivers", "simple", body=as_event(row), query=query)


def as_event(row: Mapping[str, Any]) -> str:
    """The text of one event, its names in the row's order: time, and what searches filter by, stand before a body, which
    may be an attacker's and longer than the 10,240 characters that Splunk extracts fields from."""
    return json.dumps(row) + "\n"
