"""Reads a search and runs it over events in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, MutableMapping, Sequence, Set, Tuple, Union

from responders.content.spl import extraction
from responders.content.spl.commands import BUILDERS, Command, Run
from responders.content.spl.commands.base import matcher
from responders.content.spl.commands.filtering import SearchCommand
from responders.content.spl.commands.lookups import InputLookup
from responders.content.spl.commands.reporting import Rest
from responders.content.spl.errors import SplError
from responders.content.spl.expressions import Env
from responders.content.spl.macros import Macro, expand
from responders.content.spl.pipeline import segments
from responders.content.spl.searching import Test, conjuncts
from responders.content.spl.values import Row, from_event

MAX_ROWS = 1_000_000
_GENERATING = (InputLookup, Rest)
# Set at index time: known without reading the event's text.
_METADATA: FrozenSet[str] = frozenset(
    ("_raw", "_time", "_indextime", "index", "sourcetype", "source", "host", "splunk_server")
)


@dataclass
class Context:
    """What a search sees besides the events.

    `lookups` maps a table's name to its rows; `outputlookup` replaces entries. `now` is epoch seconds. `rest` maps an
    endpoint of splunkd to the rows that it answers with.
    """

    macros: Mapping[str, Macro]
    lookups: MutableMapping[str, List[Dict[str, Any]]]
    now: float
    max_rows: int = MAX_ROWS
    extraction_limit: int = extraction.AUTOMATIC_LIMIT
    rest: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Search:
    """A search that was read without error."""

    text: str
    commands: Tuple[Command, ...] = ()

    def fields_read(self) -> Set[str]:
        """The fields it reads from the events, by name, as far as the text tells; wildcards stay as written."""
        read: Set[str] = set()
        made: Set[str] = set()
        for command in self.commands:
            known = matcher(tuple(made))
            read |= {name for name in command.reads() if not known(name)}
            made |= command.writes()
            if command.transforms():
                break
        return read


def parse(text: str, macros: Mapping[str, Macro] = {}) -> Search:
    """Reads a search, with its macros expanded.

    Raises SplError, with line and column of the text as written, for a command, option, function or statistic that
    the subset does not have, and for anything else that Splunk would not accept.
    """
    commands: List[Command] = []
    for segment in segments(expand(text, macros)):
        build = BUILDERS.get(segment.name)
        if build is None:
            remedy = f"Use one of {', '.join(sorted(BUILDERS))}"
            raise segment.at.error(f"unknown command {segment.name!r}", remedy)
        command = build(segment)
        if isinstance(command, InputLookup) and not command.append and commands:
            raise segment.at.error("inputlookup without append=true must be the first command", "Add append=true")
        if isinstance(command, Rest) and commands:
            raise segment.at.error("rest must be the first command", "Begin with it")
        if not commands and not isinstance(command, (SearchCommand, *_GENERATING)):
            remedy = "Begin with a search, inputlookup or rest"
            raise segment.at.error(f"`{segment.name}` can't be the first command", remedy)
        commands.append(command)
    return Search(text, tuple(commands))


def run(search: Union[Search, str], events: Iterable[Mapping[str, Any]], context: Context) -> List[Dict[str, Any]]:
    """The rows that the search gives: a dict a row, values str, int, float or, for multivalue fields, list.

    Raises SplError for what only the data can show: a lookup that the context does not declare, rows out of time order
    for a time window, more than `context.max_rows` rows.
    """
    parsed = parse(search, context.macros) if isinstance(search, str) else search
    current = Run(Env(context.now), context.lookups, context.max_rows, context.rest)
    commands = list(parsed.commands)
    try:
        rows = [] if isinstance(commands[0], _GENERATING) else _events(events, context, commands[0])
        for command in commands:
            rows = command.run(rows, current)
            if len(rows) > context.max_rows:
                raise command.at.error(f"over {context.max_rows} rows", "Filter earlier, or raise max_rows")
    except RecursionError:
        raise SplError("the search is nested too deeply to run", 1, 1, remedy="Split its expressions") from None
    return rows


def _events(events: Iterable[Mapping[str, Any]], context: Context, first: Command) -> List[Row]:
    """The events with their fields extracted, without those that the first search drops by its metadata alone."""
    early: List[Test] = []
    if isinstance(first, SearchCommand):
        early = [test for test in conjuncts(first.test) if test.reads <= _METADATA]
    rows: List[Row] = []
    for event in events:
        given = {name: from_event(value) for name, value in event.items()}
        row: Row = {str(name): value for name, value in given.items() if value is not None}
        if not all(test.holds(row, context.now) for test in early):
            continue
        raw = row.get("_raw")
        if isinstance(raw, str):
            row = {**extraction.fields(raw, context.extraction_limit), **row}
        rows.append(row)
        if len(rows) > context.max_rows:
            raise SplError(f"over {context.max_rows} events", 1, 1, remedy="Narrow the time range, or raise max_rows")
    return rows
