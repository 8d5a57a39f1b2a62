"""Events sent for indexing.

Source: Splunk REST API Reference, "receivers/simple" and "receivers/stream" (metadata as query arguments, raw text as the
body; capability edit_tcp, as authorize.conf.spec says of it); "data/indexes".
"""

from __future__ import annotations

from tests.splunkd.answer import Answer, Entry, Refuse, Request, need, no_argument, not_found
from tests.splunkd.deployment import Deployment, Event


def _receive(deployment: Deployment, request: Request) -> Answer:
    need(request.user, "edit_tcp")
    for name in request.arguments:
        if name not in ("index", "source", "sourcetype", "host", "host_regex", "host_segment"):
            raise no_argument(name)
    index = request.one("index", "main")
    if index not in deployment.indexes:
        raise Refuse(400, f"supplied index '{index}' missing")
    text = request.body.decode("utf-8")
    if not text.strip():
        raise Refuse(400, "No data.")
    meta = (index, request.one("sourcetype"), request.one("source"), request.one("host", "sh1"))
    # A body of receivers/simple is one event, as splunklib's Index.submit sends it; a stream is broken into lines.
    events = [text.strip()] if request.path[1] == "simple" else [line for line in text.splitlines() if line.strip()]
    deployment.events.extend(Event(*meta, event) for event in events)
    if request.path[1] == "stream":
        return Answer(204, body=b"")
    return Answer(body=b'<?xml version="1.0" encoding="UTF-8"?><response><results/></response>')


def _indexes(deployment: Deployment, request: Request) -> Answer:
    return Answer(entries=[_entry(name) for name in deployment.indexes], title="indexes")


def _index(deployment: Deployment, request: Request) -> Answer:
    if request.path[2] not in deployment.indexes:
        raise not_found(request.path[2])
    return Answer(entries=[_entry(request.path[2])], title="indexes")


def _entry(name: str) -> Entry:
    return Entry(name, {"disabled": False, "totalEventCount": "0"}, f"/services/data/indexes/{name}", "system")


ROUTES = (
    ("POST", ("receivers", "simple"), _receive),
    ("POST", ("receivers", "stream"), _receive),
    ("GET", ("data", "indexes"), _indexes),
    ("GET", ("data", "indexes", "*"), _index),
)
