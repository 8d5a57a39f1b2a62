"""rest and timechart (Search Reference), as dashboards use them: detections need neither."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Tuple

from responders.content.spl.commands import arguments
from responders.content.spl.commands.aggregating import span_of
from responders.content.spl.commands.base import Command, Run
from responders.content.spl.commands.statistics import row_time, term_values
from responders.content.spl.commands.terms import Term, parse_aggregation
from responders.content.spl.source import Segment
from responders.content.spl.values import Row, from_event, several, text


@dataclass(frozen=True)
class Rest(Command):
    """What splunkd answers at an endpoint: the rows that the context holds for it."""

    path: str

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        if self.path not in run.rest:
            raise self.at.error(f"no answer for {self.path}", "Declare its rows in the context, empty if it has none")
        return [
            {name: found for name, value in entry.items() if (found := from_event(value)) is not None}
            for entry in run.rest[self.path]
        ]

    def transforms(self) -> bool:
        return True


@dataclass(frozen=True)
class TimeChart(Command):
    """One row for each span from the first event's to the last one's, a column for each value of the split field.

    Splunk's own goes over the whole time range of the search, which is not known here.
    """

    terms: Tuple[Term, ...]
    by: Tuple[str, ...]
    span: float

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        spans: Dict[float, Row] = {}
        cells: Dict[Tuple[float, str], Any] = {}
        for row in rows:
            time = row_time(row)
            if math.isnan(time):
                continue
            start = math.floor(time / self.span) * self.span
            spans.setdefault(start, {"_time": start})
            for term in self.terms:
                brought = term_values(term, row, run.env)
                # A row without the split field is NULL's.
                for value in (several(row.get(self.by[0])) or ["NULL"]) if self.by else [term.name]:
                    aggregate = cells.get((start, text(value)))
                    if aggregate is None:
                        aggregate = cells[(start, text(value))] = term.make()
                    aggregate.enter(brought, time)
        columns = sorted({name for _, name in cells})
        counts = dict.fromkeys(columns, 0) if all(term.argument is None for term in self.terms) else {}
        first, last = min(spans, default=0.0), max(spans, default=-self.span)
        many = 1 + round((last - first) / self.span)
        if many > run.max_rows:
            raise self.at.error(f"over {run.max_rows} spans", "Write a longer span")
        for number in range(many):
            spans.setdefault(first + number * self.span, {"_time": first + number * self.span})
        for start, row in spans.items():
            row.update(counts)
            for name in columns:
                if (start, name) in cells and (found := cells[(start, name)].result()) is not None:
                    row[name] = found
        return [spans[start] for start in sorted(spans)]

    def reads(self) -> FrozenSet[str]:
        return frozenset(self.by).union(*(term.fields() for term in self.terms))

    def transforms(self) -> bool:
        return True


def build_rest(segment: Segment) -> Command:
    """The `rest` of a segment. Raises SplError."""
    items = arguments.read(segment, "rest")
    known = {"splunk_server": arguments.text_of, "count": arguments.whole, "timeout": arguments.whole}
    arguments.options(segment, items, known)
    paths = arguments.names(items)
    if len(paths) != 1 or not paths[0].startswith("/services"):
        raise segment.at.error("rest takes one endpoint", "Write /services/… or /servicesNS/…")
    return Rest(segment.at, paths[0])


def build_timechart(segment: Segment) -> Command:
    """The `timechart` of a segment: with span=, and, where it splits, one statistic and limit=0. Raises SplError."""
    parsed = parse_aggregation(segment)
    given = arguments.options(
        segment, list(parsed.options), {"span": span_of, "limit": arguments.whole, "usenull": arguments.boolean}
    )
    if "span" not in given:
        raise segment.at.error("timechart without span= is not evaluated", "Write span=1d, so that it does not depend")
    if parsed.by and (len(parsed.by) > 1 or len(parsed.terms) > 1 or given.get("limit") != 0):
        raise segment.at.error("timechart splits one statistic by one field", "Write one, and limit=0 to show all values")
    return TimeChart(segment.at, parsed.terms, parsed.by, given["span"])
