"""The terms of the stats family (`dc(user) AS users`), read from a search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, List, Sequence, Tuple, Union

from lark import Token

from responders.content.spl.aggregations import KNOWN, Aggregate, maker
from responders.content.spl.building import ExpressionBuilder
from responders.content.spl.commands.arguments import Name, Option
from responders.content.spl.commands.base import matcher
from responders.content.spl.expressions import Node
from responders.content.spl.parsing import parse, unquote
from responders.content.spl.source import Segment


@dataclass(frozen=True)
class Term:
    """A statistic: of a field (by name), of an expression, or of the rows (argument None)."""

    make: Callable[[], Aggregate]
    argument: Union[str, Node, None]
    name: str

    @property
    def wildcarded(self) -> bool:
        """Whether the field's name holds a wildcard."""
        return isinstance(self.argument, str) and "*" in self.argument

    def fields(self) -> FrozenSet[str]:
        """The fields it reads."""
        if isinstance(self.argument, Node):
            return frozenset(self.argument.fields())
        return frozenset() if self.argument is None else frozenset((self.argument,))

    def spelled(self, present: Sequence[str]) -> List[Term]:
        """The same statistic for each of the present fields that the wildcard fits."""
        argument = str(self.argument)
        pattern = re.compile(re.escape(argument).replace(r"\*", "(.*)") + r"\Z", re.DOTALL)
        fits = matcher((argument,))
        spelled = []
        for name in present:
            found = pattern.match(name)
            if found and fits(name):
                parts = iter(found.groups())
                spelled.append(Term(self.make, name, re.sub(r"\*", lambda _, parts=parts: next(parts), self.name)))  # type: ignore[misc]
        return spelled


@dataclass(frozen=True)
class Aggregation:
    """The arguments of stats, eventstats or streamstats."""

    terms: Tuple[Term, ...]
    by: Tuple[str, ...]
    options: Tuple[Option, ...]


def parse_aggregation(segment: Segment) -> Aggregation:
    """The arguments of a command of the stats family. Raises SplError."""
    return parse("expression", "aggregate", segment, _AggregateBuilder(segment))  # type: ignore[no-any-return]


class _AggregateBuilder(ExpressionBuilder):
    def aggregate(self, items: List[Any]) -> Aggregation:
        terms = tuple(item for item in items if isinstance(item, Term))
        by: List[Any] = next((item for item in items if isinstance(item, list)), [])
        if not terms:
            raise self.segment.at.error(f"`{self.segment.name}` has no statistic", "Add one, such as count")
        options = tuple(item for item in (*items, *by) if isinstance(item, Option))
        names = tuple(item.text for item in by if isinstance(item, Name))
        for name in by:
            if isinstance(name, Name) and "*" in name.text:
                raise name.at.error("a wildcard in a by-clause is not evaluated", "Name the fields")
        return Aggregation(terms, names, options)

    def by(self, items: List[Any]) -> List[Any]:
        return items[1:]

    def name(self, items: List[Token]) -> Name:
        return Name(unquote(str(items[0])), self.place(items[0]))

    def field_argument(self, items: List[Name]) -> str:
        return items[0].text

    def eval_argument(self, items: List[Any]) -> Node:
        return items[1]  # type: ignore[no-any-return]

    def aggregation(self, items: List[Any]) -> Term:
        token, argument, _, alias = items
        make = maker(str(token))
        if make is None:
            raise self.place(token).error(f"unknown statistic {str(token)!r}", f"Use one of {', '.join(KNOWN)}")
        if argument is None and str(token).lower() != "count":
            raise self.place(token).error(f"{token} needs a field", f"Write {token}(field)")
        if isinstance(argument, Node) and alias is None:
            raise self.place(token).error(f"{token}(eval(...)) needs a name", "Add AS name")
        default = str(token) if argument is None else f"{token}({argument})"
        name = alias.text if alias else default
        if isinstance(argument, str) and name.count("*") != argument.count("*"):
            raise self.place(token).error("a wildcard needs its like after AS", "Write values(a*) AS b*")
        return Term(make, argument, name)

    def option(self, items: List[Any]) -> Option:
        token, value = items
        return Option(str(token).rstrip("= \t\r\n").lower(), value, self.place(token))

    def plain(self, items: List[Token]) -> str:
        return str(items[0])

    def string_value(self, items: List[Token]) -> str:
        return unquote(str(items[0]))

    def condition(self, items: List[Any]) -> Node:
        return self._condition(items[0], self.segment.at, self.segment.name)
