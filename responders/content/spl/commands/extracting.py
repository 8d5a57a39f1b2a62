"""rex, spath, mvexpand (Search Reference)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Optional, Pattern, Tuple

from lark import Token

from responders.content.spl import extraction
from responders.content.spl.commands import arguments
from responders.content.spl.commands.base import Command, Run
from responders.content.spl.parsing import unquote
from responders.content.spl.patterns import regex
from responders.content.spl.source import Segment
from responders.content.spl.values import Row, multivalue, several, text


@dataclass(frozen=True)
class Rex(Command):
    """Sets a field for each named group; `most` matches (0: all), more than one make multivalue fields."""

    name: str
    pattern: Pattern[str]
    most: int

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        for row in rows:
            found: Dict[str, List[str]] = {}
            matches = 0
            for item in several(row.get(self.name)):
                for match in self.pattern.finditer(text(item)):
                    matches += 1
                    for name, value in match.groupdict().items():
                        if value is not None:
                            found.setdefault(name, []).append(value)
                    if matches == self.most:
                        break
                if matches == self.most:
                    break
            for name, values in found.items():
                row[name] = multivalue(values)
        return rows

    def reads(self) -> FrozenSet[str]:
        return frozenset((self.name,))

    def writes(self) -> FrozenSet[str]:
        return frozenset(self.pattern.groupindex)


@dataclass(frozen=True)
class Spath(Command):
    """The value at a path of the whole input; without a path every field of its first characters."""

    source: str
    path: Optional[str]
    steps: Optional[List[Tuple[str, Any]]]
    output: str
    limit: int

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        for row in rows:
            document = row.get(self.source)
            if not isinstance(document, str):
                continue
            if self.steps is None:
                row.update(extraction.fields(document, self.limit))
                continue
            value = extraction.at_path(document, self.steps)
            if value is not None:
                row[self.output] = value
        return rows

    def reads(self) -> FrozenSet[str]:
        return frozenset((self.source,))

    def writes(self) -> FrozenSet[str]:
        return frozenset() if self.steps is None else frozenset((self.output,))


@dataclass(frozen=True)
class MvExpand(Command):
    """One row for each value of the field; a row without it stays."""

    name: str
    limit: int

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        expanded: List[Row] = []
        for row in rows:
            values = row.get(self.name)
            if type(values) is not list:
                expanded.append(row)
                continue
            expanded += [{**row, self.name: value} for value in (values[: self.limit] if self.limit else values)]
            run.bounded(expanded, self.at)
        return expanded

    def reads(self) -> FrozenSet[str]:
        return frozenset((self.name,))


def build_rex(segment: Segment) -> Command:
    """The `rex` of a segment. Raises SplError."""
    items = arguments.read(segment, "rex")
    given = arguments.options(segment, items, {"field": arguments.text_of, "max_match": arguments.whole})
    token = next(item for item in items if isinstance(item, Token))
    place = segment.place(token.start_pos or 0)
    try:
        pattern = regex(unquote(str(token)))
    except re.error as error:
        raise place.error(f"the regex can't be read: {error}", "Use what PCRE and Python's re share") from None
    if not pattern.groupindex:
        raise place.error("rex has no named group", "Write (?<name>...)")
    return Rex(segment.at, given.get("field", "_raw"), pattern, given.get("max_match", 1))


def build_spath(segment: Segment) -> Command:
    """The `spath` of a segment. Raises SplError."""
    items = arguments.read(segment, "parts")
    known = {"input": arguments.text_of, "output": arguments.text_of, "path": arguments.text_of}
    given = arguments.options(segment, items, known)
    positional = arguments.names(items)
    written = given.get("path") or (positional[0] if positional else None)
    if len(positional) > 1 or ("output" in given and written is None):
        raise segment.at.error("spath takes one path, and output= only with a path", "Write spath path=a.b output=c")
    steps = extraction.path(written) if written is not None else None
    if written is not None and steps is None:
        raise segment.at.error(f"spath can't read the path {written!r}", "Write keys, {} and {n}, as in a{}.b{0}.c")
    output = given.get("output") or written or ""
    return Spath(segment.at, given.get("input", "_raw"), written, steps, output, extraction.SPATH_LIMIT)


def build_mvexpand(segment: Segment) -> Command:
    """The `mvexpand` of a segment. Raises SplError."""
    items = arguments.read(segment, "mvexpand")
    given = arguments.options(segment, items, {"limit": arguments.whole})
    return MvExpand(segment.at, arguments.names(items)[0], given.get("limit", 0))
