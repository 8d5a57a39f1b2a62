"""Makes what the rules need in Elasticsearch, from the requests of indices.json; what is there is never replaced."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.content.elastic.server import ElasticError, Server
from responders.errors import BadInput

_NAMED = re.compile(r"/(_index_template|_component_template|_ilm/policy|_ingest/pipeline|_data_stream)/[A-Za-z0-9._@-]+\Z")
_INDEX = re.compile(r"/[a-z0-9.][a-z0-9._-]*\Z")


@dataclass(frozen=True)
class Made:
    """What became of one request: made, extended or there; `differs` says where what is there is not as we need it."""

    path: str
    what: str
    differs: Tuple[str, ...] = ()

    @property
    def breaks_rules(self) -> bool:
        """An index that differs fails every rule that reads it; a template or policy may be the customer's own."""
        return bool(self.differs) and not _NAMED.match(self.path)


def read_requests(text: str, place: str) -> Tuple[Mapping[str, Any], ...]:
    """The requests of indices.json. Raises BadInput."""
    try:
        found = json.loads(text)["requests"]
        for request in found:
            if request["method"] != "PUT" or not (_NAMED.match(request["path"]) or _INDEX.match(request["path"])):
                raise ValueError(request["path"])
    except (ValueError, KeyError, TypeError) as error:
        remedy = "take the file that `tourniquet detections build` made"
        raise BadInput(f"is no list of index requests ({error})", place=place, remedy=remedy) from None
    return tuple(found)


def ensure(server: Server, requests: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> List[Made]:
    """Send what is not there yet, in order. Fields that a mapping lacks are added; a field of another type is told.

    Raises ElasticError.
    """
    return [_ensure(server, request["path"], request.get("body") or {}, dry_run) for request in requests]


def _ensure(server: Server, path: str, body: Mapping[str, Any], dry_run: bool) -> Made:
    if not _NAMED.match(path):
        return _index(server, path, body, dry_run)
    there = _get(server, path)
    if there is None:
        if not dry_run:
            server.call("PUT", path, body or None)
        return Made(path, "made")
    return Made(path, "there", tuple(_lacking(_held(path, there), body, "")))


def _index(server: Server, path: str, body: Mapping[str, Any], dry_run: bool) -> Made:
    """An index, or an alias that leads to another one: then the request must not make a second index behind it."""
    aliases = list(body.get("aliases") or ())
    there = next((found for name in [*aliases, path[1:]] for found in [_get(server, f"/{name}")] if found is not None), None)
    if there is None:
        if not dry_run:
            server.call("PUT", path, body)
        return Made(path, "made")
    name, held = next(iter(there.items()))
    wanted = dict(_leaves((body.get("mappings") or {}).get("properties") or {}))
    has = dict(_leaves((held.get("mappings") or {}).get("properties") or {}))
    differs = [f"{field} is {has[field]}, not {kind}" for field, kind in wanted.items() if has.get(field, kind) != kind]
    differs += [f"{len(there)} indices behind {aliases[0]}"] if aliases and len(there) > 1 else []
    mode = ((body.get("settings") or {}).get("index.mode")) or "standard"
    is_mode = (((held.get("settings") or {}).get("index") or {}).get("mode")) or "standard"
    if mode != is_mode:
        differs.append(f"index.mode is {is_mode}, not {mode}")
    lacking = sorted(set(wanted) - set(has))
    if lacking and not differs:
        if not dry_run:
            server.call("PUT", f"/{name}/_mapping", {"properties": body["mappings"]["properties"]})
        return Made(f"/{name}", f"extended by {len(lacking)} fields")
    return Made(f"/{name}", "there", tuple(differs))


def _get(server: Server, path: str) -> Optional[Dict[str, Any]]:
    try:
        found: Dict[str, Any] = server.call("GET", path)
    except ElasticError as error:
        if error.status == 404:
            return None
        raise
    return found


def _held(path: str, answer: Mapping[str, Any]) -> Any:
    """Of an answer the part that a request's body stands for."""
    for key, inner in (("index_templates", "index_template"), ("component_templates", "component_template")):
        if key in answer:
            return answer[key][0][inner]
    return answer.get(path.rpartition("/")[2], answer)


def _lacking(there: Any, wanted: Any, place: str) -> Iterator[str]:
    """Where what is there lacks or contradicts what is wanted; Elasticsearch gives settings as texts, nested by dots."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            inner = _inner(there, key)
            yield from _lacking(inner, value, f"{place}.{key}" if place else key)
    elif isinstance(wanted, list):
        if there != wanted:
            yield f"{place} is {json.dumps(there)[:80]}, not {json.dumps(wanted)[:80]}"
    elif there is None or _text(there) != _text(wanted):
        yield f"{place} is {'absent' if there is None else _text(there)[:80]}, not {_text(wanted)[:80]}"


def _inner(there: Any, key: str) -> Any:
    if not isinstance(there, dict):
        return None
    if key in there:
        return there[key]
    for start in ("index", *([key.partition(".")[0]] if "." in key else [])):
        if isinstance(there.get(start), dict):
            rest = key.partition(".")[2] if start != "index" or key.startswith("index.") else key
            found = _inner(there[start], rest)
            if found is not None:
                return found
    return None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _leaves(properties: Mapping[str, Any], prefix: str = "") -> Iterator[Tuple[str, str]]:
    """Fields of a mapping with their types."""
    for name, about in properties.items():
        if "type" in about:
            yield prefix + name, str(about["type"])
        yield from _leaves(about.get("properties") or {}, f"{prefix}{name}.")
