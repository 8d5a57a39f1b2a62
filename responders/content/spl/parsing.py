"""Runs the grammars and turns what lark finds wrong into errors that name place and remedy."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from typing import Any, Dict, Tuple

from lark import Lark, Token, Transformer, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from responders.content.spl.errors import SplError
from responders.content.spl.source import Place, Segment

_GRAMMARS: Dict[str, Tuple[Tuple[str, ...], Tuple[str, ...]]] = {
    "expression": (("expression.lark", "aggregate.lark"), ("where", "eval", "aggregate")),
    "search": (("search.lark",), ("search",)),
    "arguments": (
        ("arguments.lark",),
        (
            *("names", "dedup", "fields", "parts", "rename", "bin", "rex", "sort", "head", "mvexpand"),
            *("lookup", "inputlookup", "outputlookup", "rest"),
        ),
    ),
}


@cache
def _parser(grammar: str) -> Lark:
    files, starts = _GRAMMARS[grammar]
    folder = resources.files("responders.content.spl")
    text = "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in files)
    return Lark(text, start=list(starts), parser="lalr", lexer="contextual", maybe_placeholders=True)


@lru_cache(maxsize=4096)
def _tree(grammar: str, start: str, text: str) -> Tree[Token]:
    """The syntax tree, which no builder changes: forty detections hold the same macro."""
    return _parser(grammar).parse(text, start=start)


class Builder(Transformer[Token, Any]):
    """Base of the classes that turn a syntax tree into nodes; knows where each token was written."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(visit_tokens=False)
        self.segment = segment

    def place(self, token: Token) -> Place:
        """Where the token was written."""
        return self.segment.place(token.start_pos or 0)


def parse(grammar: str, start: str, segment: Segment, builder: Builder) -> Any:
    """The segment's arguments as nodes. Raises SplError."""
    try:
        return builder.transform(_tree(grammar, start, segment.text))
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise segment.place(len(segment.text)).error(
                f"`{segment.name}` ends too early", f"Expected {_expected(error)}"
            ) from None
        raise _unexpected(segment, error, str(error.token)) from None
    except UnexpectedInput as error:
        raise _unexpected(segment, error, segment.text[error.pos_in_stream or 0]) from None
    except VisitError as error:
        if not isinstance(error.orig_exc, RecursionError):
            raise error.orig_exc from None
        raise _too_deep(segment) from None
    except RecursionError:
        raise _too_deep(segment) from None


def _too_deep(segment: Segment) -> SplError:
    return segment.at.error(f"`{segment.name}` is nested too deeply", "Split the expression")


def _unexpected(segment: Segment, error: UnexpectedInput, found: str) -> SplError:
    place = segment.place(error.pos_in_stream or 0)
    if found.startswith("["):
        return place.error("subsearches are not evaluated", "Use a lookup, or search both sources and stats by identity")
    if found.startswith("'") and segment.name == "search":
        return place.error("a single quote in `search`", "Put names and values between double quotes")
    if found.startswith("{") and segment.name in ("eval", "where"):
        return place.error("unquoted braces in a field name", "Put the field's name between single quotes")
    return place.error(f"unexpected {found[:40]!r} in `{segment.name}`", f"Expected {_expected(error)}")


_PLAIN = {
    "$END": "the end",
    "WORD": "a word",
    "BARE": "a name",
    "NAME": "a name",
    "TARGET": "a field's name",
    "STRING": "text between double quotes",
    "QUOTED": "a field's name between single quotes",
    "NUMBER": "a number",
    "COUNT": "a count",
    "OPTION": "an option (name=value)",
    "COMPARE": "a comparison",
    "ADD": "+ or -",
    "MULTIPLY": "*, / or %",
    "DOT": "a period",
    "COMMA": "a comma",
    "EQUAL": "=",
    "LPAR": "(",
    "RPAR": ")",
    "SIGN": "a sign",
}


def _expected(error: UnexpectedInput) -> str:
    names = getattr(error, "expected", None) or getattr(error, "allowed", None) or ()
    return "one of " + ", ".join(sorted(_PLAIN.get(str(name), str(name)) for name in names)) if names else "the end"


def unquote(token: str) -> str:
    """A string's text: `\\"` and `\\\\` are escapes, every other backslash stays (so that "\\d" is a regex)."""
    if token[:1] == '"' and token[-1:] == '"' and len(token) > 1:
        return token[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")
    if token[:1] == "'" and token[-1:] == "'" and len(token) > 1:
        return token[1:-1]
    return token
