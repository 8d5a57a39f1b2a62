"""Versions and health of Elasticsearch (its oldest node counts) and Kibana."""

from __future__ import annotations

from typing import Iterator, Tuple

from responders.elastic.doctor.finding import ERROR, OK, WARNING, Finding, Scene

_LEAST = (8, 19)
"""LOOKUP JOIN, which every rule uses, is generally available from 8.19 and 9.1 on (Elastic, "LOOKUP JOIN")."""
_LEAST_9 = (9, 1)


def check(scene: Scene) -> Iterator[Finding]:
    nodes = scene.server.call("GET", "/_nodes/_all/none").get("nodes") or {}
    oldest = min((str(node.get("version", "")) for node in nodes.values()), key=parsed, default="")
    yield _judged("Elasticsearch", oldest)
    health = str(scene.server.call("GET", "/_cluster/health").get("status"))
    if health == "red":
        yield Finding(ERROR, "version", "Elasticsearch", "the cluster is red: searches fail or miss events", "see its log")
    status = scene.kibana.status()
    yield _judged("Kibana", str((status.get("version") or {}).get("number", "")))
    level = str(((status.get("status") or {}).get("overall") or {}).get("level", "unknown"))
    if level != "available":
        yield Finding(ERROR, "version", "Kibana", f"is {level}: rules may not run", "see its log and /api/status")


def _judged(name: str, number: str) -> Finding:
    if not number:
        return Finding(WARNING, "version", name, "does not tell its version", "give the API key the right to read it")
    least = _LEAST_9 if number.startswith("9.") else _LEAST
    if parsed(number)[:2] < least:
        what = f"is {number}: rules need {'.'.join(map(str, least))} (LOOKUP JOIN)"
        return Finding(ERROR, "version", name, what, "upgrade it")
    return Finding(OK, "version", name, f"is {number}")


def parsed(number: str) -> Tuple[int, ...]:
    """`8.19.2-SNAPSHOT` → (8, 19, 2). What is no number counts as 0."""
    parts = number.partition("-")[0].partition("+")[0].split(".")
    return tuple(int(part) if part.isdigit() else 0 for part in (*parts, "0", "0"))[:3]
