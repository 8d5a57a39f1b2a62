"""Search macros: `` `name` `` and `` `name(argument, …)` ``, and comments between triple backticks.

Follows "Use search macros in searches" and "Define search macros" (Splunk Knowledge Manager Manual), macros.conf.spec
and "Add comments to searches" (Search Manual).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Mapping, Sequence, Tuple

from responders.content.spl.source import Place, Source

DEEPEST = 50
LONGEST = 1_000_000
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|```.*?```|`|[^"`]+|"', re.DOTALL)
_CALL = re.compile(r"\s*([\w.:-]+)\s*(?:\((.*)\))?\s*\Z", re.DOTALL)
_ARGUMENT = re.compile(r'((?:"(?:\\.|[^"\\])*"|[^,"]|")*)(,|\Z)', re.DOTALL)


@dataclass(frozen=True)
class Macro:
    """A macro as macros.conf holds it: `definition` with `$name$` where the argument `name` goes."""

    name: str
    definition: str
    args: Tuple[str, ...] = ()


def expand(written: str, macros: Mapping[str, Macro]) -> Source:
    """The text with macros expanded and comments blanked.

    `macros` is keyed by name, or by `name(n)` where one name has forms with n arguments.
    Raises SplError for an unknown macro, a wrong number of arguments, or macros that call each other in a circle.
    """
    text: List[str] = []
    origins: List[int] = []
    whole = Source(written, range(len(written)), written)
    _expand(whole, range(len(written)), macros, (), text, origins)
    return Source("".join(text), origins, written)


def _expand(
    source: Source,
    origins: Sequence[int],
    macros: Mapping[str, Macro],
    inside: Tuple[str, ...],
    text: List[str],
    out: List[int],
) -> None:
    body = source.text
    position = 0
    while position < len(body):
        found = _PIECE.match(body, position)
        assert found is not None
        piece, start = found.group(), position
        position = found.end()
        place = Source(body, origins, source.written).place(start)
        if piece == "`":
            end = _closing(body, position)
            if end < 0:
                raise place.error("a backtick without its pair", "Close the macro's name with a second backtick")
            definition, name = _called(body[position:end], macros, inside, place)
            here = [origins[start]] * len(definition)
            _expand(Source(definition, here, source.written), here, macros, (*inside, name), text, out)
            position = end + 1
        else:
            text.append(" " * len(piece) if piece.startswith("```") else piece)
            out.extend(origins[start:position])
        if len(out) > LONGEST:
            raise place.error(f"macros expand to over {LONGEST} characters", "Shorten the macros")


def _closing(body: str, position: int) -> int:
    for found in _PIECE.finditer(body, position):
        if found.group() == "`":
            return found.start()
    return -1


def _called(call: str, macros: Mapping[str, Macro], inside: Tuple[str, ...], place: Place) -> Tuple[str, str]:
    parsed = _CALL.match(call)
    if parsed is None:
        raise place.error(f"`{call.strip()}` is not a macro call", "Write `name` or `name(argument, ...)`")
    name, listed = parsed.group(1), parsed.group(2)
    values = _arguments(listed) if listed is not None and listed.strip() else []
    macro = macros.get(f"{name}({len(values)})") or macros.get(name)
    if macro is None:
        raise place.error(f"unknown macro {name!r} with {len(values)} argument(s)", "Define it, or correct its name")
    if len(macro.args) != len(values):
        raise place.error(
            f"macro {name!r} takes {len(macro.args)} argument(s), not {len(values)}",
            'Put an argument that holds a comma between double quotes: "a, b"',
        )
    key = f"{name}({len(values)})"
    if key in inside or len(inside) >= DEEPEST:
        raise place.error(f"macro {name!r} calls itself", "Break the circle: " + " -> ".join((*inside, key)))
    given = dict(zip(macro.args, values))
    definition = re.sub(r"\$([\w-]+)\$", lambda hit: given.get(hit.group(1), hit.group()), macro.definition)
    return definition, key


def _arguments(listed: str) -> List[str]:
    """Split at commas outside quotes; quotes around a whole argument delimit it and are not part of it."""
    values: List[str] = []
    for found in _ARGUMENT.finditer(listed):
        value = found.group(1).strip()
        if re.fullmatch(r'"(?:\\.|[^"\\])*"', value, re.DOTALL):
            value = value[1:-1].replace('\\"', '"')
        values.append(value)
        if not found.group(2):
            break
    return values
