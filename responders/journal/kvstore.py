"""The journal in Splunk's KV store: one document an entry, inserted and never changed.

- A document is `_key` (the journal's key) and `doc` (its JSON as one text: the KV store rewrites nothing within it).
- Create-if-absent is an insert: splunkd answers 409 when the same user has a document of that key (a unique index over
  user and key), and the user is always `nobody`. In a search head cluster every write goes to the KV store's captain, so
  of two search heads one gets the place. `batch_save` would overwrite, and is never used.
- Reads are the search head's own, and may be behind: what this process wrote itself it sees at once, from memory; others'
  documents come a little later, which only makes a claim look alive, or free and then taken.

Source: Splunk REST API Reference, "KV store endpoint descriptions".
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from heapq import merge
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from responders.errors import JournalError
from responders.journal.store import Document, OneByOne, Range
from responders.splunk.splunkd import Splunkd, SplunkError, patiently, pauses

COLLECTION = "tourniquet_journal"
_PAGE = 500
_LARGEST = 12 * 1024 * 1024
"""Characters of a document: MongoDB takes 16 MB, escapes included."""
_FULL = 25 * 1024 * 1024
"""A page of more may be cut short (limits.conf [kvstore] max_size_per_result_mb), so that a short one is not the last."""
_REMEMBERED = 120.0
"""Seconds for which a search head may be behind what this process wrote."""
_RANGES = 30
"""Ranges of one query: it goes with the URL, which must not grow too long."""
_AFTER_ALL = "\x7f"
"""Greater than every character of a key."""


class KvStore(OneByOne):
    """A `JournalStore` in a collection of the app. `patience`: seconds of trying while the KV store starts or is away."""

    def __init__(self, splunkd: Splunkd, collection: str = COLLECTION, *, patience: float = 10.0) -> None:
        self._splunkd = splunkd
        self._path = ("storage", "collections", "data", collection)
        self._place = f"{splunkd.app}/{collection}"
        self._patience = patience
        self._own: OrderedDict[str, Tuple[float, str]] = OrderedDict()
        self._lock = threading.Lock()

    def create(self, key: str, doc: Document) -> bool:
        """False when the key exists. Raises JournalError, then nobody knows whether it was stored."""
        text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        if not key or not key.isascii() or not key.isprintable():
            raise JournalError(f"journal {self._place}: {key[:80]!r} is no key: printable ASCII only")
        if len(text) > _LARGEST:
            raise JournalError(
                f"journal {self._place}: {key} has {len(text)} characters, {_LARGEST} at most. It is not stored"
            )
        unsure = False
        for pause in pauses(self._patience):
            try:
                self._splunkd.post_json(*self._path, body={"_key": key, "doc": text})
            except SplunkError as error:
                last = error
                if error.status == 409:
                    if not (unsure and self._is_ours(key, text)):
                        return False
                elif error.passing:
                    unsure = unsure or error.sent or error.status != 0
                    time.sleep(pause)
                    continue
                else:
                    raise self._failed(error, f"Nothing was stored under {key}") from error
            self._remember(key, text)
            return True
        raise self._failed(last, f"It is not known whether {key} was stored" if unsure else f"{key} was not stored")

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        with self._lock:
            own = sorted((key, text) for key, (_, text) in self._own.items() if key.startswith(prefix) and key > after)
        last = ""
        for key, _, text in merge(
            ((key, 0, text) for key, text in self._stored(prefix, after)), ((key, 1, text) for key, text in own)
        ):
            if key != last:  # what is stored counts, not what we remember of it: an edit must show
                yield key, _object(text)
            last = key

    def scan_all(self, ranges: Sequence[Range]) -> Tuple[List[Tuple[str, Document]], ...]:
        with self._lock:
            texts = {key: text for key, (_, text) in self._own.items()}
        for start in range(0, len(ranges), _RANGES):
            texts.update(self._any(ranges[start : start + _RANGES]))
        keys = sorted(texts)
        return tuple(
            [(key, _object(texts[key])) for key in keys if key.startswith(prefix) and key > after]
            for prefix, after in ranges
        )

    def _stored(self, prefix: str, after: str) -> Iterator[Tuple[str, str]]:
        """Keys and texts as they are stored, page by page."""
        return self._any([(prefix, after)])

    def _any(self, ranges: Sequence[Range]) -> Iterator[Tuple[str, str]]:
        """What is stored in any of these ranges."""
        bounds = [_bounds(prefix, after) for prefix, after in ranges]
        any_of: Dict[str, Any] = bounds[0] if len(bounds) == 1 else {"$or": bounds}
        prefixes, wanted = tuple(prefix for prefix, _ in ranges), any_of
        while True:
            rows = self._read({"query": json.dumps(wanted), "sort": "_key", "limit": str(_PAGE), "fields": "_key,doc"})
            size, last = 0, ""
            for row in rows:
                key, text = str(row.get("_key", "")), row.get("doc")
                if key <= last or not key.startswith(prefixes):
                    raise JournalError(f"journal {self._place}: the KV store gave {key[:80]!r} out of order. Report this")
                last, text = key, text if isinstance(text, str) else ""
                size += len(text)
                yield key, text
            if not rows or (len(rows) < _PAGE and size < _FULL):
                return
            wanted = {"$and": [{"_key": {"$gt": last}}, any_of]}

    def _read(self, query: Dict[str, str]) -> List[Any]:
        try:
            rows = patiently(lambda: self._splunkd.get(*self._path, query=query), self._patience)
        except SplunkError as error:
            raise self._failed(error, "Nothing could be read") from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise JournalError(f"journal {self._place}: the KV store gave no list of documents. Report this")
        return rows

    def _is_ours(self, key: str, text: str) -> bool:
        """True when the document is the one that we sent before an answer was lost. Raises JournalError."""
        for pause in pauses(self._patience):
            rows = self._read({"query": json.dumps({"_key": key}), "limit": "1", "fields": "_key,doc"})
            if rows:
                return bool(rows[0].get("doc") == text)
            time.sleep(pause)
        raise JournalError(
            f"journal {self._place}: {key} exists, and can't be read yet. Is the KV store's replication behind?"
        )

    def _remember(self, key: str, text: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._own[key] = (now, text)
            while self._own and next(iter(self._own.values()))[0] < now - _REMEMBERED:
                self._own.popitem(last=False)

    def _failed(self, error: SplunkError, what: str) -> JournalError:
        return JournalError(f"journal {self._place}: {error}. {what}. {remedy(error)}")


def _bounds(prefix: str, after: str) -> Dict[str, Any]:
    low = {"$gt": after} if after >= prefix else {"$gte": prefix}
    return {"_key": {**low, "$lt": prefix + _AFTER_ALL}}


def remedy(error: SplunkError) -> str:
    """What an administrator of Splunk does about it."""
    if error.status == 401:
        return "Run the search again; if it recurs, look for an expired login of the search's owner"
    if error.status == 403:
        return "Leave the search to nobody, as it ships, or to who may write the app's collections: docs/splunk_journal.md"
    if error.status == 404:
        return "Restart Splunk, so that it makes the collections of the app, and look at its collections.conf"
    if error.status == 503:
        return "Wait until the KV store is ready: `splunk show kvstore-status` tells, or the Monitoring Console"
    return "Look whether splunkd is up, and at var/log/splunk/splunkd.log and mongod.log"


def _object(text: str) -> Document:
    """What is no JSON object can't carry a MAC: handed on as an empty one, it is found as edited like any other."""
    try:
        doc = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return doc if isinstance(doc, dict) else {}
