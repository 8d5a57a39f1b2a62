"""Fields from JSON: automatic extraction, and the paths of `spath` and `json_extract`.

Follows Knowledge Manager Manual, "Automatic key-value field extraction", Search Reference, "spath", limits.conf.spec
([kv] maxchars = 10240, [spath] extraction_cutoff = 5000) and props.conf.spec (KV_MODE = json). Every extracted value
is text, as it stands in the event: 1.50 stays "1.50", true is "true", null is "null".
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Optional, Tuple

from responders.content.spl.values import Value, multivalue

AUTOMATIC_LIMIT = 10_240
SPATH_LIMIT = 5_000
_TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+)')


class Digits(str):
    """A JSON number as it is written in the event."""


_DECODER = json.JSONDecoder(parse_int=Digits, parse_float=Digits, parse_constant=Digits, strict=False)


def load(written: str) -> Any:
    """The JSON document with numbers as their text, or None when it is not JSON."""
    try:
        return _DECODER.decode(written)
    except (ValueError, RecursionError):
        return None


def fields(raw: str, limit: int = AUTOMATIC_LIMIT) -> Dict[str, Value]:
    """The fields that stand within the first `limit` characters of a JSON event; none when it is not JSON."""
    start = raw[:64].lstrip()[:1]
    if start not in ("{", "["):
        return {}
    document = load(raw if len(raw) <= limit else _closed(raw[:limit]))
    found: Dict[str, List[str]] = {}
    try:
        _flatten(document, "{}" if isinstance(document, list) else "", found)
    except RecursionError:
        return {}
    return {name: values[0] if len(values) == 1 else list(values) for name, values in found.items()}


def _flatten(value: Any, name: str, found: Dict[str, List[str]]) -> None:
    if type(value) is dict:
        for key, item in value.items():
            path = f"{name}.{key}" if name else key
            if type(item) is str:
                found.setdefault(path, []).append(item)
            elif type(item) is list:
                for member in item:
                    _flatten(member, path + "{}", found)
            else:
                _flatten(item, path, found)
    elif type(value) is list:
        # The members of a list at the top are named `{}`, those of a list in a list `name{}{}`.
        for member in value:
            _flatten(member, name if name == "{}" else name + "{}", found)
    elif name:
        found.setdefault(name, []).append(scalar(value))


def scalar(value: Any) -> str:
    """A JSON value as the text of a field; objects and lists as JSON."""
    if isinstance(value, str):
        return str(value)
    if value is True or value is False:
        return "true" if value else "false"
    return "null" if value is None else dump(value)


def dump(value: Any) -> str:
    """JSON text without blanks, as Splunk's JSON functions write it."""
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(str(key), ensure_ascii=False)}:{dump(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _closed(cut: str) -> str:
    """A JSON text that was cut off, ended after its last whole value."""
    closers: List[str] = []
    safe, safe_closers = 0, ""
    found = _TOKEN.match(cut)
    while found is not None:
        token = found.group(1)
        if token in "{[":
            closers.append("}" if token == "{" else "]")
            safe, safe_closers = found.end(), "".join(reversed(closers))
        elif token in "}]":
            if closers:
                closers.pop()
            safe, safe_closers = found.end(), "".join(reversed(closers))
        elif token == ",":
            safe, safe_closers = found.start(1), "".join(reversed(closers))
        found = _TOKEN.match(cut, found.end())
    return cut[:safe] + safe_closers


_PATH = re.compile(r"([^.{}]+)|\{(\d*)\}|\.")


def path(written: str) -> Optional[List[Tuple[str, Any]]]:
    """The steps of `a.b{}.c{0}`: ("key", name), ("each", None) or ("at", index). None when it can't be read."""
    steps: List[Tuple[str, Any]] = []
    position = 0
    for found in _PATH.finditer(written):
        if found.start() != position:
            return None
        position = found.end()
        if found.group(1):
            steps.append(("key", found.group(1)))
        elif found.group(2) is not None:
            steps.append(("at", int(found.group(2))) if found.group(2) else ("each", None))
    return steps if steps and position == len(written) else None


def follow(document: Any, steps: List[Tuple[str, Any]]) -> List[Any]:
    """The values at a path, in the order of the document."""
    here = [document]
    for kind, which in steps:
        following: List[Any] = []
        for value in here:
            if kind == "key" and isinstance(value, dict) and which in value:
                following.append(value[which])
            elif kind == "each" and isinstance(value, list):
                following.extend(value)
            elif kind == "at" and isinstance(value, list) and which < len(value):
                following.append(value[which])
        here = following
    return here


def at_path(raw: str, steps: List[Tuple[str, Any]]) -> Value:
    """What `spath path=` finds, over the whole text."""
    return multivalue(scalar(value) for value in follow(load(raw), steps))
