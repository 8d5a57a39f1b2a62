"""KV store collections.

Sources: Splunk REST API Reference, "KV store endpoint descriptions" (data: query, fields, sort, limit, skip, batch_find,
batch_save); limits.conf.spec [kvstore] (the limits below, and 1,000 documents for batch_save as it was before 9);
409 `A document with the same key and user already exists.` as in OpenCTI-Platform/splunk-add-on#20, by a unique index
over user and key; 503 `KV Store is initializing. Please try again later.` as wazuh-splunk handles it.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, Dict, List, Mapping, Optional, Tuple

from tests.splunkd.answer import Answer, Entry, Refuse, Request, need, no_argument, not_found
from tests.splunkd.deployment import Deployment, Version

MAX_ROWS = 50_000
MAX_BATCH = 1_000
MAX_QUERIES = 1_000
MAX_RESULT = 50 * 1024 * 1024
MAX_DOCUMENT = 16 * 1024 * 1024
"""MongoDB's, which the KV store is."""

_COMPARE = ("$gt", "$gte", "$lt", "$lte", "$ne", "$eq")


def ready(deployment: Deployment, *, write: bool = False) -> None:
    """503 while the KV store can't serve this."""
    if deployment.kvstore == "starting":
        raise Refuse(503, "KV Store is initializing. Please try again later.")
    if deployment.kvstore == "failed":
        raise Refuse(503, "KV Store initialization failed. Please contact your system administrator.")
    if write and deployment.kvstore == "readonly":
        raise Refuse(503, "KV Store is in read-only mode.")


def _collection(deployment: Deployment, request: Request, name: str, *, write: bool = False) -> Dict[str, List[Version]]:
    if (request.app, name) not in deployment.collections:
        raise not_found(name)
    if not deployment.may(request.user, "write" if write else "read", f"collections/{name}"):
        raise Refuse(403, "You do not have permission to perform this operation.")
    if request.owner == "-":
        raise Refuse(400, "Wildcards are not allowed in the namespace.")
    return deployment.documents.setdefault((request.app, request.owner, name), {})


def _seen(versions: List[Version], until: float) -> Optional[Mapping[str, Any]]:
    """The document as a member sees it that knows what was written until then."""
    return next((version.doc for version in reversed(versions) if version.at <= until), None)


def _query(deployment: Deployment, request: Request) -> Answer:
    ready(deployment)
    return Answer(body=_find(deployment, request, request.path[3], request.arguments))


def _find(deployment: Deployment, request: Request, name: str, given: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    for argument in given:
        if argument not in ("query", "fields", "sort", "limit", "skip", "shared"):
            raise no_argument(argument)
    until = deployment.clock() - request.lag
    held = _collection(deployment, request, name)
    wanted = _object(given.get("query") or {}, "query")
    _check(wanted)
    rows = [doc for versions in held.values() for doc in [_seen(versions, until)] if doc is not None]
    rows = [dict(row) for row in rows if _fits(row, wanted)]
    for field, down in reversed(_sorts(given.get("sort"))):
        rows.sort(key=lambda row: _rank(row.get(field)), reverse=down)
    skip, limit = int(given.get("skip") or 0), int(given.get("limit") or 0)
    rows = rows[skip : skip + min(limit or MAX_ROWS, MAX_ROWS)]
    size, kept = 0, []
    for row in rows:
        size += len(json.dumps(row))
        if size > MAX_RESULT:
            break
        kept.append(row)
    return [_shown(row, given.get("fields")) for row in kept]


def _shown(row: Mapping[str, Any], fields: Any) -> Mapping[str, Any]:
    if not fields:
        return row
    names = [part.partition(":") for part in str(fields).split(",")]
    left_out = {name for name, _, how in names if how == "0"}
    taken = {name for name, _, how in names if how != "0"} or set(row)
    return {key: value for key, value in row.items() if key in taken - left_out}


def _sorts(given: Any) -> List[Tuple[str, bool]]:
    if not given:
        return []
    found = []
    for part in str(given).split(","):
        field, _, way = part.partition(":")
        if way not in ("", "1", "-1"):
            raise Refuse(400, f"Invalid sort {part!r}")
        found.append((field, way == "-1"))
    return found


def _rank(value: Any) -> Tuple[int, Any]:
    """MongoDB's order of types: none, numbers, text by code point, the rest."""
    if value is None:
        return 0, 0
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return 3, json.dumps(value, sort_keys=True)
    return (2, value) if isinstance(value, str) else (1, value)


def _check(wanted: Mapping[str, Any]) -> None:
    """400 for an operator that the reference does not name."""
    for name, value in wanted.items():
        if name in ("$and", "$or"):
            for part in value:
                _check(_object(part, "query"))
        elif name.startswith("$"):
            raise Refuse(400, f"JSON in the request is invalid: unknown operator {name}")
        elif isinstance(value, dict):
            for operator in value:
                if operator.startswith("$") and operator not in _COMPARE:
                    raise Refuse(400, f"JSON in the request is invalid: unknown operator {operator}")


def _fits(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    for name, value in wanted.items():
        if name in ("$and", "$or"):
            parts = [_fits(row, part) for part in value]
            if not (all(parts) if name == "$and" else any(parts)):
                return False
        elif isinstance(value, dict) and any(key.startswith("$") for key in value):
            if not all(_compares(row.get(name), operator, other) for operator, other in value.items()):
                return False
        elif row.get(name) != value:
            return False
    return True


def _compares(have: Any, operator: str, other: Any) -> bool:
    if operator in ("$eq", "$ne"):
        return bool((have == other) == (operator == "$eq"))
    if have is None or _rank(have)[0] != _rank(other)[0]:
        return False
    return {"$gt": have > other, "$gte": have >= other, "$lt": have < other, "$lte": have <= other}[operator]  # type: ignore[no-any-return]


def _object(given: Any, what: str) -> Mapping[str, Any]:
    doc = given
    if isinstance(given, (str, bytes)):
        try:
            doc = json.loads(given)
        except ValueError:
            raise Refuse(400, f"JSON in the {what} is invalid") from None
    if not isinstance(doc, dict):
        raise Refuse(400, f"JSON in the {what} is invalid: must be an object")
    return doc


def _insert(deployment: Deployment, request: Request) -> Answer:
    ready(deployment, write=True)
    held = _collection(deployment, request, request.path[3], write=True)
    doc = _body(request)
    key = doc.get("_key") or secrets.token_hex(12)
    if not isinstance(key, str):
        raise Refuse(400, "_key must be a string")
    if held.get(key) and held[key][-1].doc is not None:
        raise Refuse(409, "A document with the same key and user already exists.")
    _write(deployment, request, held, key, doc)
    return Answer(201, body={"_key": key})


def _write(
    deployment: Deployment, request: Request, held: Dict[str, List[Version]], key: str, doc: Mapping[str, Any]
) -> None:
    if len(json.dumps(doc)) > MAX_DOCUMENT:
        raise Refuse(400, "Document exceeds the maximum size.")
    if any(name.startswith("$") or "." in name for name in doc):
        raise Refuse(400, "Field names must not start with $ or hold a dot.")
    held.setdefault(key, []).append(Version(deployment.clock(), {**doc, "_key": key, "_user": request.owner}))


def _body(request: Request) -> Mapping[str, Any]:
    if not request.json_body:
        raise Refuse(415, "Unsupported Media Type: send application/json")
    return _object(request.body, "request")


def _by_key(deployment: Deployment, request: Request) -> Answer:
    ready(deployment)
    held = _collection(deployment, request, request.path[3])
    doc = _seen(held.get(request.path[4], []), deployment.clock() - request.lag)
    if doc is None:
        raise Refuse(404, "Could not find object.")
    return Answer(body=doc)


def _replace(deployment: Deployment, request: Request) -> Answer:
    ready(deployment, write=True)
    held = _collection(deployment, request, request.path[3], write=True)
    key = request.path[4]
    if not held.get(key) or held[key][-1].doc is None:
        raise Refuse(404, "Could not find object.")
    _write(deployment, request, held, key, _body(request))
    return Answer(body={"_key": key})


def _delete(deployment: Deployment, request: Request) -> Answer:
    ready(deployment, write=True)
    held = _collection(deployment, request, request.path[3], write=True)
    if len(request.path) > 4:
        keys = [request.path[4]]
        if not held.get(keys[0]) or held[keys[0]][-1].doc is None:
            raise Refuse(404, "Could not find object.")
    else:
        wanted = _object(request.one("query") or {}, "query")
        _check(wanted)
        keys = [key for key, versions in held.items() for doc in [versions[-1].doc] if doc and _fits(doc, wanted)]
    for key in keys:
        held[key].append(Version(deployment.clock(), None))
    return Answer(body={})


def _batch_save(deployment: Deployment, request: Request) -> Answer:
    """Inserts or replaces: whoever must not overwrite can't use it."""
    ready(deployment, write=True)
    held = _collection(deployment, request, request.path[3], write=True)
    docs = _list(request)
    if len(docs) > MAX_BATCH:
        raise Refuse(400, f"Request exceeds API limits - see limits.conf for details. (Too many documents, max={MAX_BATCH})")
    keys = [str(doc.get("_key") or secrets.token_hex(12)) for doc in docs]
    for key, doc in zip(keys, docs):
        _write(deployment, request, held, key, doc)
    return Answer(body=keys)


def _batch_find(deployment: Deployment, request: Request) -> Answer:
    ready(deployment)
    queries = _list(request)
    if len(queries) > MAX_QUERIES:
        raise Refuse(400, "Request exceeds API limits - see limits.conf for details.")
    return Answer(body=[_find(deployment, request, request.path[3], query) for query in queries])


def _list(request: Request) -> List[Mapping[str, Any]]:
    if not request.json_body:
        raise Refuse(415, "Unsupported Media Type: send application/json")
    try:
        docs = json.loads(request.body)
    except ValueError:
        raise Refuse(400, "JSON in the request is invalid") from None
    if not isinstance(docs, list) or not all(isinstance(doc, dict) for doc in docs):
        raise Refuse(400, "JSON in the request is invalid: must be a list of objects")
    return docs


# -- config -------------------------------------------------------------------------------------------


def _configs(deployment: Deployment, request: Request) -> Answer:
    ready(deployment)
    return Answer(entries=[_config(app, name, fields) for (app, name), fields in deployment.collections.items()
                           if request.app in ("-", app)], title="collections-conf")  # fmt: skip


def _config(app: str, name: str, fields: Mapping[str, str]) -> Entry:
    return Entry(name, {"disabled": False, **fields}, f"/servicesNS/nobody/{app}/storage/collections/config/{name}", app)


def _config_one(deployment: Deployment, request: Request) -> Answer:
    ready(deployment)
    name = request.path[3]
    fields = deployment.collections.get((request.app, name))
    if fields is None:
        raise not_found(name)
    return Answer(entries=[_config(request.app, name, fields)], title="collections-conf")


def _config_new(deployment: Deployment, request: Request) -> Answer:
    ready(deployment, write=True)
    need(request.user, "edit_kvstore", "kvstore_admin")
    fields = request.arguments
    name = fields.pop("name")
    if (request.app, name) in deployment.collections:
        raise Refuse(409, f"An object with name={name} already exists")
    for field in fields:
        if not field.startswith(("field.", "accelerated_fields.")) and field not in (
            "enforceTypes",
            "replicate",
            "profilingEnabled",
        ):
            raise no_argument(field)
    deployment.collections[request.app, name] = fields
    return Answer(201, [_config(request.app, name, fields)], title="collections-conf")


_DATA = ("storage", "collections", "data")
_CONFIG = ("storage", "collections", "config")
ROUTES = (
    ("POST", (*_DATA, "*", "batch_save"), _batch_save),
    ("POST", (*_DATA, "*", "batch_find"), _batch_find),
    ("GET", (*_DATA, "*"), _query),
    ("POST", (*_DATA, "*"), _insert),
    ("DELETE", (*_DATA, "*"), _delete),
    ("GET", (*_DATA, "*", "*"), _by_key),
    ("POST", (*_DATA, "*", "*"), _replace),
    ("DELETE", (*_DATA, "*", "*"), _delete),
    ("GET", _CONFIG, _configs),
    ("POST", _CONFIG, _config_new),
    ("GET", (*_CONFIG, "*"), _config_one),
)
