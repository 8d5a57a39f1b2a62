"""An emulation of Kibana's run of an ES|QL rule, over a real Elasticsearch: filter, query, alert documents, rule status.

What it follows, of elastic/kibana (…/security_solution/server/lib/detection_engine/rule_types): esql/esql.ts,
esql/build_esql_search_request.ts, utils/build_events_query.ts (time range), esql/fetch_source_documents.ts,
esql/utils/generate_alert_id.ts and merge_esql_result_in_source.ts, esql/wrap_esql_alerts.ts,
factories/utils/build_alert.ts, transform_hit_to_alert.ts and traverse_and_mutate_doc.ts, utils/mappings/*, and
utils/get_is_alert_suppression_active.ts. Left out: the checks against ECS types, enrichment, actions, gaps between runs,
data tiers, exceptions other than `match`, and suppression's own paging. Ids are another hash than Kibana's.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from responders.content.elastic.server import ElasticError, Server
from responders.elastic.merge import seconds
from tests.kibana.server import LICENCES, SmallKibana
from tests.kibana.store import stamp

Row = Dict[str, Any]
_AGGREGATING = re.compile(r"\|\s+stats\s", re.IGNORECASE)
_TRUNCATED = "This rule reached the maximum alert limit for the rule execution. Some alerts were not created."
_BANNED = ("kibana", "signal", "threshold_result")
_MAPPED: Mapping[str, str] = {
    "@timestamp": "date", "kibana.space_ids": "keyword", "kibana.alert.uuid": "keyword", "kibana.alert.status": "keyword",
    "kibana.alert.workflow_status": "keyword", "kibana.alert.workflow_tags": "keyword", "kibana.alert.severity": "keyword",
    "kibana.alert.risk_score": "float", "kibana.alert.rule.uuid": "keyword", "kibana.alert.rule.rule_id": "keyword",
    "kibana.alert.rule.name": "keyword", "kibana.alert.rule.tags": "keyword", "kibana.alert.original_time": "date",
    "kibana.alert.rule.rule_type_id": "keyword", "kibana.alert.instance.id": "keyword", "kibana.alert.start": "date",
    "kibana.alert.suppression.end": "date", "kibana.alert.suppression.docs_count": "long", "event.kind": "keyword",
    "event.ingested": "date", "kibana.alert.rule.parameters": "flattened", "kibana.alert.workflow_status_updated_at": "date",
}  # fmt: skip
"""Of Kibana's mapping of the alerts index what is searched by; all else is not mapped there either (`dynamic: false`)."""


@dataclass(frozen=True)
class Ran:
    """One run: ids of the alerts it made, how the rule's status reads, and its message."""

    alerts: Tuple[str, ...]
    status: str
    message: str


def alerts_index(space: str) -> str:
    return f".alerts-security.alerts-{space}"


def make_alerts_index(server: Server, space: str) -> str:
    """The alerts index of a space as Kibana makes it: hidden, behind an alias, unmapped fields left unmapped. Its name."""
    name = f".internal.alerts-security.alerts-{space}-000001"
    properties: Row = {}
    for field, kind in _MAPPED.items():
        place = properties
        *parents, last = field.split(".")
        for parent in parents:
            place = place.setdefault(parent, {}).setdefault("properties", {})
        place[last] = {"type": kind}
    body = {
        "settings": {"index.hidden": True, "number_of_shards": 1, "number_of_replicas": 0},
        "mappings": {"dynamic": False, "properties": properties},
        "aliases": {alerts_index(space): {"is_write_index": True, "is_hidden": True}},
    }
    try:
        server.call("PUT", f"/{name}", body)
    except ElasticError as error:
        if error.type != "resource_already_exists_exception":
            raise
    return name


def run_rule(
    kibana: SmallKibana,
    server: Server,
    rule_id: str,
    now: datetime,
    *,
    space: str = "default",
    rewrite: Callable[[str], str] = lambda query: query,
    exceptions: Sequence[Tuple[str, str]] = (),
) -> Ran:
    """Run one rule as of `now`, write its alerts, and set its status. `rewrite` moves a query into a test's namespace."""
    rules = kibana.spaces[space]
    rule = rules.rules[rule_id]
    query, most = rewrite(rule["query"]), int(rule["max_signals"])
    start = now - timedelta(seconds=seconds(rule["from"].removeprefix("now-")))
    aggregating = bool(_AGGREGATING.search(query))
    made: List[str] = []
    warnings: List[str] = []
    size = most
    try:
        while len(made) <= most and size <= 3 * most:
            rows = _rows(server, query, rule, start, now, size, exceptions)
            hits = _hits(server, query, rows[size - most :], aggregating)
            docs = _alerts(hits, rule, space, start, now, aggregating, kibana.version)
            fresh = _suppressed(server, docs, rule, space, now) if _suppresses(kibana, rule) else _new(server, docs, space)
            room = most - len(made)
            if len(fresh) > room:
                warnings.append(_TRUNCATED)
            made += _write(server, dict(list(fresh.items())[:room]), space)
            if len(fresh) > room or len(rows) < size:
                break
            size += most
    except ElasticError as error:
        rules.executed(rule_id, "failed", now, f"Rule failed: {error.message}"[:600])
        return Ran(tuple(made), "failed", error.message)
    status, message = (
        ("partial failure", warnings[0]) if warnings else ("succeeded", "Rule execution completed successfully")
    )
    rules.executed(rule_id, status, now, message)
    return Ran(tuple(made), status, message)


def _rows(
    server: Server, query: str, rule: Row, start: datetime, now: datetime, size: int, exceptions: Sequence[Tuple[str, str]]
) -> List[Row]:
    span = {"lte": stamp(now), "gte": stamp(start), "format": "strict_date_optional_time"}
    own = rule.get("timestamp_override", "@timestamp")
    time: Row = {"range": {own: span}}
    if own != "@timestamp" and not rule.get("timestamp_override_fallback_disabled"):
        without = {"bool": {"must_not": {"exists": {"field": own}}}}
        either = [time, {"bool": {"filter": [{"range": {"@timestamp": span}}, without]}}]
        time = {"bool": {"minimum_should_match": 1, "should": either}}
    excepted = {"bool": {"must_not": [{"match_phrase": {field: value}} for field, value in exceptions]}}
    return server.esql(f"{query} | limit {size + 1}", {"bool": {"filter": [time, excepted]}})


def _hits(server: Server, query: str, rows: Sequence[Row], aggregating: bool) -> List[Row]:
    """Rows over the documents they came from, where each row is one."""
    ids = [row["_id"] for row in rows if row.get("_id")]
    held: Dict[str, Row] = {}
    if ids and not aggregating:
        index = re.sub(r"\s", "", query.split("METADATA", 1)[0].strip()[len("FROM ") :])
        body = {"query": {"bool": {"filter": {"ids": {"values": ids}}}}, "_source": True, "size": len(ids)}
        answer = server.call("POST", f"/{index}/_search", body, query={"ignore_unavailable": "true"})
        held = {hit["_id"]: hit for hit in answer["hits"]["hits"]}
    hits: List[Row] = []
    for row in rows:
        source = json.loads(json.dumps(held.get(row.get("_id", ""), {}).get("_source", {})))
        for name, value in row.items():
            if name not in ("_id", "_index", "_version"):
                _unset(source, name)
                source[name] = value
        index = row.get("_index") or held.get(row.get("_id", ""), {}).get("_index", "")
        hits.append({"_id": row.get("_id", ""), "_index": index, "_source": source})
    return hits


def _unset(document: Row, name: str) -> None:
    document.pop(name, None)
    first, _, rest = name.partition(".")
    if rest and isinstance(document.get(first), dict):
        _unset(document[first], rest)


def _alerts(
    hits: Sequence[Row], rule: Row, space: str, start: datetime, now: datetime, aggregating: bool, version: str
) -> Dict[str, Row]:
    """Alert documents by id: one event is one alert for ever, a row of an aggregate is a new one in each run."""
    found: Dict[str, Row] = {}
    for number, hit in enumerate(hits):
        who = f"{space}:{rule['id']}"
        if hit["_id"] and not aggregating:
            parts: List[Any] = [hit["_id"], hit["_index"], who]
        else:
            parts = [stamp(start) + stamp(now), rule["query"], who, number]
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]
        found.setdefault(name, _alert(hit, rule, space, name, now, version))
    return found


def _alert(hit: Row, rule: Row, space: str, name: str, now: datetime, version: str) -> Row:
    source = {key: value for key, value in hit["_source"].items() if key.split(".")[0] not in _BANNED}
    original = {f"kibana.alert.original_event.{key}": value for key, value in _flat(source.get("event", {}))}
    if isinstance(source.get("event"), dict):
        source["event"] = {key: value for key, value in source["event"].items() if key != "kind"}
    score = source.get("tq_confidence") if rule["risk_score_mapping"] else None
    words = {entry["value"]: entry["severity"] for entry in rule["severity_mapping"] if entry["field"] == "tq_severity"}
    severity = words.get(source.get("tq_severity"), rule["severity"])
    parameters = {key: value for key, value in rule.items() if key not in ("actions", "execution_summary", "enabled")}
    at = stamp(now)
    prefixed = {
        f"kibana.alert.rule.{key}": rule.get(key)
        for key in (
            "actions", "author", "created_at", "created_by", "description", "enabled", "exceptions_list", "false_positives",
            "from", "immutable", "interval", "license", "max_signals", "name", "note", "references", "risk_score_mapping",
            "rule_id", "severity_mapping", "tags", "threat", "timestamp_override", "to", "type", "updated_at", "updated_by",
            "version", "risk_score", "severity",
        )
    }  # fmt: skip
    return {
        **source, **original, **{key: value for key, value in prefixed.items() if value is not None},
        "@timestamp": at, "event.kind": "signal", "kibana.space_ids": [space], "kibana.version": version,
        "kibana.alert.uuid": name, "kibana.alert.status": "active", "kibana.alert.workflow_status": "open",
        "kibana.alert.workflow_tags": [], "kibana.alert.workflow_assignee_ids": [], "kibana.alert.depth": 1,
        "kibana.alert.ancestors": [{"id": hit["_id"], "type": "event", "index": hit["_index"], "depth": 0}],
        "kibana.alert.original_time": hit["_source"].get("@timestamp"), "kibana.alert.severity": severity,
        "kibana.alert.risk_score": rule["risk_score"] if score is None else score,
        "kibana.alert.reason": f"event created {severity} alert {rule['name']}.",
        "kibana.alert.rule.uuid": rule["id"], "kibana.alert.rule.parameters": parameters,
        "kibana.alert.rule.consumer": "siem", "kibana.alert.rule.producer": "siem",
        "kibana.alert.rule.category": "ES|QL Rule", "kibana.alert.rule.rule_type_id": "siem.esqlRule",
        "kibana.alert.rule.execution.uuid": str(uuid.uuid4()), "kibana.alert.rule.execution.type": "scheduled",
        "kibana.alert.intended_timestamp": at, "kibana.alert.start": at, "kibana.alert.last_detected": at,
    }  # fmt: skip


def _flat(value: Any, prefix: str = "") -> List[Tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(prefix[:-1], value)] if prefix else []
    return [pair for key, inner in value.items() for pair in _flat(inner, f"{prefix}{key}.")]


def _new(server: Server, docs: Dict[str, Row], space: str) -> Dict[str, Row]:
    """Those whose id the alerts index does not hold."""
    body = {"query": {"ids": {"values": list(docs)}}, "size": max(1, len(docs)), "_source": False}
    held = {hit["_id"] for hit in server.call("POST", f"/{alerts_index(space)}/_search", body)["hits"]["hits"]}
    return {name: doc for name, doc in docs.items() if name not in held}


def _suppresses(kibana: SmallKibana, rule: Row) -> bool:
    return bool(rule.get("alert_suppression")) and LICENCES.index(kibana.licence) >= LICENCES.index("platinum")


def _suppressed(server: Server, docs: Dict[str, Row], rule: Row, space: str, now: datetime) -> Dict[str, Row]:
    """One alert for each group within the duration; the others count in it. A closed alert takes no more."""
    by, lasts = rule["alert_suppression"]["group_by"], rule["alert_suppression"]["duration"]
    since = now - timedelta(seconds=seconds(f"{lasts['value']}{lasts['unit']}"))
    fresh: Dict[str, Row] = {}
    for name, doc in docs.items():
        terms = [{"field": field, "value": doc.get(field)} for field in by]
        if any(term["value"] is None for term in terms):
            fresh[name] = doc
            continue
        group = hashlib.sha256(json.dumps([terms, space, rule["id"]]).encode()).hexdigest()[:40]
        same = next((one for one in fresh.values() if one.get("kibana.alert.instance.id") == group), None)
        if same is not None:
            same["kibana.alert.suppression.docs_count"] += 1
            continue
        filters: List[Row] = [
            {"term": {"kibana.alert.instance.id": group}},
            {"range": {"kibana.alert.suppression.end": {"gte": stamp(since)}}},
        ]
        body = {"query": {"bool": {"filter": filters, "must_not": {"term": {"kibana.alert.workflow_status": "closed"}}}}}
        held = server.call("POST", f"/{alerts_index(space)}/_search", body)["hits"]["hits"]
        if held:
            count = held[0]["_source"]["kibana.alert.suppression.docs_count"] + 1
            change = {"kibana.alert.suppression.docs_count": count, "kibana.alert.suppression.end": stamp(now)}
            path = f"/{held[0]['_index']}/_update/{held[0]['_id']}"
            server.call("POST", path, {"doc": change}, query={"refresh": "true"})
            continue
        fresh[name] = {
            **doc, "kibana.alert.instance.id": group, "kibana.alert.suppression.terms": terms,
            "kibana.alert.suppression.start": stamp(now), "kibana.alert.suppression.end": stamp(now),
            "kibana.alert.suppression.docs_count": 0,
        }  # fmt: skip
    return fresh


def _write(server: Server, docs: Mapping[str, Row], space: str) -> List[str]:
    server.bulk((alerts_index(space), name, doc) for name, doc in docs.items())
    return list(docs)


def alerts(server: Server, space: str) -> List[Row]:
    """Every alert of a space, its `_source`, the oldest first."""
    body = {"size": 1000, "sort": [{"@timestamp": "asc"}, {"kibana.alert.uuid": "asc"}]}
    return [hit["_source"] for hit in server.call("POST", f"/{alerts_index(space)}/_search", body)["hits"]["hits"]]
