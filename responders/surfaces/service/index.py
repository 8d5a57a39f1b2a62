"""Elastic Security's alerts as they lie in Elasticsearch: found, read, and marked. Every read is bounded in size.

The alias of a space's alerts, and that an alert's `_id` is its `kibana.alert.uuid`: Kibana, rule_registry,
create_persistence_rule_type_wrapper.ts. Fields of an alert are dotted keys there; a nested form is read as well.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadAnswer, NotFound, OutcomeUnknown, Retryable, VendorError, WrongState
from responders.settings import ElasticSettings
from responders.vendors.client import Response
from responders.vendors.transport import Endpoint, Limits, Transport

RULE = "kibana.alert.rule.rule_id"
STATUS = "kibana.alert.workflow_status"
TAGS = "kibana.alert.workflow_tags"
_FIELDS = ["tq_*", "@timestamp", "kibana.alert.uuid", RULE, STATUS, TAGS]
_RISK = "kibana.alert.risk_score"
_LIST_PAGE, _READ_PAGE = 1000, 50
_KEEP = "5m"
"""A page of alerts is stored before the next is asked for, and with a slow Elasticsearch that takes a while."""
_TAGGED = "tagged"
_MOST_EVENTS = 200
_EVENT_INDEX = re.compile(r"(?:\.ds-)?logs-[a-z0-9_.\-]{1,200}\Z")
"""What an event may be read from: `tq_events` comes from an alert, and must not name any other index."""
_EVENT_IDS = (
    "okta.uuid", "azure.signinlogs.properties.id", "azure.auditlogs.properties.id",
    "azure.identityprotection.properties.id", "event.id",
)  # fmt: skip
"""Where the integrations keep the vendor's own id of an event; the first that a document has is it."""


@dataclass(frozen=True)
class Stored:
    """One alert as it is stored. `source` holds our columns and the workflow's fields only."""

    space: str
    index: str
    id: str
    seq_no: int
    primary_term: int
    source: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A field's one value as text, "" when it has none."""
        value = field(self.source, name)
        return str(value) if isinstance(value, (str, int, float)) else ""

    @property
    def tags(self) -> Tuple[str, ...]:
        value = field(self.source, TAGS)
        return tuple(str(item) for item in value) if isinstance(value, list) else ((str(value),) if value else ())


class TooLarge(BadAnswer):
    """An alert that does not fit into one answer."""


class AlertIndex:
    """The alerts of our rules in each space. Shared by threads. Raises VendorError."""

    def __init__(self, server: ElasticSettings, rules: Sequence[str]) -> None:
        limits = Limits(connect=2.0, attempt=5.0, total=6.0, retries=1)
        self._transports = [
            Transport(Endpoint("elasticsearch", url, server.ca, "", True, limits), _explain) for url in server.urls
        ]
        self._headers = {"Accept": "application/json"}
        if server.api_key is not None:
            key = server.api_key.reveal()
            self._headers["Authorization"] = f"ApiKey {key}"
            for transport in self._transports:
                transport.keep_secret((key,))
        self._rules = list(rules)
        self._first = 0
        self._lock = threading.Lock()

    def call(self, method: str, path: str, body: Any = None, query: Optional[Mapping[str, str]] = None) -> Any:
        """One call's JSON; a node that is out of reach, or hangs, is left for the next.

        Every call here may be repeated: a mark is written only over the document that was read.
        """
        last: Optional[VendorError] = None
        first = self._first
        for number in range(len(self._transports)):
            place = (first + number) % len(self._transports)
            try:
                answer = self._send(self._transports[place], method, path, body, query)
            except (Retryable, OutcomeUnknown) as error:
                last = error
                continue
            with self._lock:
                self._first = place
            return answer.body
        assert last is not None
        raise last

    def close(self) -> None:
        for transport in self._transports:
            transport.close()

    # -- finding ------------------------------------------------------------------------------------------

    def listed(self, space: str, since: datetime, tag: str, tagged_since: datetime) -> Iterator[Tuple[str, bool]]:
        """(id, whether it bears the tag) of every alert of our rules with a `@timestamp` from `since` on, and of those with
        the tag from `tagged_since` on; those of the highest risk score first, as our rules set it from the confidence."""
        window: Mapping[str, Any] = {"range": {"@timestamp": _from(since)}}
        longer: Mapping[str, Any] = {"range": {"@timestamp": _from(tagged_since)}}
        # By the name of the query that matched: the tags themselves are of any size, and one alert would fill the answer.
        bears = {"bool": {"filter": [{"term": {TAGS: tag}}, longer], "_name": _TAGGED}}
        either: List[Mapping[str, Any]] = [window, bears]
        filters: List[Mapping[str, Any]] = [
            {"terms": {RULE: self._rules}},
            {"bool": {"should": either, "minimum_should_match": 1}},
        ]
        for hit in self._scan(space, filters):
            yield str(hit["_id"]), _TAGGED in hit.get("matched_queries", ())

    def read(self, space: str, ids: Sequence[str]) -> Iterator[Stored]:
        """The alerts with these ids that are there, whatever rule they are of. Raises TooLarge for a single one."""
        for start in range(0, len(ids), _READ_PAGE):
            yield from self._read(space, ids[start : start + _READ_PAGE])

    def one(self, space: str, name: str) -> Optional[Stored]:
        """The alert of this id, None when there is none."""
        return next(self.read(space, [name]), None)

    def event_ids(self, names: Sequence[str]) -> Tuple[str, ...]:
        """The vendor's own ids of events named as `index/_id`, as far as they can be read."""
        wanted = []
        for name in names[:_MOST_EVENTS]:
            index, slash, doc = name.partition("/")
            if slash and doc and _EVENT_INDEX.match(index):
                wanted.append({"_index": index, "_id": doc})
        if not wanted:
            return ()
        body = {"docs": [{**item, "_source": list(_EVENT_IDS)} for item in wanted]}
        found: List[str] = []
        for doc in self.call("GET", "/_mget", body).get("docs", ()):
            values = (field(doc.get("_source", {}), name) for name in _EVENT_IDS)
            found.append(next((value for value in values if isinstance(value, str) and value), ""))
        return tuple(dict.fromkeys(filter(None, found)))

    # -- marking ------------------------------------------------------------------------------------------

    def mark(self, alert: Stored, status: str, tags: Sequence[str], at: datetime) -> bool:
        """Set status (since `at`) and tags in the document, unless somebody changed it meanwhile: then False."""
        values = {STATUS: status, TAGS: list(tags)}
        if status != alert.text(STATUS):  # as Kibana itself does it
            values["kibana.alert.workflow_status_updated_at"] = at.isoformat()
        doc = _like(alert.source, values)
        query = {"if_seq_no": str(alert.seq_no), "if_primary_term": str(alert.primary_term), "refresh": "false"}
        path = self._transports[0].path("/{}/_update/{}", (alert.index, alert.id))
        try:
            self.call("POST", path, {"doc": doc}, query)
        except WrongState as error:
            if error.status == 409:
                return False
            raise
        return True

    # -- inside -------------------------------------------------------------------------------------------

    def _send(self, to: Transport, method: str, path: str, body: Any, query: Optional[Mapping[str, str]]) -> Response:
        return to.send(method, path, headers=self._headers, query=query, body=body, template=_name(path))

    def _scan(self, space: str, filters: List[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        try:
            pit = self.call("POST", f"/.alerts-security.alerts-{space}/_pit", query={"keep_alive": _KEEP})["id"]
        except NotFound:  # no rule of this space has raised one yet
            return
        after: Optional[List[Any]] = None
        try:
            while True:
                body: Dict[str, Any] = {
                    "size": _LIST_PAGE, "_source": False, "track_total_hits": False,
                    "query": {"bool": {"filter": filters}}, "pit": {"id": pit, "keep_alive": _KEEP},
                    "sort": [{_RISK: {"order": "desc", "unmapped_type": "float"}}, {"_shard_doc": "asc"}],
                }  # fmt: skip
                if after is not None:
                    body["search_after"] = after
                answer = _whole(self.call("GET", "/_search", body))
                pit = answer.get("pit_id", pit)
                hits = answer["hits"]["hits"]
                yield from hits
                if len(hits) < _LIST_PAGE:
                    return
                after = hits[-1]["sort"]
        finally:
            self._forget(pit)

    def _forget(self, pit: str) -> None:
        try:
            self.call("DELETE", "/_pit", {"id": pit})
        except VendorError:  # it ends by itself
            return

    def _read(self, space: str, ids: Sequence[str]) -> Iterator[Stored]:
        body = {
            "size": len(ids), "_source": _FIELDS, "seq_no_primary_term": True, "track_total_hits": False,
            "query": {"ids": {"values": list(ids)}},
        }  # fmt: skip
        try:
            answer = _whole(self.call("GET", f"/.alerts-security.alerts-{space}/_search", body))
        except NotFound:
            return
        except BadAnswer as error:
            if len(ids) == 1:
                raise TooLarge("elasticsearch", f"alert {ids[0]} of space {space}: {error.message}") from None
            half = len(ids) // 2
            yield from self._read(space, ids[:half])
            yield from self._read(space, ids[half:])
            return
        for hit in answer["hits"]["hits"]:
            yield Stored(
                space, str(hit["_index"]), str(hit["_id"]), int(hit["_seq_no"]), int(hit["_primary_term"]),
                hit.get("_source", {}),
            )  # fmt: skip


def _from(at: datetime) -> Mapping[str, str]:
    return {"gte": at.isoformat(), "format": "strict_date_optional_time"}


def field(source: Mapping[str, Any], name: str) -> Any:
    """A field's value, under its dotted key or nested; None when there is none."""
    if name in source:
        return source[name]
    first, dot, rest = name.partition(".")
    while dot:
        inner = source.get(first)
        if isinstance(inner, Mapping):
            found = field(inner, rest)
            if found is not None:
                return found
        part, dot, rest = rest.partition(".")
        first = f"{first}.{part}"
    return None


def _like(source: Mapping[str, Any], values: Mapping[str, Any]) -> Dict[str, Any]:
    """The values keyed as this source keys them: a second form beside the first would leave both in the document."""
    if isinstance(source.get("kibana"), Mapping):
        found: Dict[str, Any] = {}
        for name, value in values.items():
            place = found
            *parents, last = name.split(".")
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        return found
    return dict(values)


def _whole(answer: Any) -> Mapping[str, Any]:
    """The answer of a search, when all shards gave theirs. A part would look like the whole, and lose alerts."""
    shards = answer.get("_shards", {}) if isinstance(answer, Mapping) else {}
    if not isinstance(answer, Mapping) or answer.get("timed_out") or shards.get("failed"):
        raise Retryable("elasticsearch", f"a search gave a part only: {shards.get('failed', '?')} shards failed")
    return answer


def _name(path: str) -> str:
    return path.split("?")[0] if path.startswith("/_") else "/{}/" + path.rsplit("/", 1)[-1][:20]


def _explain(body: Any) -> Tuple[str, str]:
    found = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(found, Mapping):
        return str(found.get("type", "")), str(found.get("reason", ""))
    return "", str(found or "")
