"""The fields of a row: exact or an error, or, where an attacker chooses the words, whatever of them can be read."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Callable, List, Mapping, Sequence, Tuple, TypeVar

from responders.errors import BadAlert
from responders.model import Pairs

T = TypeVar("T")
MAX_FIELD = 64 * 1024
MAX_ITEMS = 5000
_TOLD = 20
"""Items of one field that are told when they are left out; the others are counted."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]")
"""Also C1, line separators, turns of the writing direction and lone surrogates: what rewrites a line for its reader; and
U+FFFD, which stands where a reader of the SIEM's file replaced what it could not take."""


def bad(name: str, what: str, remedy: str) -> BadAlert:
    """The error that a field can't be read."""
    return BadAlert(what, place=name, remedy=remedy)


def one(row: Mapping[str, Any], name: str) -> str:
    """The only value of a field. Raises BadAlert."""
    values = many(row, name)
    if len(values) != 1:
        raise bad(name, "is missing" if not values else f"has {len(values)} values", "let the detection output one value")
    return values[0]


def many(row: Mapping[str, Any], name: str) -> Tuple[str, ...]:
    """Every value of a field. Raises BadAlert when there are too many, or when one of them can't be read."""
    items = _items(row, name)
    if len(items) > MAX_ITEMS:
        raise _too_many(name)
    return tuple(value for value in (_value(name, item) for item in items) if value)


def readable(row: Mapping[str, Any], name: str, take: Callable[[int, str], T]) -> Tuple[Tuple[T, ...], Pairs]:
    """What `take` makes of each value of a field, and (field, why) for each that is left out.

    `take` gets the value's place and the value, and raises BadAlert for one that it does not take. Raises nothing.
    """
    items = [item for item in _items(row, name) if item != ""]
    found: List[T] = []
    why: List[str] = []
    for place, item in enumerate(items[:MAX_ITEMS]):
        try:
            found.append(take(place, _value(name, item)))
        except BadAlert as error:
            shown = _shown(item)
            why.append(error.message if shown in error.message else f"{shown} {error.message}")
    told = why[:_TOLD] + ([f"{len(why) - _TOLD} more like these"] if len(why) > _TOLD else [])
    told += [f"{_too_many(name).message}: the first of them are taken"] if len(items) > MAX_ITEMS else []
    return tuple(found), tuple((name, text) for text in told)


def words(row: Mapping[str, Any], name: str) -> Tuple[Tuple[str, ...], Pairs]:
    """The values of a field that can be shown to people, and (field, why) for those that are left out."""
    return readable(row, name, lambda _, value: value)


def exact(row: Mapping[str, Any], name: str) -> Tuple[Tuple[str, ...], Pairs]:
    """Values that are only ever compared: one that can't be shown stands as its digest, so that equal ones stay equal."""
    items = _items(row, name)
    odd = sum(not _fit(item) for item in items)
    found, left_out = words({name: [item if _fit(item) else _digest(item) for item in items]}, name)
    told = ((name, f"{odd} with control characters, or too long, are known by their digests"),) if odd else ()
    return found, (*left_out, *told)


def _items(row: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A text is one value, line breaks and all: who may name a thing must not add a value by a line break in its name."""
    value = row.get(name)
    if value is None or value == "":
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _value(name: str, item: Any) -> str:
    """Text, or a number as text. str() of anything else would be an id that no vendor knows."""
    if isinstance(item, (int, float)) and not isinstance(item, bool) and -1e18 < item < 1e18:
        return str(item)
    if not isinstance(item, str):
        raise bad(name, f"holds a {type(item).__name__} that is no id", "output text or numbers")
    if len(item) > MAX_FIELD:
        raise bad(name, f"is longer than {MAX_FIELD} characters", f"output at most {MAX_FIELD}")
    if _CONTROL.search(item):
        raise bad(name, "holds control characters", "output clean ids only")
    return item


def _fit(item: Any) -> bool:
    return not isinstance(item, str) or (len(item) <= MAX_FIELD and not _CONTROL.search(item))


def _digest(item: str) -> str:
    return "sha256:" + hashlib.sha256(item.encode("utf-8", "surrogatepass")).hexdigest()


def _shown(item: Any) -> str:
    return repr(item[:80]) if isinstance(item, str) else f"a {type(item).__name__}"


def _too_many(name: str) -> BadAlert:
    return bad(name, f"has more than {MAX_ITEMS} values", f"output at most {MAX_ITEMS}")
