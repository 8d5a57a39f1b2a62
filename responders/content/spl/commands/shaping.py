"""eval, rename, fields, table, fillnull, bin (Search Reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, List, Optional, Tuple

from lark import Token

from responders.content.spl.building import parse_eval
from responders.content.spl.commands import arguments
from responders.content.spl.commands.base import Command, Renames, Run, field_names, matcher, put
from responders.content.spl.expressions import Node
from responders.content.spl.source import Segment
from responders.content.spl.splunktime import relative, span_seconds
from responders.content.spl.values import Row, Value, finite, number, text


@dataclass(frozen=True)
class Eval(Command):
    """Sets fields, one after the other, so that a later one sees the earlier."""

    assignments: Tuple[Tuple[str, Node], ...]

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        for row in rows:
            for name, node in self.assignments:
                value = node.value(row, run.env)
                put(row, name, text(value) if isinstance(value, bool) else value)
        return rows

    def reads(self) -> FrozenSet[str]:
        made: set[str] = set()
        read: set[str] = set()
        for name, node in self.assignments:
            read |= set(node.fields()) - made
            made.add(name)
        return frozenset(read)

    def writes(self) -> FrozenSet[str]:
        return frozenset(name for name, _ in self.assignments)


@dataclass(frozen=True)
class Rename(Command):
    """Renames fields; where the source is absent, a field that has the new name already goes."""

    pairs: Renames

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        for source, target in self.pairs:
            if "*" in source:
                pattern = re.compile(re.escape(source).replace(r"\*", "(.*)") + r"\Z", re.DOTALL)
                for row in rows:
                    for name in [name for name in row if pattern.match(name)]:
                        found = pattern.match(name)
                        assert found is not None
                        parts = iter(found.groups())
                        row[re.sub(r"\*", lambda _, parts=parts: next(parts), target)] = row.pop(name)  # type: ignore[misc]
            elif source != target:
                for row in rows:
                    put(row, target, row.pop(source, None))
        return rows

    def reads(self) -> FrozenSet[str]:
        return frozenset(source for source, _ in self.pairs)

    def writes(self) -> FrozenSet[str]:
        return frozenset(target for _, target in self.pairs)


@dataclass(frozen=True)
class Fields(Command):
    """`fields` keeps the fields that begin with an underscore as well, `table` only what it lists."""

    names: Tuple[str, ...]
    remove: bool
    internal: bool

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        listed = matcher(self.names)
        if self.remove:
            return [{name: row[name] for name in row if not listed(name)} for row in rows]
        keep: Callable[[str], bool] = listed
        if self.internal:
            keep = lambda name: name[:1] == "_" or listed(name)  # noqa: E731
        order = {name: index for index, name in enumerate(self.names)}
        shaped = [{name: row[name] for name in row if keep(name)} for row in rows]
        last = len(order)
        return [dict(sorted(row.items(), key=lambda item: order.get(item[0], last))) for row in shaped]

    def reads(self) -> FrozenSet[str]:
        return frozenset() if self.remove else frozenset(self.names)


@dataclass(frozen=True)
class FillNull(Command):
    """Puts `value` where a listed field, or any field that some row has, is null."""

    names: Tuple[str, ...]
    value: Value

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        names = self.names or tuple(field_names(rows))
        for row in rows:
            for name in names:
                row.setdefault(name, self.value)
        return rows

    def writes(self) -> FrozenSet[str]:
        return frozenset()

    def reads(self) -> FrozenSet[str]:
        return frozenset(self.names)


@dataclass(frozen=True)
class Bin(Command):
    """Floors a field to a span: `_time` to its start, another number to the text `start-end`."""

    name: str
    target: str
    span: float
    calendar: Optional[str]

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        for row in rows:
            size = number(row.get(self.name))
            if size is None:
                continue
            if self.calendar is not None:
                start = relative(size, self.calendar)
                row[self.target] = size if start is None else finite(start)
            elif self.name == "_time":
                row[self.target] = finite(size // self.span * self.span)
            else:
                low, high = finite(size // self.span * self.span), finite((size // self.span + 1) * self.span)
                row[self.target] = f"{text(low)}-{text(high)}"
        return rows

    def reads(self) -> FrozenSet[str]:
        return frozenset((self.name,))

    def writes(self) -> FrozenSet[str]:
        return frozenset((self.target,))


def build_eval(segment: Segment) -> Command:
    """The `eval` of a segment. Raises SplError."""
    return Eval(segment.at, parse_eval(segment))


def build_rename(segment: Segment) -> Command:
    """The `rename` of a segment. Raises SplError."""
    items = arguments.read(segment, "rename")
    for item in items:
        if item.text.count("*") != item.target.count("*"):
            raise item.at.error("a rename needs as many wildcards on both sides of AS", "Correct the names")
    return Rename(segment.at, tuple((item.text, item.target) for item in items))


def build_fields(segment: Segment) -> Command:
    """The `fields` of a segment. Raises SplError."""
    items = arguments.read(segment, "fields")
    sign = [str(item) for item in items if isinstance(item, Token)]
    for item in items:
        if isinstance(item, arguments.Name) and item.text[:1] in ("-", "+"):
            raise item.at.error(f"{item.text!r} is no field's name", "Put a blank after the sign: fields - name")
    return Fields(segment.at, arguments.names(items), remove=sign == ["-"], internal=True)


def build_table(segment: Segment) -> Command:
    """The `table` of a segment. Raises SplError."""
    return Fields(segment.at, arguments.names(arguments.read(segment, "names")), remove=False, internal=False)


def build_fillnull(segment: Segment) -> Command:
    """The `fillnull` of a segment. Raises SplError."""
    items: List[Any] = arguments.read(segment, "parts")
    given = arguments.options(segment, items, {"value": arguments.text_of})
    names = arguments.names(items)
    if any("*" in name for name in names):
        raise segment.at.error("a wildcard in fillnull is not evaluated", "Name the fields")
    return FillNull(segment.at, names, given.get("value", "0"))


def build_bin(segment: Segment) -> Command:
    """The `bin` of a segment. Raises SplError."""
    items = arguments.read(segment, "bin")
    given = arguments.options(segment, items, {"span": arguments.text_of})
    fields = [item for item in items if isinstance(item, arguments.Name)]
    targets = [item.text for item in items if isinstance(item, arguments.Target)]
    if len(fields) != 1 or len(targets) > 1 or "span" not in given:
        raise segment.at.error("bin needs span= and one field", "Write bin span=5m _time")
    name, written = fields[0], given["span"]
    target = targets[0] if targets else name.text
    size = number(written)
    length = span_seconds(written) if size is None else size
    months = re.fullmatch(r"1?(mon|month|q|quarter|y|year|w|week)", written)
    if months and name.text == "_time":
        return Bin(segment.at, name.text, target, 0, "@" + months.group(1))
    if length is None or length <= 0 or (size is None and name.text != "_time"):
        raise segment.at.error(f"bin can't read the span {written!r}", "Write a number, or for _time a span such as 5m")
    return Bin(segment.at, name.text, target, length, None)
