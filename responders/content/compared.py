"""The words that SPL compares the names of events with: event types, operations, calls, codes.

A name that no vendor writes finds nothing, for ever: each is in facts/ with the document it is from, or the detection says
in its `not_verified`, as "kind name" in double quotes, that no document was found for it.
"""

from __future__ import annotations

import re
from typing import Collection, Iterator, Mapping, Optional, Sequence, Set, Tuple

from responders.content.detection import Detection
from responders.content.facts import NAMES, Origin, all_facts
from responders.content.raw_fields import families_of
from responders.content.spl import Macro, Search, parse
from responders.content.spl import expressions as ex
from responders.content.spl.commands.filtering import SearchCommand, Where
from responders.content.spl.commands.shaping import Eval
from responders.errors import BadDetection, BadInput

Name = Tuple[str, str]
_SPACE = r"(?:\\W\+|\\s\*|\\s\+|\\b)"
_CHOICE = re.compile(r"\(([^()]*)\)\??|(\w)\?")
_MOST = 64


def unknown_names(detections: Sequence[Detection], macros: Mapping[str, Macro]) -> Iterator[BadInput]:
    """An error for each name of an event that is neither documented nor owned up to, and for each that is both."""
    for one in detections:
        try:
            names = event_names(parse(one.splunk, macros))
        except BadInput:
            continue
        families = families_of(one.splunk, macros)
        said = " ".join(one.not_verified).lower()
        for field, name in sorted(names):
            owned, found = f'"{NAMES[field]} {name}"'.lower() in said, origin_of(NAMES[field], name, families)
            place, called = one.place("not_verified" if owned else "splunk"), f'"{NAMES[field]} {name}"'
            if not owned and not found:
                remedy = (
                    f'add it to responders/content/facts/ with its document, or say in not_verified: "{NAMES[field]} {name}"'
                )
                yield BadDetection(f"splunk: {field} {name}: in no document", place=place, remedy=remedy)
            if owned and found:
                yield BadDetection(f"not_verified: {called} is documented", place=place, remedy="take it out there")


def event_names(search: Search) -> Set[Name]:
    """(field, name) of all that a search compares fields with that say what happened. A pattern counts as every text that
    it stands for, if they are few; * stands for any."""
    found: Set[Name] = set()
    for command in search.commands:
        if isinstance(command, SearchCommand):
            found |= {(field, value) for field, value in command.test.compared if field in NAMES}
        elif isinstance(command, Where):
            found |= _of(command.condition)
        elif isinstance(command, Eval):
            for _, node in command.assignments:
                found |= _of(node)
    return {(field, name) for field, name in found if name.strip("*")}


def _of(node: ex.Node) -> Set[Name]:
    found: Set[Name] = set()
    for part in node.walk():
        if isinstance(part, ex.Comparison) and part.operator in ("=", "==", "!="):
            found |= {(field, text) for field in _fields(part.left) for text in _texts(part.right)}
        elif isinstance(part, ex.Call) and part.name == "in":
            for field in _fields(part.arguments[0]):
                found |= {(field, text) for other in part.arguments[1:] for text in _texts(other)}
        elif isinstance(part, ex.Call) and part.name == "match":
            for field in _fields(part.arguments[0]):
                found |= {(field, text) for pattern in _texts(part.arguments[1]) for text in stands_for(pattern)}
    return found


def _fields(node: ex.Node) -> Set[str]:
    return {node.name} & set(NAMES) if isinstance(node, ex.Field) else set()


def _texts(node: ex.Node) -> Set[str]:
    return {node.constant} if isinstance(node, ex.Literal) and isinstance(node.constant, str) else set()


def stands_for(pattern: str) -> Set[str]:
    """The texts that a pattern from ^ to $ stands for; none for one that is open at an end, or for what is no choice of
    words: such a pattern asks for a part of a name, and names none."""
    inner = re.sub(r"^\(\?i\)", "", pattern)
    if not inner.startswith("^") or not re.search(r"(\$|\\\\?b)$", inner):
        return set()
    found = {re.sub(_SPACE, " ", re.sub(r"(\\s\*)?(\$|\\\\?b)$", "", inner[1:])).replace(".*", "*")}
    while any(_CHOICE.search(text) for text in found) and len(found) <= _MOST:
        found = {made for text in found for made in _unfolded(text)}
    words = {" ".join(text.split()) for text in found}
    return words if len(words) <= _MOST and not any(re.search(r"[][(){}+?\\]", text) for text in words) else set()


def _unfolded(text: str) -> Set[str]:
    """The innermost choice of a text taken apart, or a letter that may be missing."""
    choice = _CHOICE.search(text)
    if choice is None:
        return {text}
    options = [choice[2]] if choice[1] is None else choice[1].split("|")
    if text[choice.end() - 1] == "?":
        options = [*options, ""]
    return {f"{text[: choice.start()]}{option}{text[choice.end() :]}" for option in options}


def origin_of(kind: str, name: str, families: Collection[str]) -> Optional[Origin]:
    """The document that has a name of an event in the logs of these families; case and what separates words do not count."""
    wanted = re.compile(re.escape(name.lower()).replace(r"\*", ".*").replace(r"\ ", r"\W+"))
    for family in sorted(families):
        for other, origin in all_facts()[family].names.get(kind, {}).items():
            if wanted.fullmatch(other.lower()):
                return origin
    return None
