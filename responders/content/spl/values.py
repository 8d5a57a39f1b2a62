"""What a field can hold, and how Splunk turns it into a number, a text or a truth.

A value is None (null: the field is absent), a bool (only inside expressions), an int or float, a str, or a list of
two or more scalars (a multivalue field). Every value extracted from an event is a str.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Callable, Dict, Iterable, List, Optional, Union

Scalar = Union[str, int, float, bool]
Value = Union[None, str, int, float, bool, List[Any]]
Number = Union[int, float]
Row = Dict[str, Any]

_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*\Z", re.ASCII)
_EXACT = 2**53
_ID = 10**30


def number(value: Value) -> Optional[Number]:
    """The number a value is or looks like ("Overview of SPL eval": a field's digits count as a number), else None."""
    kind = type(value)
    if kind is int:
        return _modest(value)  # type: ignore[arg-type]
    if kind is float:
        return value  # type: ignore[return-value]
    if kind is str:
        digits: str = value  # type: ignore[assignment]
        if not digits or digits[0] > "9" or len(digits) > 400 or _NUMBER.match(digits) is None:
            return None
        try:
            return _modest(int(digits))
        except ValueError:
            return finite(float(digits))
    return None


def _modest(whole: int) -> Optional[Number]:
    """Ids of up to 30 digits stay exact, so that two of them never compare equal; larger ones become doubles."""
    return whole if -_ID < whole < _ID else finite(_as_float(whole))


def finite(result: Number) -> Optional[Number]:
    """Splunk counts in doubles: whole results come back as int, infinite ones and NaN as null."""
    if isinstance(result, int):
        return result if -_EXACT <= result <= _EXACT else finite(_as_float(result))
    if math.isnan(result) or math.isinf(result):
        return None
    return int(result) if result.is_integer() and abs(result) <= _EXACT else result


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf


def text(value: Any) -> str:
    """How a scalar is written in a result."""
    if type(value) is str:
        return value
    if value is True or value is False:
        return "True" if value else "False"
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def several(value: Value) -> List[Any]:
    """The values of a field one by one: none for null, one for a scalar."""
    if value is None:
        return []
    return value if type(value) is list else [value]


def multivalue(values: Iterable[Any]) -> Value:
    """A field of these values: null for none, the scalar for one."""
    kept = [value for value in values if value is not None]
    if not kept:
        return None
    return kept[0] if len(kept) == 1 else kept


def from_event(value: Any) -> Value:
    """A field handed in with an event, in the form that Splunk would hold."""
    if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool)):
        return value if not isinstance(value, float) else finite(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        flat: List[Any] = []
        for item in value:
            flat.extend(several(from_event(item)))
        return multivalue(flat)
    return json.dumps(value, default=str)


_ORDER: Dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compare(operator: str, left: Value, right: Value) -> bool:
    """Compares as `eval` and `where` do: as numbers when both look like one, else as texts, case-sensitively.

    Null on either side makes every comparison false. A multivalue field compares true when any of its values does.
    """
    if left is None or right is None:
        return False
    if type(left) is list or type(right) is list:
        return any(compare(operator, a, b) for a in several(left) for b in several(right))
    decide = _ORDER[operator]
    first, second = number(left), number(right)
    if first is not None and second is not None:
        return decide(first, second)
    return decide(text(left), text(right))


def truth(value: Value) -> bool:
    """Whether a condition holds; null does not."""
    return value is True


def sort_key(value: Any) -> Any:
    """Orders scalars as `sort` does by default: numbers by size, then texts by code point."""
    found = number(value)
    return (0, found, "") if found is not None else (1, 0, text(value))
