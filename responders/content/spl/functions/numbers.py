"""Search Reference, "Mathematical functions", "Trig and Hyperbolic functions", "Conversion functions" and
"Statistical eval functions". Null where an argument is no number or the result is not finite. Angles are radians.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Callable

from responders.content.spl.expressions import Env
from responders.content.spl.functions.registry import function
from responders.content.spl.values import Number, Value, finite, number, several, sort_key, text


def _numeric(name: str, count: int, call: Callable[..., Number]) -> None:
    def wrapped(env: Env, *values: Value) -> Value:
        given = [number(value) for value in values]
        if any(value is None for value in given):
            return None
        try:
            return finite(call(*given))
        except (ValueError, OverflowError, ZeroDivisionError):
            return None

    function(name, count)(wrapped)


def _log(value: Value, base: Value) -> Value:
    first, second = number(value), number(base)
    if first is None or second is None or first <= 0 or second <= 0 or second == 1:
        return None
    return finite(math.log10(first) if second == 10 else math.log(first, second))


@function("log", 1, 2)
def _logarithm(env: Env, value: Value, base: Value = 10) -> Value:
    return _log(value, base)


for _name, _call in {
    "abs": abs,
    "ceiling": math.ceil,
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": math.sqrt,
    "exp": math.exp,
    "ln": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
}.items():
    _numeric(_name, 1, _call)  # type: ignore[arg-type]
_numeric("atan2", 2, math.atan2)
_numeric("hypot", 2, math.hypot)
_numeric("pow", 2, lambda base, power: math.pow(base, power))
_numeric("pi", 0, lambda: math.pi)


@function("round", 1, 2)
def _round(env: Env, value: Value, places: Value = 0) -> Value:
    given, digits = number(value), number(places)
    if given is None or digits is None or abs(digits) > 300:
        return None
    return finite(half_up(given, int(digits)))


def half_up(value: Number, digits: int) -> Number:
    """Rounded to that many decimal places, halves away from zero."""
    if (isinstance(value, int) and digits >= 0) or abs(value) > 1e22:
        return value
    try:
        return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-max(digits, 0)), rounding=ROUND_HALF_UP))
    except InvalidOperation:  # more places than the number has digits
        return value


def _extreme(pick: Callable[..., Any]) -> Callable[..., Value]:
    # Texts count as greater than numbers; multivalue arguments give each of their values.
    def call(env: Env, *values: Value) -> Value:
        given = [item for value in values for item in several(value)]
        return pick(given, key=sort_key) if given else None

    return call


function("max", 1, None)(_extreme(max))
function("min", 1, None)(_extreme(min))


@function("tonumber", 1, 2)
def _tonumber(env: Env, value: Value, base: Value = 10) -> Value:
    radix = number(base)
    if value is None or isinstance(value, list) or radix is None or not 2 <= radix <= 36:
        return None
    if radix == 10:
        return number(value)
    try:
        return finite(int(text(value), int(radix)))
    except ValueError:
        return None


@function("tostring", 1, 2)
def _tostring(env: Env, value: Value, form: Value = None) -> Value:
    if value is None or isinstance(value, list):
        return None
    given = number(value)
    if form is None or given is None:
        return text(value)
    if form == "hex":
        return f"0x{int(given):X}"
    if form == "commas":
        rounded = half_up(given, 2)
        return f"{rounded:,}" if isinstance(rounded, int) else f"{rounded:,.2f}"
    if form == "duration":
        seconds = int(given)
        days, rest = divmod(abs(seconds), 86400)
        clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"
        return ("-" if seconds < 0 else "") + (f"{days}+{clock}" if days else clock)
    return None
