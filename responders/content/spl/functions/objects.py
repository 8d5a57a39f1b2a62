"""Search Reference, "JSON functions", and the eval function `spath()`."""

from __future__ import annotations

from typing import Any, Optional

from responders.content.spl.expressions import BOOLEAN, Env
from responders.content.spl.extraction import Digits, at_path, dump, follow, load, path, scalar
from responders.content.spl.functions.registry import function
from responders.content.spl.values import Value, number, text


@function("json_valid", 1, kind=BOOLEAN)
def _json_valid(env: Env, document: Value) -> Value:
    return isinstance(document, str) and (load(document) is not None or document.strip() == "null")


@function("json_extract", 1, None, readable=lambda written: path(written) is not None)
def _json_extract(env: Env, document: Value, *paths: Value) -> Value:
    """One path gives its value, several a JSON array of them, none the document; `{}` gives a JSON array."""
    if not isinstance(document, str):
        return None
    loaded = load(document)
    if not paths:
        return None if loaded is None else dump(loaded)
    found = [_extracted(loaded, written) for written in paths]
    if len(found) > 1:
        return dump([item[0] if item else None for item in found])
    return _plain(found[0][0]) if found[0] else None


def _extracted(loaded: Any, written: Value) -> Optional[list[Any]]:
    steps = path(written) if isinstance(written, str) else None
    if steps is None or loaded is None:
        return None
    values = follow(loaded, steps)
    if any(kind == "each" for kind, _ in steps):
        return [values] if values else None
    return values or None


def _plain(value: Any) -> Value:
    if value is None:
        return None
    return number(str(value)) if isinstance(value, Digits) else scalar(value)


@function("spath", 2, readable=lambda written: path(written) is not None)
def _spath(env: Env, document: Value, written: Value) -> Value:
    steps = path(written) if isinstance(written, str) else None
    return at_path(document, steps) if isinstance(document, str) and steps is not None else None


@function("json_object", 0, None)
def _json_object(env: Env, *pairs: Value) -> Value:
    if len(pairs) % 2:
        return None
    return dump({text(key): _json(value) for key, value in zip(pairs[::2], pairs[1::2]) if key is not None})


@function("json_array", 0, None)
def _json_array(env: Env, *values: Value) -> Value:
    return dump([_json(value) for value in values])


@function("mv_to_json_array", 1)
def _mv_to_json_array(env: Env, value: Value) -> Value:
    return None if value is None else dump([_json(item) for item in (value if isinstance(value, list) else [value])])


def _json(value: Value) -> Any:
    return [_json(item) for item in value] if isinstance(value, list) else value
