"""search, where, head, dedup (Search Reference)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Tuple

from lark import Token

from responders.content.spl.building import parse_where
from responders.content.spl.commands import arguments
from responders.content.spl.commands.base import Command, Run
from responders.content.spl.expressions import Node
from responders.content.spl.searching import Test, parse_search
from responders.content.spl.source import Segment
from responders.content.spl.values import Row, several, text, truth


@dataclass(frozen=True)
class SearchCommand(Command):
    """Keeps the rows for which `test` holds."""

    test: Test

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        holds = self.test.holds
        return [row for row in rows if holds(row, run.env.now)]

    def reads(self) -> FrozenSet[str]:
        return self.test.reads


@dataclass(frozen=True)
class Where(Command):
    """Keeps the rows for which the expression is true."""

    condition: Node

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        return [row for row in rows if truth(self.condition.value(row, run.env))]

    def reads(self) -> FrozenSet[str]:
        return frozenset(self.condition.fields())


@dataclass(frozen=True)
class Head(Command):
    """The first rows."""

    count: int

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        return rows[: self.count]


@dataclass(frozen=True)
class Dedup(Command):
    """The first `count` rows of each combination of values; rows that lack a field go, unless keepempty."""

    names: Tuple[str, ...]
    count: int
    keepempty: bool
    consecutive: bool

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        seen: Dict[Any, int] = {}
        kept: List[Row] = []
        previous: Any = None
        for row in rows:
            values = [row.get(name) for name in self.names]
            if any(value is None for value in values):
                if self.keepempty:
                    kept.append(row)
                continue
            key = tuple(tuple(text(item) for item in several(value)) for value in values)
            if self.consecutive and key != previous:
                seen = {}
            previous = key
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= self.count:
                kept.append(row)
        return kept

    def reads(self) -> FrozenSet[str]:
        return frozenset(self.names)


def build_search(segment: Segment) -> Command:
    """The `search` of a segment. Raises SplError."""
    return SearchCommand(segment.at, parse_search(segment))


def build_where(segment: Segment) -> Command:
    """The `where` of a segment. Raises SplError."""
    return Where(segment.at, parse_where(segment))


def build_head(segment: Segment) -> Command:
    """The `head` of a segment. Raises SplError."""
    items = arguments.read(segment, "head")
    given = arguments.options(segment, items, {"limit": arguments.whole})
    counts = [int(item) for item in items if isinstance(item, Token)]
    return Head(segment.at, given.get("limit", counts[0] if counts else 10))


def build_dedup(segment: Segment) -> Command:
    """The `dedup` of a segment. Raises SplError."""
    items = arguments.read(segment, "dedup")
    known = {"keepempty": arguments.boolean, "consecutive": arguments.boolean}
    given = arguments.options(segment, items, known)
    counts = [int(item) for item in items if isinstance(item, Token)]
    names = arguments.names(items)
    if "sortby" in names:
        raise segment.at.error("dedup's sortby is not evaluated", "Put a sort before the dedup")
    if (counts and not counts[0]) or not names:
        raise segment.at.error("dedup needs a count of 1 or more and a field", "Write dedup field")
    keepempty, consecutive = given.get("keepempty", False), given.get("consecutive", False)
    return Dedup(segment.at, names, counts[0] if counts else 1, keepempty, consecutive)
