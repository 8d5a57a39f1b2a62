"""Builds stats, eventstats and streamstats, with their options checked."""

from __future__ import annotations

from typing import Any, Dict

from responders.content.spl.building import parse_where
from responders.content.spl.commands.arguments import Option, boolean, options, whole
from responders.content.spl.commands.base import Command
from responders.content.spl.commands.statistics import EventStats, Stats, StreamStats, Window
from responders.content.spl.commands.terms import parse_aggregation
from responders.content.spl.expressions import Node
from responders.content.spl.source import Segment, Source
from responders.content.spl.splunktime import span_seconds

# limits.conf.spec, [stats]: max_stream_window.
STREAM_LIMIT = 10_000


def span_of(option: Option) -> float:
    """A span such as 10m in seconds. Raises SplError."""
    found = span_seconds(str(option.value))
    if not found:
        raise option.at.error(f"{option.name} can't read {option.value!r}", "Write a span such as 10m")
    return found


def build_stats(segment: Segment) -> Command:
    """The `stats` of a segment. Raises SplError."""
    parsed = parse_aggregation(segment)
    options(segment, list(parsed.options), {})
    return Stats(segment.at, parsed.terms, parsed.by)


def build_eventstats(segment: Segment) -> Command:
    """The `eventstats` of a segment. Raises SplError."""
    parsed = parse_aggregation(segment)
    options(segment, list(parsed.options), {})
    return EventStats(segment.at, parsed.terms, parsed.by)


def build_streamstats(segment: Segment) -> Command:
    """The `streamstats` of a segment. Raises SplError."""
    parsed = parse_aggregation(segment)

    def rows(option: Option) -> int:
        count = whole(option)
        if count > STREAM_LIMIT:
            raise option.at.error(f"window is at most {STREAM_LIMIT}", "Use time_window, or a smaller window")
        return count

    def condition(option: Option) -> Node:
        if isinstance(option.value, Node):
            return option.value
        inner = [segment.source.origins[segment.text_at]] * len(option.value)
        source = Source(option.value, inner, segment.source.written)
        return parse_where(Segment(source, option.name, 0, option.value, 0))

    given: Dict[str, Any] = options(
        segment,
        list(parsed.options),
        {
            "window": rows,
            "time_window": span_of,
            "current": boolean,
            "global": boolean,
            "reset_on_change": boolean,
            "reset_before": condition,
            "reset_after": condition,
        },
    )
    window = Window(
        given.get("window", 0),
        given.get("time_window", 0),
        given.get("current", True),
        given.get("global", True),
        given.get("reset_on_change", False),
        given.get("reset_before"),
        given.get("reset_after"),
    )
    return StreamStats(segment.at, parsed.terms, parsed.by, window, STREAM_LIMIT)
