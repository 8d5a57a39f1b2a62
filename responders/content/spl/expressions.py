"""Nodes of `eval` and `where` expressions; each gives its value for a row.

Follows the Search Reference's "eval" and "Evaluation functions". Comparisons with null are false, and NOT turns them
true (measured on Splunk 8.2.2, qiita.com/frozencatpisces/items/bb0adbf22712565c15e1).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Iterator, Protocol, Sequence, Tuple

from responders.content.spl.values import Number, Row, Value, compare, finite, number, several, text, truth

BOOLEAN, VALUE, EITHER = "a truth value", "a value", "either"


@dataclass(frozen=True)
class Env:
    """What an expression may know besides its row: `now`, epoch seconds."""

    now: float


class SearchTest(Protocol):
    """A test of the search command."""

    @property
    def holds(self) -> Callable[[Row, float], bool]:
        """Whether a row passes, at the search's time."""

    @property
    def reads(self) -> FrozenSet[str]:
        """The fields it reads."""


class Node:
    """An expression. `kind` says whether it gives a truth value, a value, or whichever its row decides."""

    kind = VALUE

    def value(self, row: Row, env: Env) -> Value:
        """The expression's value for this row."""
        raise NotImplementedError

    def children(self) -> Sequence[Node]:
        """The expressions that this one is made of."""
        return ()

    def walk(self) -> Iterator[Node]:
        """This expression and all inside it."""
        yield self
        for child in self.children():
            yield from child.walk()

    def fields(self) -> Iterator[str]:
        """The fields it reads."""
        for node in self.walk():
            if isinstance(node, Field):
                yield node.name
            elif isinstance(node, SearchMatch):
                yield from node.test.reads


@dataclass(frozen=True)
class Field(Node):
    """A field's value. `bare` when written without quotes."""

    name: str
    bare: bool = False
    kind = EITHER

    def value(self, row: Row, env: Env) -> Value:
        return row.get(self.name)


@dataclass(frozen=True)
class Literal(Node):
    """A number or a string."""

    constant: Any

    def value(self, row: Row, env: Env) -> Value:
        return self.constant  # type: ignore[no-any-return]


@dataclass(frozen=True)
class All(Node):
    """AND."""

    parts: Tuple[Node, ...]
    kind = BOOLEAN

    def value(self, row: Row, env: Env) -> Value:
        return all(truth(part.value(row, env)) for part in self.parts)

    def children(self) -> Sequence[Node]:
        return self.parts


@dataclass(frozen=True)
class Either(Node):
    """OR."""

    parts: Tuple[Node, ...]
    kind = BOOLEAN

    def value(self, row: Row, env: Env) -> Value:
        return any(truth(part.value(row, env)) for part in self.parts)

    def children(self) -> Sequence[Node]:
        return self.parts


@dataclass(frozen=True)
class Xor(Node):
    """XOR."""

    parts: Tuple[Node, ...]
    kind = BOOLEAN

    def value(self, row: Row, env: Env) -> Value:
        return sum(truth(part.value(row, env)) for part in self.parts) % 2 == 1

    def children(self) -> Sequence[Node]:
        return self.parts


@dataclass(frozen=True)
class Not(Node):
    """NOT."""

    part: Node
    kind = BOOLEAN

    def value(self, row: Row, env: Env) -> Value:
        return not truth(self.part.value(row, env))

    def children(self) -> Sequence[Node]:
        return (self.part,)


@dataclass(frozen=True)
class Comparison(Node):
    """=, ==, !=, <, <=, > or >=."""

    operator: str
    left: Node
    right: Node
    kind = BOOLEAN

    def value(self, row: Row, env: Env) -> Value:
        return compare(self.operator, self.left.value(row, env), self.right.value(row, env))

    def children(self) -> Sequence[Node]:
        return (self.left, self.right)


_ARITHMETIC: Dict[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


@dataclass(frozen=True)
class Arithmetic(Node):
    """+, -, *, / or %; null where an operand is no number. "+" joins two texts that are not both numbers."""

    operator: str
    left: Node
    right: Node

    def value(self, row: Row, env: Env) -> Value:
        left, right = self.left.value(row, env), self.right.value(row, env)
        first, second = number(left), number(right)
        if first is None or second is None:
            if self.operator == "+" and isinstance(left, str) and isinstance(right, str):
                return left + right
            return None
        try:
            return finite(_ARITHMETIC[self.operator](first, second))
        except (ZeroDivisionError, OverflowError):
            return None

    def children(self) -> Sequence[Node]:
        return (self.left, self.right)


@dataclass(frozen=True)
class Concatenation(Node):
    """The period operator; null where a part is null or multivalue."""

    parts: Tuple[Node, ...]

    def value(self, row: Row, env: Env) -> Value:
        written = []
        for part in self.parts:
            value = part.value(row, env)
            if value is None or type(value) is list:
                return None
            written.append(text(value))
        return "".join(written)

    def children(self) -> Sequence[Node]:
        return self.parts


@dataclass(frozen=True)
class Call(Node):
    """A function whose arguments are all evaluated first."""

    name: str
    function: Callable[..., Value]
    arguments: Tuple[Node, ...]
    kind: str

    def value(self, row: Row, env: Env) -> Value:
        return self.function(env, *[argument.value(row, env) for argument in self.arguments])

    def children(self) -> Sequence[Node]:
        return self.arguments


@dataclass(frozen=True)
class If(Node):
    """if(condition, then, else) and, with more pairs, case(): no branch but the taken one is evaluated."""

    branches: Tuple[Tuple[Node, Node], ...]
    otherwise: Node

    @property
    def kind(self) -> str:  # type: ignore[override]
        """A truth value only when every branch gives one."""
        kinds = {result.kind for _, result in self.branches}
        return kinds.pop() if len(kinds) == 1 else EITHER

    def value(self, row: Row, env: Env) -> Value:
        for condition, result in self.branches:
            if truth(condition.value(row, env)):
                return result.value(row, env)
        return self.otherwise.value(row, env)

    def children(self) -> Sequence[Node]:
        return (*(node for branch in self.branches for node in branch), self.otherwise)


@dataclass(frozen=True)
class Coalesce(Node):
    """coalesce(): the first that is not null."""

    parts: Tuple[Node, ...]
    kind = EITHER

    def value(self, row: Row, env: Env) -> Value:
        for part in self.parts:
            value = part.value(row, env)
            if value is not None:
                return value
        return None

    def children(self) -> Sequence[Node]:
        return self.parts


@dataclass(frozen=True)
class EachValue(Node):
    """mvmap() and mvfilter(): `part` for each value of `name`, kept as results, or as the test of what is kept."""

    name: str
    subject: Node
    part: Node
    keep: bool

    def value(self, row: Row, env: Env) -> Value:
        scratch = dict(row)
        results: list[Any] = []
        for item in several(self.subject.value(row, env)):
            scratch[self.name] = item
            result = self.part.value(scratch, env)
            if self.keep:
                results += [item] if truth(result) else []
            else:
                results += several(result)
        return (results[0] if len(results) == 1 else results) if results else None

    def children(self) -> Sequence[Node]:
        return (self.subject, self.part)


@dataclass(frozen=True)
class SearchMatch(Node):
    """searchmatch(): the search command's test on this row."""

    test: SearchTest
    kind = BOOLEAN

    def value(self, row: Row, env: Env) -> Value:
        return self.test.holds(row, env.now)
