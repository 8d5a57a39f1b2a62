"""Search Reference, "Multivalue eval functions"."""

from __future__ import annotations

import math
from typing import Any, Dict

from responders.content.spl.expressions import Env
from responders.content.spl.functions.registry import function
from responders.content.spl.patterns import regex
from responders.content.spl.values import Value, finite, multivalue, number, several, text


@function("mvcount", 1)
def _mvcount(env: Env, value: Value) -> Value:
    return len(several(value)) or None


@function("mvindex", 2, 3)
def _mvindex(env: Env, value: Value, start: Value, end: Value = None) -> Value:
    first, values = number(start), several(value)
    last = number(end) if end is not None else first
    if first is None or last is None:
        return None
    begin, stop = (int(at) + (len(values) if at < 0 else 0) for at in (first, last))
    return multivalue(values[begin : stop + 1]) if 0 <= begin <= stop < len(values) else None


@function("mvappend", 1, None)
def _mvappend(env: Env, *values: Value) -> Value:
    return multivalue(item for value in values for item in several(value))


@function("mvdedup", 1)
def _mvdedup(env: Env, value: Value) -> Value:
    kept: Dict[str, Any] = {}
    for item in several(value):
        kept.setdefault(text(item), item)
    return multivalue(kept.values())


@function("mvsort", 1)
def _mvsort(env: Env, value: Value) -> Value:
    return multivalue(sorted(several(value), key=text))


@function("mvjoin", 2)
def _mvjoin(env: Env, value: Value, delimiter: Value) -> Value:
    if value is None or delimiter is None or isinstance(delimiter, list):
        return None
    return text(delimiter).join(text(item) for item in several(value))


@function("mvzip", 2, 3)
def _mvzip(env: Env, left: Value, right: Value, delimiter: Value = ",") -> Value:
    if delimiter is None or isinstance(delimiter, list):
        return None
    return multivalue(f"{text(a)}{text(delimiter)}{text(b)}" for a, b in zip(several(left), several(right)))


@function("mvfind", 2, literal=1)
def _mvfind(env: Env, value: Value, pattern: str) -> Value:
    for index, item in enumerate(several(value)):
        if regex(pattern).search(text(item)):
            return index
    return None


@function("mvrange", 2, 3)
def _mvrange(env: Env, start: Value, end: Value, step: Value = 1) -> Value:
    first, last, by = number(start), number(end), number(step)
    if first is None or last is None or by is None or by <= 0 or (last - first) / by > 10_000:
        return None
    count = max(0, math.ceil((last - first) / by))
    return multivalue(finite(first + index * by) for index in range(count))
