"""Runs detections in a real Elasticsearch over raw vendor events, in a namespace that is gone afterwards."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import TracebackType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple, Type

from responders.content.detection import Detection
from responders.content.ecs import STREAMS, to_ecs
from responders.content.elastic.mappings import fields, mapping, schema_fields
from responders.content.elastic.query import ACCOUNTS, SCHEMA, SEEN, WATCH, in_namespace, queries
from responders.content.elastic.server import ElasticError, Server
from responders.content.elastic.setup import fill_lookup
from responders.content.lag import look_back_seconds
from responders.content.run import Hit, latest, many
from responders.content.watch import watched
from responders.errors import BadDetection, BadInput

MAX_SIGNALS = 1000
"""Alerts that one run of a rule may raise: Kibana's own ceiling for max_signals is 1000."""
_APART = timedelta(days=10)
"""Between the times of ingest of two batches: longer than any detection looks back."""
_LOOKUPS = {"tourniquet_accounts": ACCOUNTS, "tourniquet_watch": WATCH, "tourniquet_seen": SEEN}
_WATCH_COLUMNS = {"tq_identity": "tq_watched", "until": "tq_watched_until", "why": "tq_watched_why"}


@dataclass(frozen=True)
class Batch:
    """Events that are searched together and apart from all others: by their time of ingest, as a rule's run sees them."""

    ingested: datetime


class ElasticRun:
    """Indices of one run: `with ElasticRun(url, detections) as run: run.add(…); run.hits(…)`.

    The rules' own queries run, over `logs-…-tq<random>` in place of `logs-…-*`, so that neither a user's data nor another
    run is read or touched. Raises BadInputs where a query uses an unknown macro, ElasticError for the server.
    """

    def __init__(self, url: str, detections: Sequence[Detection]) -> None:
        self.namespace = f"tq{secrets.token_hex(5)}"
        self._queries = {
            detection.slug: in_namespace(query, self.namespace) + f"\n| LIMIT {MAX_SIGNALS + 1}"
            for detection, query in queries(detections)
        }
        self._server = Server(url)
        self.made: Set[str] = set()
        self._lookups: Dict[str, str] = {}
        self._rows: Dict[str, List[Dict[str, str]]] = {}
        self._ids: Dict[str, str] = {}
        self._next = datetime.now(timezone.utc).replace(microsecond=0)

    def __enter__(self) -> ElasticRun:
        self._create(f"{SCHEMA}-{self.namespace}", schema_fields())
        for name in _LOOKUPS:
            self._lookup(name, ())
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            self._server.delete(sorted({*self.made, *self._lookups.values()}))
        finally:
            self._server.__exit__(kind, error, trace)

    def stream(self, source: str) -> str:
        """The index that events of a source go to, there once the first has come."""
        return f"{STREAMS[source]}-{self.namespace}"

    def make_streams(self, names: Iterable[str]) -> None:
        """The indices of these data streams, for documents that come another way than by `add`."""
        for name in names:
            self._create(f"{name}-{self.namespace}", fields()[name])

    def set_lookups(self, lookups: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        """Contents of the lookups, named as in SPL (tourniquet_accounts, tourniquet_watch)."""
        for name, rows in lookups.items():
            if name not in _LOOKUPS:
                raise BadInput(f"unknown lookup {name}", place="lookups", remedy=f"use one of {', '.join(_LOOKUPS)}")
            self._lookup(name, rows)

    def add(self, events: Iterable[Tuple[str, Any]]) -> Batch:
        """Index one batch of (source, event)."""
        return self.add_all([[events]])[0]

    def add_all(self, batches: Sequence[Sequence[Iterable[Tuple[str, Any]]]]) -> List[Batch]:
        """Index several batches at one go. Each is searched apart from all others, even where their events are equal.

        A batch is of several lots: events of two lots are different ones, even where their ids are equal.
        """
        made: List[Batch] = []
        documents: List[Tuple[str, str, Mapping[str, Any]]] = []
        for lots in batches:
            batch = Batch(self._next)
            self._next += _APART
            made.append(batch)
            for events in lots:
                documents += self._documents(batch, list(events))
        self._server.bulk(documents)
        return made

    def _documents(self, batch: Batch, given: List[Tuple[str, Any]]) -> Iterator[Tuple[str, str, Mapping[str, Any]]]:
        prefix = f"{len(self._ids)}."
        untimed = datetime.fromtimestamp(latest(given) or batch.ingested.timestamp(), timezone.utc)
        for source, event in given:
            for found in to_ecs(source, event, batch.ingested, untimed=untimed):
                stream = found.index.rpartition("-")[0]
                index = f"{stream}-{self.namespace}"
                self._create(index, fields()[stream])
                name = (prefix + found.id)[:500]
                self._ids[f"{index}/{name}"] = found.id
                yield index, name, found.document

    def hits(self, detection: Detection, batch: Batch) -> List[Hit]:
        """What the rule raises for a batch, strongest first; one for each finding, as the responder takes them.

        `tq_events` are the vendor's ids again, as in SPL: a rule itself gives index/_id.

        Raises ElasticError naming the detection's file when the query is refused, and when a run would raise more than
        MAX_SIGNALS: Kibana would drop the rest.
        """
        since = batch.ingested - timedelta(seconds=look_back_seconds(detection))
        window = {"gt": _iso(since), "lte": _iso(batch.ingested), "format": "strict_date_optional_time"}
        try:
            query = self._queries[detection.slug].replace("NOW()", f'TO_DATETIME("{_iso(batch.ingested)}")')
            rows = self._server.esql(query, {"range": {"event.ingested": window}})
        except ElasticError as error:
            raise ElasticError(
                f"elastic.query: {error.message}",
                place=f"detections/{detection.slug}.yaml:{detection.elastic.line}",
                remedy="correct the query, or its macros in detections/macros_elastic.yaml",
                type=error.type,
                status=error.status,
            ) from None
        if len(rows) > MAX_SIGNALS:
            raise BadDetection(
                f"raises over {MAX_SIGNALS} findings at once",
                place=f"detections/{detection.slug}.yaml",
                remedy="give fewer events, or tune the detection",
            )
        for row in rows:
            row["tq_events"] = sorted(self._ids.get(name, name) for name in many(row.get("tq_events")))
        found = {str(row.get("tq_finding")): Hit(detection, row) for row in reversed(rows)}
        return sorted(found.values(), key=lambda hit: (-int(hit.row["tq_confidence"]), hit.detection.slug, hit.account))

    def _create(self, index: str, types: Mapping[str, str]) -> None:
        if index not in self.made:
            self.made.add(index)
            self._server.create(index, mapping(types))

    def _lookup(self, name: str, rows: Iterable[Mapping[str, str]]) -> None:
        if name == "tourniquet_watch":
            rows = [{_WATCH_COLUMNS[key]: value for key, value in row.items() if key in _WATCH_COLUMNS} for row in rows]
        given = [dict(row) for row in rows]
        if self._rows.get(name) == given:
            return
        self._rows[name] = given
        alias = f"{_LOOKUPS[name]}-{self.namespace}"
        self._lookups[name] = fill_lookup(self._server, _LOOKUPS[name], alias, given)


def run_elastic(
    url: str,
    detections: Sequence[Detection],
    events: Iterable[Tuple[str, Any]],
    *,
    accounts: Sequence[Mapping[str, str]] = (),
    lookups: Optional[Mapping[str, Sequence[Mapping[str, str]]]] = None,
) -> List[Hit]:
    """Every hit of `detections` over the events, by Elasticsearch at `url`; in the order of run_detections."""
    events = list(events)
    with ElasticRun(url, detections) as run:
        run.set_lookups({"tourniquet_accounts": accounts, "tourniquet_watch": watched(events), **(lookups or {})})
        batch = run.add(events)
        hits = [hit for detection in detections for hit in run.hits(detection, batch)]
    return sorted(hits, key=lambda hit: (-int(hit.row["tq_confidence"]), hit.detection.slug, hit.account))


def _iso(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
