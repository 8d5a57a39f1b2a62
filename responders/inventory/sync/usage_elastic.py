"""Asks an Elasticsearch who uses what, a day at a time, over the data streams that the rules read.

Least rights: read on `logs-*` and `tourniquet-schema`. A day is always asked for from its beginning, so that what is counted
of it only grows.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping

from responders.content.elastic.query import in_namespace
from responders.content.elastic.server import Server
from responders.content.usage import ACCOUNTS, Question
from responders.inventory.sync.usage import DAY, Usage, usage_of


def from_elastic(server: Server, question: Question, begin: int, end: int, namespace: str = "") -> Iterator[Usage]:
    """What the events of the days from `begin` to `end`, both included, show. Raises ElasticError."""
    query = in_namespace(question.elastic, namespace) if namespace else question.elastic
    for day in range(begin, end + 1):
        between = {"gte": day * DAY * 1000, "lt": (day + 1) * DAY * 1000, "format": "epoch_millis"}
        after = ""
        while True:
            rows = server.esql(query, {"range": {"@timestamp": between}}, [{"after": after}])
            for row in rows:
                yield from _uses(row, day)
            if len(rows) < ACCOUNTS:
                break
            after = str(rows[-1]["tq_account"])


def _uses(row: Mapping[str, Any], day: int) -> Iterator[Usage]:
    found = row.get("tq_uses", [])
    texts: List[str] = [found] if isinstance(found, str) else found
    for text in texts:
        parts = text.split("\t", 4)
        if len(parts) != 5:
            continue
        names = ("tq_count", "tq_first", "tq_last", "tq_what", "tq_object")
        values: Dict[str, Any] = {**dict(zip(names, parts)), "tq_account": row["tq_account"]}
        values.update({name: _seconds(values[name]) for name in ("tq_first", "tq_last")})
        use = usage_of(values)
        if use is not None and use.day == day:
            yield use


def _seconds(millis: str) -> float:
    return int(millis) / 1000 if millis.isdigit() else -1.0
