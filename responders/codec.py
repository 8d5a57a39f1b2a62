"""The model as JSON and back, by its type hints: how the journal stores what flows."""

from __future__ import annotations

import dataclasses
import enum
import functools
import typing
from datetime import datetime
from typing import Any, Dict, Mapping, Tuple, Type, TypeVar

T = TypeVar("T")
_PLAIN = (str, int, float, bool, type(None))
"""What JSON holds as it is: most of what is stored, so it is asked first."""


def to_json(value: Any) -> Any:
    """JSON-able form: dataclasses as objects, sets sorted, times ISO 8601, enums by value."""
    if type(value) in _PLAIN:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: to_json(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(to_json(item) for item in value)
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    return value


def from_json(cls: Type[T], value: Any) -> T:
    """The dataclass `cls` from its JSON form. Raises KeyError, TypeError or ValueError on another shape."""
    hints = _hints(cls)  # type: ignore[arg-type]
    names = _names(cls)  # type: ignore[arg-type]
    return cls(**{name: _decode(hints[name], item) for name, item in value.items() if name in names})


@functools.cache
def _names(cls: Any) -> Tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


@functools.cache
def _parts(hint: Any) -> Tuple[Any, Tuple[Any, ...]]:
    return typing.get_origin(hint), typing.get_args(hint)


@functools.cache
def _hints(cls: Any) -> Dict[str, Any]:
    return typing.get_type_hints(cls)


def _decode(hint: Any, value: Any) -> Any:
    if value is None or hint in _PLAIN:
        return value
    origin, args = _parts(hint)
    if origin is typing.Union:
        return _decode(next(arg for arg in args if arg is not type(None)), value)
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_decode(args[0], item) for item in value)
        return tuple(_decode(arg, item) for arg, item in zip(args, value))
    if origin is frozenset:
        return frozenset(_decode(args[0], item) for item in value)
    if isinstance(hint, type):
        if dataclasses.is_dataclass(hint):
            return from_json(hint, value)
        if issubclass(hint, enum.Enum):
            return hint(value)
        if issubclass(hint, datetime):
            return datetime.fromisoformat(value)
    return value
