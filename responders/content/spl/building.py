"""From the syntax tree of an expression to its nodes, with every name checked."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Sequence, Tuple

from lark import Token

from responders.content.spl import expressions as ex
from responders.content.spl.functions import FUNCTIONS
from responders.content.spl.functions.registry import Function
from responders.content.spl.parsing import Builder, parse, unquote
from responders.content.spl.patterns import regex
from responders.content.spl.searching import parse_search
from responders.content.spl.source import Place, Segment
from responders.content.spl.values import number, text

_FORMS: Dict[str, Tuple[int, Optional[int]]] = {
    "if": (3, 3),
    "case": (2, None),
    "coalesce": (1, None),
    "searchmatch": (1, 1),
    "mvmap": (2, 2),
    "mvfilter": (1, 1),
}


def parse_where(segment: Segment) -> ex.Node:
    """The condition of a `where`. Raises SplError."""
    return parse("expression", "where", segment, ExpressionBuilder(segment))  # type: ignore[no-any-return]


def parse_eval(segment: Segment) -> Tuple[Tuple[str, ex.Node], ...]:
    """The fields of an `eval` with their expressions, in order. Raises SplError."""
    return parse("expression", "eval", segment, ExpressionBuilder(segment))  # type: ignore[no-any-return]


class ExpressionBuilder(Builder):
    """Builds expression nodes; `aggregate` builders continue it."""

    def where(self, items: List[Any]) -> ex.Node:
        return self._condition(items[0], self.segment.at, "where")

    def eval(self, items: List[Any]) -> Tuple[Tuple[str, ex.Node], ...]:
        return tuple(items)

    def assignment(self, items: List[Any]) -> Tuple[str, ex.Node]:
        target, node = items
        if node.kind == ex.BOOLEAN:
            remedy = 'Wrap it: if(condition, "true", "false")'
            raise self.place(target).error("a field can't hold a truth value", remedy)
        return unquote(str(target)), node

    def _condition(self, node: ex.Node, place: Place, what: str) -> ex.Node:
        if node.kind == ex.VALUE or isinstance(node, ex.Field):
            raise place.error(f"`{what}` needs a condition, not a value", "Compare the value with something")
        return node

    def _parts(self, items: Sequence[Any], what: str) -> Tuple[ex.Node, ...]:
        nodes = tuple(item for item in items if isinstance(item, ex.Node))
        token = next(item for item in items if isinstance(item, Token))
        for node in nodes:
            self._condition(node, self.place(token), what)
        return nodes

    def xor(self, items: List[Any]) -> ex.Node:
        return ex.Xor(self._parts(items, "XOR")) if len(items) > 1 else items[0]

    def either(self, items: List[Any]) -> ex.Node:
        return ex.Either(self._parts(items, "OR")) if len(items) > 1 else items[0]

    def both(self, items: List[Any]) -> ex.Node:
        return ex.All(self._parts(items, "AND")) if len(items) > 1 else items[0]

    def negation(self, items: List[Any]) -> ex.Node:
        return ex.Not(self._parts(items, "NOT")[0])

    def compare(self, items: List[Any]) -> ex.Node:
        left, token, right = items
        return ex.Comparison(str(token), left, right)

    def like(self, items: List[Any]) -> ex.Node:
        return self._function(items[1], FUNCTIONS["like"], [items[0], items[2]])

    def within(self, items: List[Any]) -> ex.Node:
        return self._function(items[1], FUNCTIONS["in"], [items[0], *items[2]])

    def list(self, items: List[Any]) -> List[Any]:
        return items

    def sums(self, items: List[Any]) -> ex.Node:
        return self._arithmetic(items)

    def product(self, items: List[Any]) -> ex.Node:
        return self._arithmetic(items)

    def _arithmetic(self, items: List[Any]) -> ex.Node:
        node: ex.Node = items[0]
        for token, right in zip(items[1::2], items[2::2]):
            for part in (node, right):
                if part.kind == ex.BOOLEAN:
                    raise self.place(token).error(f"{str(token)!r} on a truth value", "Use if() to make it a number")
            node = ex.Arithmetic(str(token), node, right)
        return node

    def joins(self, items: List[Any]) -> ex.Node:
        nodes = items[::2]
        for index, token in enumerate(items[1::2]):
            at, written = token.start_pos, self.segment.text
            tight = not written[at - 1].isspace() and not written[at + 1 : at + 2].isspace()
            if tight and all(isinstance(node, ex.Field) and node.bare for node in nodes[index : index + 2]):
                name = f"{nodes[index].name}.{nodes[index + 1].name}"
                remedy = f"Write '{name}' for the field, or put blanks around the period to join two fields"
                raise self.place(token).error(f"{name} joins two fields here", remedy)
        return ex.Concatenation(tuple(nodes))

    def signed(self, items: List[Any]) -> ex.Node:
        sign, node = items
        return ex.Arithmetic(str(sign), ex.Literal(0), node)

    def number(self, items: List[Any]) -> ex.Node:
        return ex.Literal(number(str(items[0])))

    def string(self, items: List[Any]) -> ex.Node:
        return ex.Literal(unquote(str(items[0])))

    def quoted(self, items: List[Any]) -> ex.Node:
        return ex.Field(unquote(str(items[0])))

    def bare(self, items: List[Any]) -> ex.Node:
        name = str(items[0])
        if name.lower() in ("true", "false", "null"):
            raise self.place(items[0]).error(f"{name} is a field's name here", f"Write {name.lower()}() for the constant")
        return ex.Field(name, bare=True)

    def call(self, items: List[Any]) -> ex.Node:
        token, arguments = items[0], items[1] or []
        name = str(token).lower()
        if name in _FORMS:
            least, most = _FORMS[name]
            self._count(token, arguments, least, most)
            return self._form(token, name, arguments)
        function = FUNCTIONS.get(name)
        if function is None:
            known = ", ".join(sorted({*FUNCTIONS, *_FORMS}))
            raise self.place(token).error(f"unknown function {str(token)!r}", f"Use one of {known}")
        return self._function(token, function, arguments)

    def _count(self, token: Token, arguments: Sequence[Any], least: int, most: Optional[int]) -> None:
        if len(arguments) < least or (most is not None and len(arguments) > most):
            wanted = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            raise self.place(token).error(f"{token} takes {wanted} argument(s), not {len(arguments)}", "Correct the call")

    def _function(self, token: Token, function: Function, arguments: List[ex.Node]) -> ex.Node:
        self._count(token, arguments, function.least, function.most)
        if function.literal is not None:
            pattern = arguments[function.literal]
            if not isinstance(pattern, ex.Literal) or not isinstance(pattern.constant, str):
                remedy = "Write the pattern between double quotes: no event may supply a pattern"
                raise self.place(token).error(f"{token} needs its pattern as a string", remedy)
            if function.regex:
                self.check_regex(pattern.constant, self.place(token))
        second = arguments[1] if len(arguments) > 1 else None
        if function.readable is not None and isinstance(second, ex.Literal) and not function.readable(text(second.constant)):
            remedy = "Write it as the function's page in the Search Reference gives it"
            raise self.place(token).error(f"{token} can't read {second.constant!r}", remedy)
        return ex.Call(function.name, function.call, tuple(arguments), function.kind)

    def check_regex(self, pattern: str, place: Place) -> None:
        """Raises SplError for a pattern that Python's `re` can't run."""
        try:
            regex(pattern)
        except re.error as error:
            raise place.error(f"the regex can't be read: {error}", "Use what PCRE and Python's re share") from None

    def _form(self, token: Token, name: str, arguments: List[Any]) -> ex.Node:
        place = self.place(token)
        if name == "coalesce":
            return ex.Coalesce(tuple(arguments))
        if name == "if":
            condition = self._condition(arguments[0], place, "if")
            return ex.If(((condition, arguments[1]),), arguments[2])
        if name == "case":
            if len(arguments) % 2:
                raise place.error("case takes pairs of condition and value", "End with true(), value for the default")
            pairs = zip(arguments[::2], arguments[1::2])
            branches = tuple((self._condition(condition, place, "case"), value) for condition, value in pairs)
            return ex.If(branches, ex.Literal(None))
        if name == "searchmatch":
            return self._searchmatch(token, arguments[0])
        if name == "mvmap":
            if not isinstance(arguments[0], ex.Field):
                raise place.error("mvmap takes a field first", "Assign the values to a field with eval first")
            return ex.EachValue(arguments[0].name, arguments[0], arguments[1], keep=False)
        names = set(arguments[0].fields())
        if len(names) != 1:
            raise place.error("mvfilter's condition must read exactly one field", "Use mvmap for more")
        field = names.pop()
        return ex.EachValue(field, ex.Field(field), self._condition(arguments[0], place, "mvfilter"), keep=True)

    def _searchmatch(self, token: Token, argument: ex.Node) -> ex.Node:
        if not isinstance(argument, ex.Literal) or not isinstance(argument.constant, str):
            raise self.place(token).error("searchmatch needs its search as a string", "Write it between double quotes")
        # The string's own places are lost with its quotes: what is wrong in it is reported at the call.
        origin = self.segment.text_at + (token.start_pos or 0)
        source = self.segment.source
        here = [source.origins[origin]] * len(argument.constant)
        inner = Segment(type(source)(argument.constant, here, source.written), "search", 0, argument.constant, 0)
        return ex.SearchMatch(parse_search(inner))
