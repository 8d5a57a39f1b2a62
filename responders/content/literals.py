"""What searches compare with the values of a log's fields: SPL's and ES|QL's alike.

Most texts are compared with a column that the search made: so it is followed which fields a column's values come from, and
which texts the search put in itself, which are no facts about a log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterable, Iterator, Set, Tuple

from responders.content.spl import Search
from responders.content.spl import expressions as ex
from responders.content.spl.commands.extracting import Rex, Spath
from responders.content.spl.commands.filtering import SearchCommand, Where
from responders.content.spl.commands.shaping import Eval, Rename
from responders.content.spl.commands.statistics import Aggregating

Step = Tuple[str, ex.Node]
"""A field and what it is set to; "" and what rows are tested with."""

_FIRST = ("replace", "split", "mvindex", "substr", "substring", "trim", "mvjoin", "mv_concat", "mv_slice", "json_extract")
"""Functions that hand on their first argument; the others say how."""
_OTHERWISE = frozenset((
    "len", "length", "mvcount", "mv_count", "count", "count_distinct", "locate", "md5", "sha256", "hash", "strptime",
    "strftime", "isnull", "isnotnull", "match", "in", "like", "cidrmatch", "cidr_match", "to_datetime", "date_trunc",
))  # fmt: skip
"""Functions whose result is of another kind than what they are given."""
_EQUAL = ("=", "==", "!=")


@dataclass(frozen=True)
class Flow:
    """Of a column: the log's fields that its values come from, and the texts that the search puts in."""

    fields: FrozenSet[str] = frozenset()
    texts: FrozenSet[str] = frozenset()

    def __or__(self, other: Flow) -> Flow:
        return Flow(self.fields | other.fields, self.texts | other.texts)


@dataclass(frozen=True)
class Compared:
    """A text, or a regex (`pattern`), that values of this flow are compared with."""

    flow: Flow
    text: str
    pattern: bool = False


def compared(steps: Iterable[Step]) -> Set[Compared]:
    """All that steps compare fields with. Sizes (<, >) are no facts of a log and left out."""
    reader = _Reader()
    for name, node in steps:
        reader.test(node)
        if name:
            reader.columns[name] = reader.flow(node)
    return reader.found


def spl_steps(search: Search) -> Iterator[Step]:
    """What a search tests and sets, in order."""
    for command in search.commands:
        if isinstance(command, SearchCommand):
            yield from (("", _searched(field, text)) for field, text in sorted(command.test.compared))
        elif isinstance(command, Where):
            yield "", command.condition
        elif isinstance(command, Eval):
            yield from command.assignments
        elif isinstance(command, Rename):
            yield from ((new, ex.Field(old)) for old, new in command.pairs)
        elif isinstance(command, Spath) and command.path:
            yield command.output, ex.Field(command.path if command.source == "_raw" else command.source)
        elif isinstance(command, Rex):
            yield "", _match(ex.Field(command.name), command.pattern.pattern)
            yield from ((name, ex.Field(command.name)) for name in command.pattern.groupindex)
        elif isinstance(command, Aggregating):
            for term in command.terms:
                node = ex.Field(term.argument) if isinstance(term.argument, str) else term.argument
                yield term.name, node or ex.Literal(None)


def _searched(field: str, text: str) -> ex.Node:
    if "*" not in text:
        return ex.Comparison("=", ex.Field(field), ex.Literal(text))
    return _match(ex.Field(field), "^" + ".*".join(re.escape(part) for part in text.split("*")) + "$")


def _match(subject: ex.Node, pattern: str) -> ex.Node:
    return ex.Call("match", lambda *_: None, (subject, ex.Literal(pattern)), ex.BOOLEAN)


class _Reader:
    def __init__(self) -> None:
        self.columns: Dict[str, Flow] = {}
        self.found: Set[Compared] = set()

    def flow(self, node: ex.Node) -> Flow:
        if isinstance(node, ex.Field):
            return self.columns.get(node.name, Flow(frozenset(() if _ours(node.name) else (node.name,))))
        if isinstance(node, ex.Literal):
            return Flow(texts=frozenset(() if node.constant is None else (str(node.constant),)))
        if isinstance(node, ex.If):
            return self._all(*(result for _, result in node.branches), node.otherwise)
        if isinstance(node, ex.EachValue):
            return self.flow(node.subject) | (Flow() if node.keep else self.flow(node.part))
        if isinstance(node, ex.Call):
            given = node.arguments[:1] if node.name in _FIRST else node.arguments
            return Flow() if node.name in _OTHERWISE else self._all(*given)
        return self._all(*node.children()) if node.kind != ex.BOOLEAN else Flow()

    def _all(self, *nodes: ex.Node) -> Flow:
        found = Flow()
        for node in nodes:
            found |= self.flow(node)
        return found

    def test(self, node: ex.Node) -> None:
        for part in node.walk():
            if isinstance(part, ex.Comparison) and part.operator in _EQUAL:
                self._add(part.left, (part.right,))
                self._add(part.right, (part.left,))
            elif isinstance(part, ex.Call) and part.name == "in":
                self._add(part.arguments[0], part.arguments[1:])
            elif isinstance(part, ex.Call) and part.name == "match":
                self._add(part.arguments[0], part.arguments[1:], pattern=True)

    def _add(self, subject: ex.Node, others: Iterable[ex.Node], pattern: bool = False) -> None:
        flow = self.flow(subject)
        for other in others:
            if flow.fields and isinstance(other, ex.Literal) and other.constant is not None:
                self.found.add(Compared(flow, str(other.constant), pattern))


def _ours(name: str) -> bool:
    return name.startswith(("tq_", "_", "@", "tourniquet."))
