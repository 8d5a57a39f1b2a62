"""The `search` command's expressions.

Values are compared without regard to case, `*` stands for any text, field names keep their case ("search", Search
Reference; "Field expressions"). `field!=value` needs the field, `NOT field=value` does not ("Difference between != and
NOT", Search Manual). A bare word or phrase is looked for in `_raw` between breakers ("About event segmentation").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, List, Pattern, Sequence, Tuple

from lark import Token

from responders.content.spl.functions.logic import inside, network
from responders.content.spl.parsing import Builder, parse, unquote
from responders.content.spl.patterns import token, wildcard
from responders.content.spl.source import Place, Segment
from responders.content.spl.splunktime import relative
from responders.content.spl.values import Row, compare, number, text

RAW = "_raw"
_TIMES = ("earliest", "latest", "_index_earliest", "_index_latest", "starttime", "endtime")
_KNOWLEDGE = ("eventtype", "tag", "savedsearch", "savedsplunk")


@dataclass(frozen=True)
class Test:
    """A condition on a row at the search's time (epoch seconds), the fields it reads, and what it compares them with."""

    holds: Callable[[Row, float], bool]
    reads: FrozenSet[str]
    parts: Tuple[Test, ...] = ()
    compared: FrozenSet[Tuple[str, str]] = frozenset()


def conjuncts(test: Test) -> Sequence[Test]:
    """The tests that must all hold for `test` to hold."""
    return test.parts or (test,)


def parse_search(segment: Segment) -> Test:
    """The test of a search command's arguments. Raises SplError."""
    return parse("search", "search", segment, _SearchBuilder(segment))  # type: ignore[no-any-return]


class _SearchBuilder(Builder):
    def search(self, items: List[Any]) -> Test:
        return items[0] or Test(lambda row, now: True, frozenset())

    def every(self, items: List[Any]) -> Test:
        parts = tuple(part for item in items if isinstance(item, Test) for part in conjuncts(item))
        tests = [part.holds for part in parts]
        return Test(lambda row, now: all(test(row, now) for test in tests), _union(parts), parts, _compared(parts))

    def any(self, items: List[Any]) -> Test:
        parts = [item for item in items if isinstance(item, Test)]
        tests = [part.holds for part in parts]
        return Test(lambda row, now: any(test(row, now) for test in tests), _union(parts), (), _compared(parts))

    def negation(self, items: List[Any]) -> Test:
        test = items[1]
        return Test(lambda row, now: not test.holds(row, now), test.reads, (), test.compared)

    def word(self, items: List[Token]) -> Token:
        return items[0]

    def compare(self, items: List[Token]) -> Test:
        field, operator, value = items
        return self._field_test(field, str(operator), [value])

    def within(self, items: List[Token]) -> Test:
        return self._field_test(items[0], "=", items[2:])

    def _field_test(self, field: Token, operator: str, values: List[Token]) -> Test:
        name, place = unquote(str(field)), self.place(field)
        if name in ("earliest", "latest"):
            return _time_test(name, operator, values, place)
        if name in _TIMES:
            raise place.error(f"{name}= is not evaluated", "Give the time range in the search's settings (dispatch.*)")
        if name in _KNOWLEDGE or name.startswith("tag::"):
            raise place.error(f"{name}= is not evaluated", "Write out what the tag or event type stands for")
        if "*" in name:
            raise place.error("a wildcard in a field's name is not evaluated here", "Name the field")
        tests = [_value_test(operator, unquote(str(value)), self.place(value)) for value in values]
        test = tests[0] if len(tests) == 1 else lambda value: any(one(value) for one in tests)

        def holds(row: Row, now: float) -> bool:
            value = row.get(name)
            if type(value) is list:
                return any(test(item) for item in value)
            return value is not None and test(value)

        return Test(holds, frozenset((name,)), (), frozenset((name, unquote(str(value))) for value in values))

    def free(self, items: List[Token]) -> Test:
        written, place = str(items[0]), self.place(items[0])
        if written in ("and", "or", "not", "in", "xor", "XOR"):
            remedy = "Write AND, OR, NOT, IN in capitals, or put the word between double quotes"
            raise place.error(f"{written!r} is a word to look for here, not an operator", remedy)
        if written in ("TERM", "CASE"):
            raise place.error(f"{written}() is not evaluated", "Compare a field instead")
        term = unquote(written)
        if not term.strip("*"):
            return Test(lambda row, now: True, frozenset())
        pattern = token(term)
        return Test(lambda row, now: pattern.search(text(row.get(RAW, ""))) is not None, frozenset((RAW,)))


def _union(parts: Sequence[Test]) -> FrozenSet[str]:
    return frozenset().union(*(part.reads for part in parts))


def _compared(parts: Sequence[Test]) -> FrozenSet[Tuple[str, str]]:
    return frozenset().union(*(part.compared for part in parts))


def _time_test(name: str, operator: str, values: Sequence[Token], place: Place) -> Test:
    """A time range of one clause of several, relative to the search's time. Splunk's `search` takes several (as "tstats",
    Search Reference, Limitations says in passing); only earlier than latest, as there."""
    modifier = unquote(str(values[0])) if len(values) == 1 and operator == "=" else ""
    if relative(0.0, modifier) is None:
        raise place.error(f"{name}= with what is no relative time", f"Write {name}=-35m, or give it in dispatch.*")
    early = name == "earliest"

    def holds(row: Row, now: float) -> bool:
        at, limit = number(row.get("_time")), relative(now, modifier)
        return at is not None and limit is not None and (at >= limit if early else at < limit)

    return Test(holds, frozenset(("_time",)))


def _value_test(operator: str, value: str, place: Place) -> Callable[[Any], bool]:
    equal = operator in ("=", "==")
    if operator not in ("=", "==", "!="):
        if "*" in value:
            raise place.error(f"a wildcard after {operator}", "Use = or != with a wildcard")
        return lambda found: compare(operator, found, value)
    matches = _equals(value)
    return matches if equal else lambda found: not matches(found)


def _equals(value: str) -> Callable[[Any], bool]:
    if "*" in value:
        pattern: Pattern[str] = wildcard(value, ignore_case=True)
        return lambda found: pattern.match(text(found)) is not None
    folded, size = value.casefold(), number(value)
    if size is not None:
        return lambda found: number(found) == size or text(found).casefold() == folded
    if "/" in value and network(value) is not None:
        return lambda found: inside(value, text(found)) or text(found).casefold() == folded
    return lambda found: (found if type(found) is str else text(found)).casefold() == folded
