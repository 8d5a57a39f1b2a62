"""A search's text with the way back to what its author wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from responders.content.spl.errors import SUBSET, SplError


@dataclass(frozen=True)
class Place:
    """Line and column, from 1, in the text as written."""

    line: int
    column: int

    def error(self, message: str, remedy: str = SUBSET) -> SplError:
        """An error at this place."""
        return SplError(message, self.line, self.column, remedy=remedy)


@dataclass(frozen=True)
class Source:
    """`text` has its macros expanded; `origins[i]` is where character i of it stands in `written`."""

    text: str
    origins: Sequence[int]
    written: str

    def place(self, offset: int) -> Place:
        """Where the character at `offset` of `text` was written; past the end means the end."""
        origin = self.origins[offset] if 0 <= offset < len(self.origins) else len(self.written)
        before = self.written[:origin]
        return Place(before.count("\n") + 1, origin - (before.rfind("\n") + 1) + 1)


@dataclass(frozen=True)
class Segment:
    """One command of the pipeline: its name in lower case, and its arguments with their offset in the source."""

    source: Source
    name: str
    name_at: int
    text: str
    text_at: int

    def place(self, offset: int = 0) -> Place:
        """Where the character at `offset` of the arguments was written."""
        return self.source.place(self.text_at + offset)

    @property
    def at(self) -> Place:
        """Where the command's name was written."""
        return self.source.place(self.name_at)
