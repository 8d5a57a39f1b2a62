"""Search Reference, "Date and Time functions". `now()` and `time()` are both the context's clock."""

from __future__ import annotations

from responders.content.spl import splunktime
from responders.content.spl.expressions import Env
from responders.content.spl.functions.registry import function
from responders.content.spl.values import Value, finite, number


@function("now", 0)
def _now(env: Env) -> Value:
    return int(env.now)


@function("time", 0)
def _time(env: Env) -> Value:
    return finite(env.now)


@function("relative_time", 2, readable=lambda modifier: splunktime.relative(1e9, modifier) is not None)
def _relative_time(env: Env, epoch: Value, modifier: Value) -> Value:
    at = number(epoch)
    if at is None or not isinstance(modifier, str):
        return None
    moved = splunktime.relative(at, modifier)
    return None if moved is None else finite(moved)


@function("strftime", 2, readable=splunktime.readable)
def _strftime(env: Env, epoch: Value, form: Value) -> Value:
    at = number(epoch)
    return splunktime.strftime(at, form) if at is not None and isinstance(form, str) else None


@function("strptime", 2, readable=splunktime.readable)
def _strptime(env: Env, written: Value, form: Value) -> Value:
    if not isinstance(written, str) or not isinstance(form, str):
        return None
    found = splunktime.strptime(written, form)
    return None if found is None else finite(found)
