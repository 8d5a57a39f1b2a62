"""A parsed document that knows where each of its values stands, so that errors can name the place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Tuple

Path = Tuple[Any, ...]


@dataclass(frozen=True)
class Source:
    """Plain values, the line of each path, and what is wrong with the text itself."""

    name: str
    value: Any
    lines: Mapping[Path, int]
    problems: Tuple[Tuple[int, str], ...] = ()

    def place(self, path: Path) -> str:
        """`file:line` of a path, or of the nearest parent that has a line."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"


class JsonSource(Source):
    """A document that came as JSON: its places are the names of its keys."""

    def place(self, path: Path) -> str:
        return ".".join((self.name, *map(str, path)))


def from_json_value(value: Any, name: str) -> Source:
    """A JSON value as a source."""
    return JsonSource(name, value, {})
