"""Reads the arguments of the commands that take names and options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from lark import Token

from responders.content.spl.parsing import Builder, parse, unquote
from responders.content.spl.source import Place, Segment


@dataclass(frozen=True)
class Name:
    """A field's name as an argument, and what it shall be called after AS."""

    text: str
    at: Place
    renamed: Optional[str] = None

    @property
    def target(self) -> str:
        """The name after AS, else the name."""
        return self.renamed if self.renamed is not None else self.text


@dataclass(frozen=True)
class Target:
    """What stands after an AS that may stand apart from its field."""

    text: str


@dataclass(frozen=True)
class Option:
    """`name=value`."""

    name: str
    value: Any
    at: Place


class ArgumentsBuilder(Builder):
    """Names, renames and options as objects; the rest of the tree as flat lists of them and of tokens."""

    def name(self, items: List[Token]) -> Name:
        return Name(unquote(str(items[0])), self.place(items[0]))

    def target(self, items: List[Any]) -> Target:
        return Target(items[1].text)

    def renamed(self, items: List[Any]) -> Name:
        source, _, target = items
        return Name(source.text, source.at, target.text)

    def pair(self, items: List[Any]) -> Name:
        source, target = items[0], items[2] if len(items) > 2 else None
        return Name(source.text, source.at, target.text if target else None)

    def option(self, items: List[Any]) -> Option:
        token, value = items
        plain = unquote(str(value)) if isinstance(value, Token) else value
        return Option(str(token).rstrip("= \t\r\n").lower(), plain, self.place(token))

    def key(self, items: List[Any]) -> Tuple[Any, ...]:
        return tuple(items)

    def __default__(self, data: Any, children: List[Any], meta: Any) -> List[Any]:
        return [child for child in children if child is not None]


def read(segment: Segment, start: str) -> List[Any]:
    """The arguments by the grammar's rule `start`: Name, Option and Token objects. Raises SplError."""
    return parse("arguments", start, segment, ArgumentsBuilder(segment))  # type: ignore[no-any-return]


def boolean(option: Option) -> bool:
    """true/false, t/f, 1/0. Raises SplError."""
    value = str(option.value).lower()
    if value not in ("true", "t", "1", "false", "f", "0"):
        raise option.at.error(f"{option.name}= is true or false, not {option.value!r}", "Write true or false")
    return value in ("true", "t", "1")


def whole(option: Option) -> int:
    """A whole number, not negative. Raises SplError."""
    if not str(option.value).isdecimal() or len(str(option.value)) > 9:
        raise option.at.error(f"{option.name}= is a whole number, not {option.value!r}", "Write a number")
    return int(option.value)


def text_of(option: Option) -> str:
    """The option as written."""
    return str(option.value)


def options(segment: Segment, items: List[Any], known: Mapping[str, Callable[[Option], Any]]) -> Dict[str, Any]:
    """The options among the arguments, read. Raises SplError for one that this subset does not evaluate."""
    found: Dict[str, Any] = {}
    for item in items:
        if isinstance(item, Option):
            if item.name not in known:
                remedy = f"Known here: {', '.join(sorted(known)) or 'none'}"
                raise item.at.error(f"`{segment.name}` has no option {item.name!r} in this subset", remedy)
            found[item.name] = known[item.name](item)
    return found


def names(items: List[Any]) -> Tuple[str, ...]:
    """The plain names among the arguments."""
    return tuple(item.text for item in items if isinstance(item, Name))
