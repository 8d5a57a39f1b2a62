"""What the responder itself keeps in Elasticsearch, as requests that make it (responders/journal/elasticsearch.py)."""

from __future__ import annotations

from typing import Any, Dict, List

JOURNAL = "tourniquet-journal-1"
"""The default index of the journal. A new key begins a new journal: tourniquet-journal-2, by the same template."""
IDENTITIES = "tourniquet-identities"

_UNREAD: Dict[str, Any] = {"type": "object", "enabled": False}
"""Kept as it came, neither indexed nor parsed."""


def journal_index() -> Dict[str, Any]:
    """A journal: written once, fsynced before each answer, on two nodes where there are two."""
    return {
        "settings": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
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
        "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True},
        "mappings": {
            "dynamic": "strict",
            "properties": {"keys": {"type": "keyword"}, "identity": _UNREAD, "about": _UNREAD},
        },
    }


def store_requests() -> List[Dict[str, Any]]:
    """Requests in order: method, path, body."""
    requests: List[Dict[str, Any]] = []
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
