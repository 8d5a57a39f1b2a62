"""lookup, inputlookup, outputlookup (Search Reference).

Matches are exact and case-sensitive, at most 1000 a row (transforms.conf.spec: match_type, max_matches).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Dict, FrozenSet, List, Optional, Tuple

from lark import Token

from responders.content.spl.commands import arguments
from responders.content.spl.commands.base import Command, Renames, Run
from responders.content.spl.searching import Test, parse_search
from responders.content.spl.source import Place, Segment
from responders.content.spl.values import Row, from_event, multivalue, several, text

MAX_MATCHES = 1000
_COMBINATIONS = 10_000


def table(run: Run, name: str, at: Place) -> List[Dict[str, Any]]:
    """The rows of a lookup. Raises SplError when the context does not declare it; an empty one is `[]`."""
    if name not in run.lookups:
        raise at.error(f"unknown lookup {name!r}", "Declare it in the context, empty if it holds nothing")
    return run.lookups[name]


@dataclass(frozen=True)
class Lookup(Command):
    """Adds the fields of the table's rows that match; several matches make multivalue fields."""

    name: str
    inputs: Renames
    outputs: Optional[Renames]
    only_new: bool

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        index: Dict[Tuple[str, ...], List[Dict[str, Any]]] = {}
        columns: Dict[str, None] = {}
        for entry in table(run, self.name, self.at):
            columns.update(dict.fromkeys(entry))
            values = [several(from_event(entry.get(column))) for column, _ in self.inputs]
            for key in product(*values):
                index.setdefault(tuple(map(text, key)), []).append(entry)
        keyed = {column for column, _ in self.inputs}
        outputs = self.outputs
        if outputs is None:
            outputs = tuple((column, column) for column in columns if column not in keyed and column[:1] != "_")
        for row in rows:
            self._fill(row, index, outputs)
        return rows

    def _fill(self, row: Row, index: Dict[Tuple[str, ...], List[Dict[str, Any]]], outputs: Renames) -> None:
        wanted = [(column, name) for column, name in outputs if not (self.only_new and row.get(name) is not None)]
        if not wanted:
            return
        values = [several(row.get(name)) for _, name in self.inputs]
        matches: List[Dict[str, Any]] = []
        if math.prod(map(len, values)) > _COMBINATIONS:
            raise self.at.error(f"over {_COMBINATIONS} combinations of values in one row", "Expand or filter the fields")
        for key in product(*values):
            matches += index.get(tuple(map(text, key)), ())
        if not matches:
            return
        for column, name in wanted:
            found = multivalue(item for entry in matches[:MAX_MATCHES] for item in several(from_event(entry.get(column))))
            if found is not None:
                row[name] = found
            else:
                row.pop(name, None)

    def reads(self) -> FrozenSet[str]:
        return frozenset(name for _, name in self.inputs)

    def writes(self) -> FrozenSet[str]:
        return frozenset(name for _, name in self.outputs or ())


@dataclass(frozen=True)
class InputLookup(Command):
    """The table's rows that pass `where`, instead of or after the rows so far."""

    name: str
    append: bool
    test: Optional[Test]

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        read: List[Row] = []
        for entry in table(run, self.name, self.at):
            values = {column: from_event(value) for column, value in entry.items()}
            row = {column: value for column, value in values.items() if value is not None}
            if self.test is None or self.test.holds(row, run.env.now):
                read.append(row)
        return run.bounded(rows + read if self.append else read, self.at)

    def transforms(self) -> bool:
        return not self.append


@dataclass(frozen=True)
class OutputLookup(Command):
    """Writes the rows to the table: in its place, after it, or, with append and a key, over the rows of equal key."""

    name: str
    append: bool
    key: Optional[str]

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        before = table(run, self.name, self.at)
        fresh = [{name: row[name] for name in row if name[:1] != "_" or name in ("_key", self.key)} for row in rows]
        if not self.append:
            run.lookups[self.name] = fresh
            return rows
        if self.key is None:
            run.lookups[self.name] = before + fresh
            return rows
        merged: Dict[Any, Dict[str, Any]] = {}
        for number, entry in enumerate([*before, *fresh]):
            value = from_event(entry.get(self.key))
            merged[number if value is None else "\n".join(map(text, several(value)))] = entry
        run.lookups[self.name] = list(merged.values())
        return rows

    def reads(self) -> FrozenSet[str]:
        return frozenset((self.key,)) if self.key else frozenset()


def build_lookup(segment: Segment) -> Command:
    """The `lookup` of a segment. Raises SplError."""
    items = arguments.read(segment, "lookup")
    arguments.options(segment, items, {})
    rest = [item for item in items if not isinstance(item, arguments.Option)]
    name, parts = rest[0], rest[1:]
    split = next((at for at, item in enumerate(parts) if isinstance(item, Token)), len(parts))
    inputs = tuple((part.text, part.target) for part in parts[:split])
    outputs = tuple((part.text, part.target) for part in parts[split + 1 :]) if split < len(parts) else None
    only_new = split < len(parts) and str(parts[split]).lower() == "outputnew"
    return Lookup(segment.at, name.text, inputs, outputs, only_new)


def build_inputlookup(segment: Segment) -> Command:
    """The `inputlookup` of a segment. Raises SplError."""
    items = arguments.read(segment, "inputlookup")
    given = arguments.options(segment, items, {"append": arguments.boolean})
    tail = [item for item in items if isinstance(item, Token) and item.type == "TAIL"]
    test = None
    if tail:
        begin = tail[0].start_pos or 0
        text_at = segment.text_at + begin
        test = parse_search(Segment(segment.source, "where", text_at, segment.text[begin:], text_at))
    return InputLookup(segment.at, arguments.names(items)[0], given.get("append", False), test)


def build_outputlookup(segment: Segment) -> Command:
    """The `outputlookup` of a segment. Raises SplError."""
    items = arguments.read(segment, "outputlookup")
    given = arguments.options(segment, items, {"append": arguments.boolean, "key_field": arguments.text_of})
    return OutputLookup(segment.at, arguments.names(items)[0], given.get("append", False), given.get("key_field"))
