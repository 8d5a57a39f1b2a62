"""The journal in one Elasticsearch index, shared by several responders. Never shipped to Splunk.

One ordinary index, no data stream and no rollover: an `_id` is unique within one index only, and `op_type=create` on it is
what makes a claim or a place in a chain somebody's (Elastic, "Index API", op_type).

A search sees a document only after a refresh, some 20 ms of work, while reading by id sees it at once ("Get API",
realtime). So keys that are numbered without holes (entries of a chain, claims, places in the blast radius) are read by id;
anything else is searched after a refresh, which all threads that wait for one share.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from elasticsearch import Elasticsearch

from responders.elastic.cluster import Cluster, create
from responders.errors import ElasticFailed, JournalError
from responders.journal.store import Document

_PAGE = 500
_LONGEST_ID = 512  # bytes, Elastic: "_id field"
_FIRST, _MORE, _QUIET = 10, 64, 8
"""Numbers asked for at once, first and then; so many absent behind the last are the end."""
_NUMBERED = re.compile(r"(?:(e)/[^/]+|(claim)/.+|(use)/[^/]+)/\Z")
_KINDS: Mapping[str, Tuple[int, int, Tuple[str, ...]]] = {
    "e": (0, 8, ("",)),
    "claim": (1, 6, ("", ".released")),
    "use": (0, 6, ("",)),
}
"""First number, digits and endings of numbered keys (chain.py, containment/due.py, containment/facts.py)."""


class ElasticStore:
    """A `JournalStore` in the index `index`, which must be there with the mapping of elastic_rules/indices.json."""

    def __init__(self, cluster: Cluster, index: str) -> None:
        self.index = index
        self._cluster = cluster
        self._coming = threading.Lock()
        self._refreshing = threading.Lock()
        self._started = self._ended = 0

    def create(self, key: str, doc: Document) -> bool:
        text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        mark = secrets.token_hex(8)
        tries = 0

        def do(client: Elasticsearch) -> bool:
            nonlocal tries
            tries += 1
            return create(client, self.index, _id(key), {"key": key, "doc": text, "mark": mark})

        try:
            if self._cluster.call(do):
                return True
        except ElasticFailed as error:
            raise JournalError(f"journal {self.index}: {error}. Nothing may be stored under {key[:200]}") from error
        # After an answer that was lost, what is there may be ours.
        return tries > 1 and self._get([key]).get(key, {}).get("mark") == mark

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        numbered = _NUMBERED.match(prefix)
        if numbered is None:
            return self._search(prefix, after)
        return self._count(prefix, after, *_KINDS[next(kind for kind in numbered.groups() if kind)])

    def _count(
        self, prefix: str, after: str, number: int, digits: int, endings: Tuple[str, ...]
    ) -> Iterator[Tuple[str, Document]]:
        """Numbered keys, by id and so as they are now."""
        tail = after[len(prefix) :].partition(".")[0] if after.startswith(prefix) else ""
        if tail.isdigit():
            number = int(tail)
        size = _FIRST
        while True:
            names = [[f"{prefix}{n:0{digits}d}{ending}" for ending in endings] for n in range(number, number + size)]
            found = self._get([key for keys in names for key in keys])
            there = [place for place, keys in enumerate(names) if any(key in found for key in keys)]
            if not there:
                return
            holes = [key for keys in names[: there[-1]] for key in keys if key not in found]
            if holes:  # ids are read one after the other: what was absent came while we read on, or it is gone
                found.update(self._get(holes))
            for keys in names[: there[-1] + 1]:
                yield from ((key, _object(found[key]["doc"])) for key in keys if key in found and key > after)
            if size - there[-1] > _QUIET:
                return
            number, size = number + there[-1] + 1, _MORE

    def _get(self, keys: List[str]) -> Dict[str, Mapping[str, Any]]:
        ids = {_id(key): key for key in keys}
        answer = self._ask(lambda client: client.mget(index=self.index, ids=list(ids), realtime=True))
        found: Dict[str, Mapping[str, Any]] = {}
        for item in answer["docs"]:
            if "error" in item:
                raise JournalError(f"journal {self.index}: {str(item['error'].get('reason'))[:300]}. Nothing could be read")
            if item.get("found"):
                found[ids[item["_id"]]] = item["_source"]
        return found

    def _search(self, prefix: str, after: str) -> Iterator[Tuple[str, Document]]:
        """Any keys, after a refresh. Nothing is ever changed or deleted, so pages need no point in time."""
        self._refresh()
        last: Optional[str] = None
        filters: List[Mapping[str, Any]] = [{"prefix": {"key": prefix}}] if prefix else [{"match_all": {}}]
        if after:
            filters.append({"range": {"key": {"gt": after}}})
        while True:
            hits = self._ask(partial(self._page, filters, last))["hits"]["hits"]
            for hit in hits:
                yield hit["_source"]["key"], _object(hit["_source"]["doc"])
            if len(hits) < _PAGE:
                return
            last = hits[-1]["_source"]["key"]

    def _page(self, filters: Sequence[Mapping[str, Any]], last: Optional[str], client: Elasticsearch) -> Any:
        return client.search(
            index=self.index, query={"bool": {"filter": filters}}, sort=[{"key": "asc"}], size=_PAGE,
            source_includes=["key", "doc"], track_total_hits=False, allow_partial_search_results=False,
            search_after=None if last is None else [last],
        )  # fmt: skip

    def _refresh(self) -> None:
        """A refresh that began after this call, ours or another thread's."""
        with self._coming:
            before = self._started
        with self._refreshing:
            if self._ended > before:
                return
            with self._coming:
                self._started += 1
                mine = self._started
            shards = self._ask(lambda client: client.indices.refresh(index=self.index))["_shards"]
            if shards["failed"]:
                raise JournalError(
                    f"journal {self.index}: {shards['failed']} copies could not be refreshed. Look at its health"
                )
            self._ended = mine

    def _ask(self, do: Callable[[Elasticsearch], Any]) -> Any:
        try:
            return self._cluster.call(do)
        except ElasticFailed as error:
            raise JournalError(f"journal {self.index}: {error}. Nothing could be read") from error


def _id(key: str) -> str:
    """The key, or its hash where it is too long for an id; both can't meet, for a hash is no key of ours."""
    return key if len(key.encode()) <= _LONGEST_ID else "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def _object(text: Any) -> Document:
    """What is no JSON object can't carry a MAC: handed on as an empty one, it is found as edited like any other."""
    try:
        doc = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return doc if isinstance(doc, dict) else {}
