"""YAML with the line of every value, so that errors can name file and line. Only build and command line import it."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, List, Optional, Tuple

import yaml

from responders.source import Path, Source

__all__ = ["Path", "Source", "parse"]
_QUICK: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml reads ten times as fast; PyYAML may be built without it. What it refuses, PyYAML explains."""
MOST = 16 * 1024 * 1024
DEEPEST = 32


def parse(text: str, name: str) -> Source:
    """Parse YAML. Syntax errors, duplicate keys and aliases come back as problems (line, what)."""
    if len(text) > MOST:
        return Source(name, None, {}, ((1, f"is {len(text)} characters long, {MOST} at most"),))
    text = text[1:] if text.startswith("\ufeff") else text
    with contextlib.suppress(yaml.YAMLError, RecursionError, ValueError):
        return _parse(text, name, _QUICK)
    try:
        return _parse(text, name, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        return Source(name, None, {}, ((mark.line + 1 if mark else 1, f"not YAML: {what}"),))


def _parse(text: str, name: str, loader: Any) -> Source:
    bomb = _bomb(text, loader)
    if bomb is not None:
        return Source(name, None, {}, (bomb,))
    lines: Dict[Path, int] = {}
    problems: List[Tuple[int, str]] = []
    node = yaml.compose(text, Loader=loader)
    value = _build(node, (), lines, problems) if node is not None else None
    return Source(name, value, lines, tuple(problems))


def _bomb(text: str, loader: Any) -> Optional[Tuple[int, str]]:
    """What would grow beyond all bounds, found before anything is built: (line, what)."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            return line, "aliases are not used here: write the value out"
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            return line, f"is nested more than {DEEPEST} deep"
    return None


def _build(node: Any, path: Path, lines: Dict[Path, int], problems: List[Tuple[int, str]]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: Dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node, problems)
            if key in found:
                problems.append((key_node.start_mark.line + 1, f"duplicate key {key!r}"))
            found[key] = _build(value_node, (*path, key), lines, problems)
            here = (*path, key)
            lines[here] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, place), lines, problems) for place, item in enumerate(node.value)]
    return _scalar(node, problems)


def _scalar(node: Any, problems: List[Tuple[int, str]]) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        problems.append((node.start_mark.line + 1, "a key must be text"))
        return f"line {node.start_mark.line + 1}"
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        what = getattr(error, "problem", None) or str(error)
        problems.append((node.start_mark.line + 1, f"not a plain value: {what}"))
        return str(node.value)
    finally:
        loader.dispose()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(node.value)
