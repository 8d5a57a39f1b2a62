"""stats, eventstats and streamstats (Search Reference)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any, Deque, Dict, FrozenSet, List, Optional, Sequence, Tuple

from responders.content.spl.aggregations import Aggregate
from responders.content.spl.commands.base import Command, Run, field_names, put
from responders.content.spl.commands.terms import Term
from responders.content.spl.expressions import BOOLEAN, Env, Node
from responders.content.spl.values import Row, number, several, text, truth

Key = Tuple[Any, ...]


def row_time(row: Row) -> float:
    """The row's `_time`, NaN when it has none."""
    found = number(row.get("_time"))
    return math.nan if found is None else found


def term_values(term: Term, row: Row, env: Env) -> List[Any]:
    """What a row brings to a term: its values, or [1] for a bare count and for a condition that holds."""
    if isinstance(term.argument, Node):
        value = term.argument.value(row, env)
        return several(value) if term.argument.kind != BOOLEAN and not isinstance(value, bool) else [1] * truth(value)
    return [1] if term.argument is None else several(row.get(term.argument))


def resolved(terms: Sequence[Term], rows: Sequence[Row], by: Sequence[str]) -> List[Term]:
    """The terms with wildcards spelled out over the fields that the rows have."""
    if not any(term.wildcarded for term in terms):
        return list(terms)
    present = [name for name in field_names(rows) if not name.startswith("_") and name not in by]
    return [one for term in terms for one in (term.spelled(present) if term.wildcarded else [term])]


@dataclass(frozen=True)
class Aggregating(Command):
    """What the three share: terms, and the fields that group."""

    terms: Tuple[Term, ...]
    by: Tuple[str, ...]

    def reads(self) -> FrozenSet[str]:
        read = set(self.by)
        for term in self.terms:
            read |= term.fields()
        return frozenset(read)

    def writes(self) -> FrozenSet[str]:
        return frozenset(term.name for term in self.terms)


def combinations(row: Row, by: Sequence[str]) -> List[Key]:
    """The groups a row belongs to: one for each value of a multivalue field, none when a field is null."""
    found: List[Key] = [()]
    for name in by:
        found = [(*head, item) for head in found for item in several(row.get(name))]
    return found


class Stats(Aggregating):
    """One row a group, sorted by the group's values; one row in all without `by`."""

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        terms = resolved(self.terms, rows, self.by)
        groups: Dict[Key, List[Aggregate]] = {} if self.by else {(): [term.make() for term in terms]}
        shown: Dict[Key, Key] = {(): ()}
        for row in rows:
            if math.prod(len(several(row.get(name))) for name in self.by) > run.max_rows:
                raise self.at.error(f"over {run.max_rows} groups in one row", "Expand or filter the multivalue fields")
            time, brought = row_time(row), [term_values(term, row, run.env) for term in terms]
            for values_of_key in combinations(row, self.by):
                key = tuple(map(text, values_of_key))
                held = groups.get(key)
                if held is None:
                    held, shown[key] = [term.make() for term in terms], values_of_key
                    groups[key] = held
                    if len(groups) > run.max_rows:
                        raise self.at.error(f"over {run.max_rows} groups", "Group by fewer fields, or raise max_rows")
                for aggregate, values in zip(held, brought):
                    aggregate.enter(values, time)
        results: List[Row] = []
        for key in sorted(groups):
            result: Row = dict(zip(self.by, shown[key]))
            for term, aggregate in zip(terms, groups[key]):
                put(result, term.name, aggregate.result())
            results.append(result)
        return results

    def transforms(self) -> bool:
        return True

    def writes(self) -> FrozenSet[str]:
        return super().writes() | frozenset(self.by)


def one_key(row: Row, by: Sequence[str]) -> Optional[Key]:
    """The one group of a row in eventstats and streamstats: a multivalue field groups by all its values together."""
    values = [row.get(name) for name in by]
    if any(value is None for value in values):
        return None
    return tuple(tuple(text(item) for item in several(value)) for value in values)


class EventStats(Aggregating):
    """Adds the group's statistics to each of its rows; a row that lacks a by-field stays as it is."""

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        terms = resolved(self.terms, rows, self.by)
        groups: Dict[Key, List[Aggregate]] = {}
        belongs = [one_key(row, self.by) for row in rows]
        for row, key in zip(rows, belongs):
            if key is not None:
                if key not in groups:
                    groups[key] = [term.make() for term in terms]
                for aggregate, term in zip(groups[key], terms):
                    aggregate.enter(term_values(term, row, run.env), row_time(row))
        results = {key: [aggregate.result() for aggregate in held] for key, held in groups.items()}
        for row, key in zip(rows, belongs):
            if key is not None:
                for term, value in zip(terms, results[key]):
                    put(row, term.name, value)
        return rows


Entry = Tuple[float, Key, List[List[Any]]]


@dataclass(frozen=True)
class Window:
    """streamstats' options. `seconds` and `rows` are 0 where there is no such limit."""

    rows: int = 0
    seconds: float = 0
    current: bool = True
    shared: bool = True
    on_change: bool = False
    before: Optional[Node] = None
    after: Optional[Node] = None

    @property
    def slides(self) -> bool:
        """Whether rows ever leave."""
        return bool(self.rows or self.seconds)


@dataclass(frozen=True)
class StreamStats(Aggregating):
    """Adds the statistics of the rows so far, or of the window that ends at the row, to each row."""

    window: Window
    stream_limit: int

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        terms = resolved(self.terms, rows, self.by)
        if self.window.seconds:
            self._check_order(rows)
        state = _Stream(self.window, self.stream_limit, terms)
        previous: Optional[Key] = None
        written = 0
        for row in rows:
            key = one_key(row, self.by)
            if key is None:
                continue
            changed = self.window.on_change and previous is not None and key != previous
            if changed or (self.window.before is not None and truth(self.window.before.value(row, run.env))):
                state.reset()
            previous = key
            entry: Entry = (row_time(row), key, [term_values(term, row, run.env) for term in terms])
            results = state.step(entry)
            for term, value in zip(terms, results):
                put(row, term.name, value)
                written += len(value) if isinstance(value, list) else 0
            if written > run.max_rows * 5:
                raise self.at.error("multivalue results grow without bound", "Use dc() here, or a shorter window")
            if self.window.after is not None and truth(self.window.after.value(row, run.env)):
                state.reset()
        return rows

    def _check_order(self, rows: List[Row]) -> None:
        times = [row_time(row) for row in rows]
        if any(math.isnan(time) for time in times):
            raise self.at.error("streamstats time_window met a row without _time", "Keep _time up to this command")
        rising = all(a <= b for a, b in zip(times, times[1:]))
        if not rising and not all(a >= b for a, b in zip(times, times[1:])):
            raise self.at.error("streamstats time_window needs rows in time order", "Put `sort 0 _time` before it")


class _Stream:
    """The windows of one streamstats: one for all groups, or one for each when `global=false`."""

    def __init__(self, window: Window, limit: int, terms: List[Term]) -> None:
        self.window, self.limit, self.terms = window, limit, terms
        self.reset()

    def reset(self) -> None:
        """Forgets every row."""
        self.groups: Dict[Key, List[Aggregate]] = {}
        self.queues: Dict[Key, Deque[Entry]] = {}

    def step(self, entry: Entry) -> List[Any]:
        """Takes a row in and gives its statistics."""
        time, key, _ = entry
        held = self.groups.get(key)
        if held is None:
            held = self.groups[key] = [term.make() for term in self.terms]
        queue = self.queues.setdefault(() if self.window.shared else key, deque())
        if self.window.slides:
            self._expire(queue, time)
        if not self.window.current:
            results = [aggregate.result() for aggregate in held]
            self._enter(entry, held, queue)
            return results
        self._enter(entry, held, queue)
        return [aggregate.result() for aggregate in held]

    def _enter(self, entry: Entry, held: List[Aggregate], queue: Deque[Entry]) -> None:
        for aggregate, values in zip(held, entry[2]):
            aggregate.enter(values, entry[0])
        if self.window.slides:
            queue.append(entry)

    def _expire(self, queue: Deque[Entry], time: float) -> None:
        room = (self.window.rows or self.limit) - (1 if self.window.current else 0)
        seconds = self.window.seconds
        while queue and (len(queue) > room or (seconds and abs(time - queue[0][0]) >= seconds)):
            _, key, brought = queue.popleft()
            for aggregate, values in zip(self.groups[key], brought):
                aggregate.leave(values)
