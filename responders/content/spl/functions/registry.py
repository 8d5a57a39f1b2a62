"""The table of eval functions, filled by the modules beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional

from responders.content.spl.expressions import VALUE
from responders.content.spl.values import Value, text

Implementation = Callable[..., Value]


@dataclass(frozen=True)
class Function:
    """A function of values: it gets the Env and its evaluated arguments. `most` None means any number.

    `literal` is the position of an argument that must be a literal pattern, which no event can supply; `regex` says
    whether that pattern is a regex. `readable` judges the second argument where it is a literal.
    """

    name: str
    call: Implementation
    least: int
    most: Optional[int]
    kind: str
    literal: Optional[int]
    regex: bool
    readable: Optional[Callable[[str], bool]]


FUNCTIONS: Dict[str, Function] = {}


def function(
    name: str,
    least: int,
    most: Optional[int] = -1,
    *,
    kind: str = VALUE,
    literal: Optional[int] = None,
    regex: bool = True,
    readable: Optional[Callable[[str], bool]] = None,
) -> Callable[[Implementation], Implementation]:
    """Registers an eval function with `least` to `most` arguments (exactly `least` unless `most` is given)."""

    def register(call: Implementation) -> Implementation:
        FUNCTIONS[name] = Function(name, call, least, least if most == -1 else most, kind, literal, regex, readable)
        return call

    return register


def each(call: Callable[[str], Any], value: Value) -> Value:
    """`call` on a scalar's text, or on that of every value of a multivalue field; null for null."""
    if value is None:
        return None
    if type(value) is list:
        return [call(text(item)) for item in value]
    return call(text(value))  # type: ignore[no-any-return]
