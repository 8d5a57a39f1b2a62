"""The API key: Kibana runs a rule with the key that last imported or edited it, and stops when that key ends.

Elastic, "Security detections API": if the API key that created a rule is deleted, the rule stops running. Only the key
that asks can be looked at: ask with the one that imports.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Iterator

from responders.content.elastic.server import ElasticError
from responders.elastic.doctor.finding import ERROR, OK, WARNING, Finding, Scene

_SOON = timedelta(days=14)


def check(scene: Scene) -> Iterator[Finding]:
    try:
        who = scene.server.call("GET", "/_security/_authenticate")
    except ElasticError as error:
        if error.status in (400, 404, 405):  # a server without security has no such endpoint
            return
        raise
    held = who.get("api_key") or {}
    if not held.get("id"):
        return
    query = {"id": str(held["id"]), "owner": "true"}
    found = (scene.server.call("GET", "/_security/api_key", query=query).get("api_keys") or [{}])[0]
    name, ends = str(found.get("name", held["id"])), found.get("expiration")
    if not ends:
        yield Finding(OK, "key", name, "does not end")
        return
    at = datetime.fromtimestamp(ends / 1000, timezone.utc)
    what = f"ends at {at:%Y-%m-%d %H:%M}Z; rules that were imported with it stop then"
    remedy = "make one without an end, for rules alone, and import with it; see elastic_rules/README.md"
    level = ERROR if at <= scene.now else WARNING if at - scene.now < _SOON else OK
    yield Finding(level, "key", name, what, "" if level == OK else remedy)
