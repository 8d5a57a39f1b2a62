"""Rows of alerts as the SIEMs export them, in whatever they are wrapped."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping


def rows_of(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The alerts of one JSON object: itself, Splunk's `result` or `results`, Elasticsearch's `_source` or `hits.hits`."""
    inner = value.get("hits")
    items = inner.get("hits") if isinstance(inner, Mapping) else value.get("results")
    if "tq_detection" not in value and isinstance(items, list):
        for item in items:
            yield _row(item) if isinstance(item, Mapping) else {"unreadable": str(item)[:200], "why": "is no JSON object"}
        return
    yield _row(value)


def _row(value: Mapping[str, Any]) -> Dict[str, Any]:
    for name in ("result", "_source"):
        inner = value.get(name)
        if "tq_detection" not in value and isinstance(inner, Mapping):
            value = inner
    # Splunk names the values of a JSON list NAME{} (props.conf, KV_MODE = json); Kibana may nest what it dots elsewhere.
    found = {str(name)[:-2] if str(name).endswith("{}") else str(name): item for name, item in value.items()}
    alert = found.get("kibana")
    alert = alert.get("alert") if isinstance(alert, Mapping) else None
    if isinstance(alert, Mapping):
        for name in ("workflow_status", "workflow_reason", "workflow_tags"):
            found.setdefault(f"kibana.alert.{name}", alert.get(name))
    return found
