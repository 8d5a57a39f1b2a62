"""YAML with the line of every value, so that errors can name file and line. Only build and command line import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Tuple

import yaml

Path = Tuple[Any, ...]


@dataclass(frozen=True)
class Source:
    """A parsed document: plain values, the line of each path, and what is wrong with the text itself."""

    name: str
    value: Any
    lines: Mapping[Path, int]
    problems: Tuple[Tuple[int, str], ...] = ()

    def place(self, path: Path) -> str:
        """`file:line` of a path, or of the nearest parent that has a line."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"


def parse(text: str, name: str) -> Source:
    """Parse YAML. Syntax errors, duplicate keys and aliases come back as problems (line, what)."""
    lines: Dict[Path, int] = {}
    problems: List[Tuple[int, str]] = []
    try:
        events = list(yaml.parse(text, Loader=yaml.SafeLoader))
        aliases = [event for event in events if isinstance(event, yaml.AliasEvent)]
        if aliases:
            mark = aliases[0].start_mark
            line = mark.line + 1 if mark else 1
            return Source(name, None, {}, ((line, "aliases are not used here: write the value out"),))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = _build(node, (), lines, problems) if node is not None else None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        return Source(name, None, {}, ((mark.line + 1 if mark else 1, f"not YAML: {what}"),))
    return Source(name, value, lines, tuple(problems))


def _build(node: Any, path: Path, lines: Dict[Path, int], problems: List[Tuple[int, str]]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: Dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node)
            if key in found:
                problems.append((key_node.start_mark.line + 1, f"duplicate key {key!r}"))
            found[key] = _build(value_node, (*path, key), lines, problems)
            here = (*path, key)
            lines[here] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, place), lines, problems) for place, item in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: Any) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        return str(node.value)
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node, deep=True)
    finally:
        loader.dispose()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(node.value)
