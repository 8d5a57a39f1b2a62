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

from responders.elastic.cluster import Cluster, create_all
from responders.errors import ElasticFailed, JournalError
from responders.journal.store import Document, Range

_PAGE = 500
_LONGEST_ID = 512  # bytes, Elastic: "_id field"
_FIRST, _MORE, _QUIET = 24, 64, 8
"""Numbers asked for at once, first and then; so many absent behind the last are the end."""
_ASKED = 400
"""Keys of several prefixes that are asked for at once at first."""
_NUMBERED = re.compile(r"(?:(e)/[^/]+|(claim)/.+|(use)/[^/]+)/\Z")
_KINDS: Mapping[str, Tuple[int, int, Tuple[str, ...]]] = {
    "e": (0, 8, ("",)),
    "claim": (1, 6, ("", ".released")),
    "use": (0, 6, ("",)),
}
"""First number, digits and endings of numbered keys (chain.py, containment/due.py, containment/facts.py)."""
_Found = Dict[str, Mapping[str, Any]]


class ElasticStore:
    """A `JournalStore` in the index `index`, which must be there with the mapping of elastic_rules/indices.json."""

    def __init__(self, cluster: Cluster, index: str) -> None:
        self.index = index
        self._cluster = cluster
        self._coming = threading.Lock()
        self._refreshing = threading.Lock()
        self._started = self._ended = 0

    def create(self, key: str, doc: Document) -> bool:
        return self.create_all([(key, doc)])[0]

    def create_all(self, docs: Sequence[Tuple[str, Document]]) -> Tuple[bool, ...]:
        return self._create(docs) if docs else ()

    def _create(self, docs: Sequence[Tuple[str, Document]], *, refresh: bool = False) -> Tuple[bool, ...]:
        mark = secrets.token_hex(8)
        lines = [(_id(key), {"key": key, "doc": _text(doc), "mark": mark}) for key, doc in docs]
        tries = 0

        def do(client: Elasticsearch) -> Tuple[bool, ...]:
            nonlocal tries
            tries += 1
            return create_all(client, self.index, lines, refresh=refresh)

        try:
            made = self._cluster.call(do)
        except ElasticFailed as error:
            names = ", ".join(key[:200] for key, _ in docs)
            raise JournalError(f"journal {self.index}: {error}. Nothing may be stored under {names}") from error
        if tries == 1 or all(made):
            return made
        # After an answer that was lost, what is there may be ours.
        found = self._get([key for (key, _), new in zip(docs, made) if not new])
        return tuple(new or found.get(key, {}).get("mark") == mark for (key, _), new in zip(docs, made))

    def create_and_scan(self, key: str, doc: Document, prefix: str, after: str = "") -> List[Tuple[str, Document]]:
        # Each of two stores its document before its refresh: whose document comes second sees the other's.
        self._create([(key, doc)], refresh=True)
        return list(self._search(prefix, after))

    def scan(self, prefix: str, after: str = "") -> Iterator[Tuple[str, Document]]:
        if _NUMBERED.match(prefix):
            return iter(self.scan_all([(prefix, after)])[0])
        self._refresh()
        return self._search(prefix, after)

    def scan_all(self, ranges: Sequence[Range]) -> Tuple[List[Tuple[str, Document]], ...]:
        """Numbered keys, by id and so as they are now."""
        most = max(_QUIET, min(_FIRST, _ASKED // max(1, len(ranges))))
        walks = [_Walk(prefix, after, most) for prefix, after in ranges]
        while True:
            going = [walk for walk in walks if not walk.over]
            if not going:
                return tuple(walk.found for walk in walks)
            found = self._get([key for walk in going for key in walk.asked()])
            holes = [key for walk in going for key in walk.holes(found)]
            if holes:  # ids are read one after the other: what was absent came while we read on, or it is gone
                found.update(self._get(holes))
            for walk in going:
                walk.take(found)

    def _get(self, keys: Sequence[str]) -> _Found:
        ids = {_id(key): key for key in keys}
        answer = self._ask(lambda client: client.mget(index=self.index, ids=list(ids), realtime=True))
        found: _Found = {}
        for item in answer["docs"]:
            if "error" in item:
                raise JournalError(f"journal {self.index}: {str(item['error'].get('reason'))[:300]}. Nothing could be read")
            if item.get("found"):
                found[ids[item["_id"]]] = item["_source"]
        return found

    def _search(self, prefix: str, after: str) -> Iterator[Tuple[str, Document]]:
        """Any keys, of the last refresh. Nothing is ever changed or deleted, so pages need no point in time."""
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


class _Walk:
    """One prefix of numbered keys that is being read: what was found of it so far, and which numbers come next."""

    def __init__(self, prefix: str, after: str, most: int) -> None:
        kind = next(kind for kind in _NUMBERED.match(prefix).groups() if kind)  # type: ignore[union-attr]
        self._prefix, self._after, self._size = prefix, after, most
        self._number, self._digits, self._endings = _KINDS[kind]
        tail = after[len(prefix) :].partition(".")[0] if after.startswith(prefix) else ""
        if tail.isdigit():
            self._number = int(tail)
        self.found: List[Tuple[str, Document]] = []
        self.over = False

    def _names(self) -> List[List[str]]:
        numbers = range(self._number, self._number + self._size)
        return [[f"{self._prefix}{n:0{self._digits}d}{ending}" for ending in self._endings] for n in numbers]

    def asked(self) -> List[str]:
        """What is to be read next."""
        return [key for keys in self._names() for key in keys]

    def holes(self, found: _Found) -> List[str]:
        """What is absent before the last of what is there."""
        names = self._names()
        last = max((place for place, keys in enumerate(names) if any(key in found for key in keys)), default=0)
        return [key for keys in names[:last] for key in keys if key not in found]

    def take(self, found: _Found) -> None:
        """Keep what was read."""
        names = self._names()
        last = max((place for place, keys in enumerate(names) if any(key in found for key in keys)), default=-1)
        for keys in names[: last + 1]:
            self.found.extend((key, _object(found[key]["doc"])) for key in keys if key in found and key > self._after)
        self.over = last < 0 or self._size - last > _QUIET
        self._number, self._size = self._number + last + 1, _MORE


def _text(doc: Document) -> str:
    return json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


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
