"""Reads what an ES|QL query tests and sets, into the nodes that SPL's expressions are read into.

A reader for checks on the text, not an evaluator: queries run in Elasticsearch. Of commands that test nothing (FROM, SORT,
KEEP, LOOKUP JOIN …) nothing is read. Elasticsearch Reference, "ES|QL commands", "ES|QL functions and operators".
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Iterator, List, Tuple

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError

from responders.content.spl import expressions as ex
from responders.errors import BadDetection

Step = Tuple[str, ex.Node]
"""A field and what it is set to; "" and what rows are tested with."""

_PIPE = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|\|')
_BY = re.compile(r"\sBY\s(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
_KEYS = re.compile(r"%\{(?:[?+&*]*)([a-z_][a-z0-9_]*)\}|\(\?<([a-z_]+)>")
_TESTED = re.compile(r"([\w.]+)\s*:\s*(\"[^\"]*\"|[^\s()]+)")


def steps(query: str) -> Iterator[Step]:
    """What an expanded query tests and sets, in order. Raises BadDetection for an expression that can't be read."""
    for command in _commands(query):
        verb, _, rest = command.partition(" ")
        if verb == "WHERE":
            yield "", _read("condition", rest)
        elif verb in ("EVAL", "STATS"):
            for part in _BY.split(rest):
                yield from _read("fields", part)
        elif verb == "RENAME":
            for pair in rest.split(","):
                old, new = re.split(r"\s+AS\s+", pair.strip())
                yield new, ex.Field(old)
        elif verb in ("DISSECT", "GROK"):
            name, _, pattern = rest.partition(" ")
            for one, other in _KEYS.findall(pattern):
                yield one or other, ex.Field(_plain(name))


def _commands(query: str) -> List[str]:
    """The commands between the pipes, without comments."""
    found, start = [""], 0
    for match in _PIPE.finditer(query):
        if match[0].startswith('"'):
            continue
        found[-1] += query[start : match.start()]
        start = match.end()
        if match[0] == "|":
            found.append("")
    found[-1] += query[start:]
    return [" ".join(re.split(r"\s+", text.strip(), maxsplit=1)) for text in found]


@cache
def _parser() -> Lark:
    text = resources.files("responders.content.elastic").joinpath("esql.lark").read_text(encoding="utf-8")
    return Lark(text, start=["fields", "condition"], parser="lalr", maybe_placeholders=True)


@lru_cache(maxsize=4096)
def _read(start: str, text: str) -> Any:
    """A command's expressions; queries share most of theirs by macros."""
    try:
        return _Builder().transform(_parser().parse(text, start=start))
    except LarkError as error:
        what = f"can't read {text.strip()[:60]!r}: {str(error).splitlines()[0]}"
        remedy = "write it with what esql.lark knows, or add to that"
        raise BadDetection(what, place="elastic.query", remedy=remedy) from None


def _plain(name: str) -> str:
    return name.replace("`", "")


def _text(token: Token) -> str:
    """A string's text: \\n, \\r, \\t, \\" and \\\\ are escapes ("ES|QL syntax reference", string literals)."""
    escapes = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), str(token)[1:-1], flags=re.DOTALL)


def _call(name: str, *arguments: ex.Node, kind: str = ex.VALUE) -> ex.Node:
    return ex.Call(name, lambda *_: None, arguments, kind)


def _matched(subject: ex.Node, pattern: str) -> ex.Node:
    return _call("match", subject, ex.Literal(pattern), kind=ex.BOOLEAN)


class _Builder(Transformer[Token, Any]):
    def fields(self, items: List[Any]) -> List[Step]:
        return [step for part in items for step in part]

    def field(self, items: List[Any]) -> List[Step]:
        name, node, test = items[0], items[1], items[3]
        made = [(_plain(str(name)), node)] if name else [("", node)]
        return [*made, ("", test)] if test is not None else made

    def condition(self, items: List[Any]) -> ex.Node:
        return items[0]  # type: ignore[no-any-return]

    def _nodes(self, items: List[Any]) -> Tuple[ex.Node, ...]:
        return tuple(item for item in items if isinstance(item, ex.Node))

    def either(self, items: List[Any]) -> ex.Node:
        return ex.Either(self._nodes(items)) if len(items) > 1 else items[0]

    def both(self, items: List[Any]) -> ex.Node:
        return ex.All(self._nodes(items)) if len(items) > 1 else items[0]

    def negation(self, items: List[Any]) -> ex.Node:
        return ex.Not(items[1])

    def compare(self, items: List[Any]) -> ex.Node:
        left, operator, right = items
        # LOCATE(text, "part") > 0 asks for a part of a text.
        if isinstance(left, ex.Call) and left.name == "locate" and isinstance(left.arguments[1], ex.Literal):
            return _matched(left.arguments[0], re.escape(str(left.arguments[1].constant)))
        return ex.Comparison(str(operator), left, right)

    def within(self, items: List[Any]) -> ex.Node:
        return _call("in", items[0], *items[3], kind=ex.BOOLEAN)

    def like(self, items: List[Any]) -> ex.Node:
        parts = {"*": ".*", "?": "."}
        text = "".join(parts.get(letter, re.escape(letter)) for letter in _text(items[3]))
        return _matched(items[0], f"^{text}$")

    def rlike(self, items: List[Any]) -> ex.Node:
        return _matched(items[0], f"^(?:{_text(items[3])})$")

    def null(self, items: List[Any]) -> ex.Node:
        return _call("isnull", items[0], kind=ex.BOOLEAN)

    def sums(self, items: List[Any]) -> ex.Node:
        return _call("sum", *self._nodes(items)) if len(items) > 1 else items[0]

    def signed(self, items: List[Any]) -> ex.Node:
        return items[1]  # type: ignore[no-any-return]

    def number(self, items: List[Any]) -> ex.Node:
        return ex.Literal(float(items[0]) if "." in items[0] else int(items[0]))

    def string(self, items: List[Any]) -> ex.Node:
        return ex.Literal(_text(items[0]))

    def name(self, items: List[Any]) -> ex.Node:
        word = str(items[0])
        constants = {"true": "true", "false": "false", "null": None}
        return ex.Literal(constants[word.lower()]) if word.lower() in constants else ex.Field(_plain(word))

    def count(self, items: List[Any]) -> ex.Node:
        return ex.Literal(None)

    def list(self, items: List[Any]) -> List[Any]:
        return items

    def call(self, items: List[Any]) -> ex.Node:
        name, given = str(items[0]).lower(), items[1] or []
        if name == "case":
            pairs = tuple(zip(given[0::2], given[1::2]))
            return ex.If(pairs, given[-1] if len(given) % 2 else ex.Literal(None))
        if name == "coalesce":
            return ex.Coalesce(tuple(given))
        if name == "concat":
            return ex.Concatenation(tuple(given))
        if name == "starts_with" and isinstance(given[1], ex.Literal):
            return _matched(given[0], "^" + re.escape(str(given[1].constant)))
        if name == "ends_with" and isinstance(given[1], ex.Literal):
            return _matched(given[0], re.escape(str(given[1].constant)) + "$")
        if name == "kql":
            tested = _TESTED.findall(str(given[0].constant))
            return ex.All(tuple(ex.Comparison("=", ex.Field(one), ex.Literal(text.strip('"'))) for one, text in tested))
        return _call(name, *given)
