"""The OData basics the actions use: $select, $filter, $top, @odata.nextLink. Anything else is refused.

Source: Microsoft Graph, "Use query parameters", "Paging Microsoft Graph data".
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple
from urllib.parse import quote

from responders.drill.simulators.graph.core import GraphCore
from responders.drill.simulators.server import Answer, Request

_CLAUSE = re.compile(r"\A\s*(\w+) (eq|ne|ge|gt|le|lt) ('(?:[^']|'')*'|true|false|null|[0-9TZ:.+-]+)\s*\Z")
_KNOWN = ("$select", "$filter", "$top", "$skiptoken", "$count", "$expand")
_COMPARE: Dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "ge": lambda a, b: a >= b, "gt": lambda a, b: a > b,
    "le": lambda a, b: a <= b, "lt": lambda a, b: a < b,
}  # fmt: skip


def shown(graph: GraphCore, request: Request, item: Mapping[str, Any], default: Sequence[str]) -> Dict[str, Any]:
    """One object with the selected properties; `item` holds all there are, `default` is what comes unasked."""
    wanted = request.query.get("$select", "")
    names = [name.strip() for name in wanted.split(",")] if wanted else list(default)
    for name in names:
        if name not in item:
            raise graph.refuse(400, f"Could not find a property named '{name}'.", "BadRequest")
    kept = {name: item[name] for name in names}
    if "@odata.type" in item:
        kept["@odata.type"] = item["@odata.type"]
    return {"id": item["id"], **kept} if "id" in item else kept


def one(graph: GraphCore, request: Request, item: Mapping[str, Any], default: Sequence[str] = ()) -> Answer:
    """The answer to a GET of one object."""
    _check(graph, request, ("$select", "$expand"))
    return Answer(200, {"@odata.context": f"{graph.url}/$metadata", **shown(graph, request, item, default or list(item))})


def many(
    graph: GraphCore, request: Request, items: Sequence[Mapping[str, Any]], default: Sequence[str] = ()
) -> Answer:
    """The answer to a GET of a collection: filtered, cut into pages, each with the link to the next."""
    _check(graph, request, _KNOWN)
    tests = _clauses(graph, request.query.get("$filter", ""))
    kept: List[Mapping[str, Any]] = []
    for item in items:
        for name, _, _ in tests:
            if name not in item:
                raise graph.refuse(400, f"Invalid filter clause: no property '{name}'.")
        if all(_holds(item[name], verb, value) for name, verb, value in tests):
            kept.append(item)
    size, start = _number(graph, request, "$top", 100, 999), _number(graph, request, "$skiptoken", 0, 10**9)
    page = [shown(graph, request, item, default or list(item)) for item in kept[start : start + size]]
    body: Dict[str, Any] = {"@odata.context": f"{graph.url}/$metadata", "value": page}
    if request.query.get("$count") == "true":
        body["@odata.count"] = len(kept)
    if start + size < len(kept):
        query = {**request.query, "$skiptoken": str(start + size)}
        text = "&".join(f"{key}={quote(value, safe='')}" for key, value in sorted(query.items()))
        body["@odata.nextLink"] = f"{graph.login}{request.path}?{text}"
    return Answer(200, body)


def _check(graph: GraphCore, request: Request, known: Sequence[str]) -> None:
    for name in request.query:
        if name not in known:
            raise graph.refuse(400, f"The query parameter '{name}' is not supported here.", "BadRequest")


def _number(graph: GraphCore, request: Request, name: str, usual: int, most: int) -> int:
    text = request.query.get(name, str(usual))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most or (name == "$top" and int(text) < 1):
        raise graph.refuse(400, f"Invalid value '{text}' for {name}.", "BadRequest")
    return int(text)


def _clauses(graph: GraphCore, text: str) -> List[Tuple[str, str, Any]]:
    found: List[Tuple[str, str, Any]] = []
    for part in text.split(" and ") if text else ():
        match = _CLAUSE.match(part)
        if match is None:
            raise graph.refuse(400, "Invalid filter clause", "BadRequest")
        name, verb, raw = match.groups()
        value: Any = {"true": True, "false": False, "null": None}.get(raw, raw)
        if raw.startswith("'"):
            value = raw[1:-1].replace("''", "'")
        found.append((name, verb, value))
    return found


def _holds(value: Any, verb: str, wanted: Any) -> bool:
    try:
        return _COMPARE[verb](value, wanted)
    except TypeError:
        return False
