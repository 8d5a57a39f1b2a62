"""What all commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, MutableMapping, Sequence, Tuple

from responders.content.spl.expressions import Env
from responders.content.spl.patterns import wildcard
from responders.content.spl.source import Place
from responders.content.spl.values import Row

NOTHING: FrozenSet[str] = frozenset()


@dataclass(frozen=True)
class Run:
    """One run of a search: its clock, its lookup tables (`outputlookup` writes them), how many rows it may hold, and what
    splunkd answers at an endpoint."""

    env: Env
    lookups: MutableMapping[str, List[Dict[str, Any]]]
    max_rows: int
    rest: Mapping[str, Sequence[Mapping[str, Any]]]

    def bounded(self, rows: List[Row], at: Place) -> List[Row]:
        """The rows, or SplError when they are too many."""
        if len(rows) > self.max_rows:
            raise at.error(f"over {self.max_rows} rows", "Filter earlier, or raise max_rows")
        return rows


@dataclass(frozen=True)
class Command:
    """A command of the pipeline. Rows handed in are its own to change."""

    at: Place

    def run(self, rows: List[Row], run: Run) -> List[Row]:
        """The rows that leave the command. Raises SplError."""
        raise NotImplementedError

    def reads(self) -> FrozenSet[str]:
        """The fields it reads by name; wildcards are left as written."""
        return NOTHING

    def writes(self) -> FrozenSet[str]:
        """The fields it makes, which later commands do not read from the events."""
        return NOTHING

    def transforms(self) -> bool:
        """Whether the event's own fields end here: later commands read only what it writes."""
        return False


def matcher(names: Sequence[str]) -> Callable[[str], bool]:
    """Whether a field's name is among these names, which may hold wildcards."""
    plain = frozenset(name for name in names if "*" not in name)
    patterns = [wildcard(name, ignore_case=False) for name in names if "*" in name]
    if not patterns:
        return plain.__contains__
    return lambda name: name in plain or any(pattern.match(name) for pattern in patterns)


def field_names(rows: Iterable[Row]) -> List[str]:
    """Every field of the rows, in the order of first sight."""
    seen: Dict[str, None] = {}
    for row in rows:
        if row.keys() - seen.keys():
            seen.update(dict.fromkeys(row))
    return list(seen)


def put(row: Row, name: str, value: Any) -> None:
    """Sets a field; null takes it away."""
    if value is None:
        row.pop(name, None)
    else:
        row[name] = value


Renames = Tuple[Tuple[str, str], ...]
