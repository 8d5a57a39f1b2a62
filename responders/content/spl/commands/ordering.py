"""sort (Search Reference): 10,000 rows unless told otherwise, `0` for all."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Tuple

from lark import Token

from responders.content.spl.commands import arguments
from responders.content.spl.commands.base import Command, Run
from responders.content.spl.source import Segment
from responders.content.spl.values import Row, number, several, sort_key, text

DEFAULT_LIMIT = 10_000


def _by_address(value: Any) -> Any:
    try:
        address = ipaddress.ip_address(text(value).strip())
    except ValueError:
        return (9, 0, text(value))
    return (address.version, int(address), "")


_KEYS: Dict[str, Callable[[Any], Any]] = {
    "auto": sort_key,
    "num": lambda value: (0, number(value), "") if number(value) is not None else (1, 0, ""),
    "str": text,
    "ip": _by_address,
}


@dataclass(frozen=True)
class SortKey:
    """A field, how its values compare, and the direction."""

    name: str
    form: str
    descending: bool


@dataclass(frozen=True)
class Sort(Command):
    """Stable; a row without the field comes last in either direction, a multivalue field sorts by its first value."""

    keys: Tuple[SortKey, ...]
    limit: int

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        for key in reversed(self.keys):
            give = _KEYS[key.form]
            having = [row for row in rows if row.get(key.name) is not None]
            lacking = [row for row in rows if row.get(key.name) is None]
            name = key.name
            having.sort(key=lambda row: give(several(row[name])[0]), reverse=key.descending)
            rows = having + lacking
        return rows[: self.limit] if self.limit else rows

    def reads(self) -> FrozenSet[str]:
        return frozenset(key.name for key in self.keys)


def build_sort(segment: Segment) -> Command:
    """The `sort` of a segment. Raises SplError."""
    items = arguments.read(segment, "sort")
    given = arguments.options(segment, items, {"limit": arguments.whole})
    counts = [int(item) for item in items if isinstance(item, Token)]
    parts = [item for item in items if isinstance(item, tuple)]
    flipped = False
    if len(parts) > 1 and parts[-1][0] is None and parts[-1][1].text in ("d", "desc"):
        flipped = True
        parts.pop()
    keys = tuple(_key(*part, flipped=flipped) for part in parts)
    return Sort(segment.at, keys, given.get("limit", counts[0] if counts else DEFAULT_LIMIT))


def _key(sign: Any, name: arguments.Name, inner: Any, *, flipped: bool) -> SortKey:
    written, direction = name.text, str(sign or "")
    if not direction and written[:1] in ("-", "+"):
        direction, written = written[0], written[1:]
    form = "auto"
    if inner is not None:
        form, written = written.lower(), inner.text
        if form not in _KEYS:
            raise name.at.error(f"sort knows no {form}()", "Use auto, num, str or ip")
    if not written:
        raise name.at.error("sort has a sign without a field", "Write the field after the sign")
    return SortKey(written, form, (direction == "-") != flipped)
