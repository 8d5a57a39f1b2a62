"""What the responder itself keeps in Elasticsearch, as requests that make it (responders/journal/elasticsearch.py)."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from responders.content.elastic.mappings import fields, mapping

JOURNAL = "tourniquet-journal-1"
"""The default index of the journal. A new key begins a new journal: tourniquet-journal-2, by the same template."""
IDENTITIES = "tourniquet-identities"

_UNREAD: Dict[str, Any] = {"type": "object", "enabled": False}
"""Kept as it came, neither indexed nor parsed."""

_KEPT = "365d"
"""How long data streams are kept, by Elasticsearch's data stream lifecycle; the journal itself is never deleted."""
_CUSTOM = "logs-tourniquet@custom"
"""A component template of the customer's own, if there is one: an ILM policy or other settings for these data streams."""
_COMMON = dict.fromkeys(
    ("data_stream.namespace", "data_stream.type", "ecs.version", "event.action", "event.dataset", "event.id", "event.kind",
     "event.module"), "keyword",
)  # fmt: skip
_TOLD: Mapping[str, Mapping[str, str]] = {
    "logs-tourniquet.signals": _COMMON,
    "logs-tourniquet.journal": {
        **_COMMON,
        **dict.fromkeys(
            ("tourniquet.entry.kind", "tourniquet.entry.mac", "tourniquet.tier", "tourniquet.tq_detection"), "keyword",
        ),
        "tourniquet.entry.seq": "long",
        "tourniquet.tq_confidence": "long",
    },
}  # fmt: skip
"""Fields that responders/elastic/telling.py writes beside those that rules read: for dashboards and people."""


def stream_template(name: str) -> Dict[str, Any]:
    """The index template of one of our data streams."""
    found = mapping({**fields()[name], **_TOLD.get(name, {})})
    if name == "logs-tourniquet.journal":
        found["properties"]["tourniquet"]["properties"]["entry"]["properties"]["body"] = _UNREAD
    template = {"mappings": {**found, "dynamic": False}, "lifecycle": {"data_retention": _KEPT}}
    return {
        "index_patterns": [f"{name}-*"], "data_stream": {}, "priority": 300, "template": template,
        "composed_of": [_CUSTOM], "ignore_missing_component_templates": [_CUSTOM],
    }  # fmt: skip


def journal_index() -> Dict[str, Any]:
    """A journal: written once, fsynced before each answer, on two nodes where there are two (one replica is the default)."""
    return {
        "settings": {
            "number_of_shards": 1,
            "hidden": True,
            "refresh_interval": "30s",
            "translog.durability": "request",
        },
        "mappings": {
            "dynamic": "strict",
            "properties": {"key": {"type": "keyword"}, "doc": _UNREAD, "mark": _UNREAD},
        },
    }


def identities_index() -> Dict[str, Any]:
    """Identities: the keys of each, and the identity whole."""
    return {
        "settings": {"number_of_shards": 1, "hidden": True},
        "mappings": {
            "dynamic": "strict",
            "properties": {"keys": {"type": "keyword"}, "identity": _UNREAD, "about": _UNREAD},
        },
    }


def store_requests() -> List[Dict[str, Any]]:
    """Requests in order: method, path, body."""
    requests = [
        {"method": "PUT", "path": f"/_index_template/{stream}", "body": stream_template(stream)}
        for stream in fields()
        if stream.startswith("logs-tourniquet.")
    ]
    for name, pattern, template in (
        ("tourniquet-journal", "tourniquet-journal-*", journal_index()),
        ("tourniquet-identities", "tourniquet-identities-*", identities_index()),
    ):
        body = {"index_patterns": [pattern], "priority": 300, "template": template}
        requests.append({"method": "PUT", "path": f"/_index_template/{name}", "body": body})
    requests.append({"method": "PUT", "path": f"/{JOURNAL}", "body": journal_index()})
    requests.append(
        {"method": "PUT", "path": f"/{IDENTITIES}-1", "body": {**identities_index(), "aliases": {IDENTITIES: {}}}}
    )
    return requests
