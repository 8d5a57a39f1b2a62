"""The values that searches compare a log's fields with: each text and each alternative of a regex, of the SPL and of the
ES|QL, is in facts/ with where it is documented, or there among what no document was found for.

A misspelt value is as silent as a misspelt field. Case and punctuation are not compared: the examples show those. Elastic's
fields have other names than the raw log's, so there a value may be that of any field of the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, FrozenSet, Iterator, Mapping, Optional, Sequence, Set, Tuple

from responders.content.alternatives import alternatives, has_words
from responders.content.compared import stands_for
from responders.content.detection import Detection
from responders.content.elastic.esql import steps
from responders.content.elastic.query import expand
from responders.content.facts import NAMES, Origin, all_facts
from responders.content.literals import Compared, compared, spl_steps
from responders.content.raw_fields import families_of
from responders.content.spl import Macro, parse
from responders.content.spl.patterns import regex
from responders.errors import BadDetection, BadInput, BadInputs

_NO_FACT = frozenset(("", "null", "*", "-", "true", "false", *"0123456789"))
"""How a log, or an add-on, writes that a field has no value; JSON's constants; flags and small counts."""
_OWNED = re.compile(r'"(\w+) ([^"]+)"')


@dataclass(frozen=True)
class Asked:
    """A value that a search asks for, or one alternative of a pattern. `origin` is None where no facts have it."""

    fields: FrozenSet[str]
    text: str
    origin: Optional[Origin]


def unknown_values(
    detections: Sequence[Detection], macros: Mapping[str, Macro], elastic: Mapping[str, str]
) -> Iterator[BadInput]:
    """An error for each value that is in no facts; once where several detections ask for it. Searches that can't be read
    are left out: they are told already."""
    told: Set[Tuple[str, str]] = set()
    for one in detections:
        for key in ("splunk", "elastic"):
            try:
                found = list(spl_values(one, macros) if key == "splunk" else esql_values(one, elastic, macros))
            except (BadInput, BadInputs):
                continue
            for asked in found:
                if asked.origin is None and (key, asked.text) not in told:
                    told.add((key, asked.text))
                    what = f"{key}: {' or '.join(sorted(asked.fields)[:3])} is compared with {asked.text!r}, in no document"
                    remedy = "correct it, or add it to `values` in responders/content/facts/ with its document"
                    yield BadDetection(what, place=one.place(key), remedy=remedy)


def spl_values(one: Detection, macros: Mapping[str, Macro]) -> Iterator[Asked]:
    """What its SPL asks for. Names of events are compared.py's, but for patterns that name none by themselves."""
    families = frozenset(families_of(one.splunk, macros))
    for asked in compared(spl_steps(parse(one.splunk, macros))):
        if asked.flow.fields & set(NAMES) and (not asked.pattern or stands_for(asked.text)):
            continue
        yield from _asked(one, asked, families, asked.flow.fields)


def esql_values(one: Detection, elastic: Mapping[str, str], macros: Mapping[str, Macro]) -> Iterator[Asked]:
    """What its ES|QL asks for, names of events included. Raises BadDetection for a query that can't be read."""
    families = frozenset(families_of(one.splunk, macros))
    for asked in compared(steps(expand(one, dict(elastic)))):
        yield from _asked(one, asked, families, None)


def _asked(one: Detection, asked: Compared, families: FrozenSet[str], fields: Optional[FrozenSet[str]]) -> Iterator[Asked]:
    own = [name for _, name in _OWNED.findall(" ".join(one.not_verified))]
    owned = Origin(f"not_verified of {one.slug}", "", False)
    if not asked.pattern:
        if asked.text not in _NO_FACT and not _made(asked.flow.texts, asked.text):
            origin = _plain_values(families, fields).get(_plain(asked.text))
            origin = origin or (owned if _plain(asked.text) in map(_plain, own) else None)
            yield Asked(asked.flow.fields, asked.text, origin)
        return
    for part, pattern in alternatives(asked.text):
        if part in _NO_FACT or not has_words(part) or any(_finds(pattern, text) for text in asked.flow.texts):
            continue
        origin = _value_of(pattern, families, fields) or (owned if any(_finds(pattern, name) for name in own) else None)
        yield Asked(asked.flow.fields, part, origin)


@lru_cache(maxsize=4096)
def _values(families: FrozenSet[str], fields: Optional[FrozenSet[str]]) -> Mapping[str, Origin]:
    """The values of these fields, of all where None; names of events are values of the fields that hold them."""
    found: Dict[str, Origin] = {}
    for family in sorted(families):
        facts = all_facts()[family]
        for kind, names in facts.names.items():
            if fields is None or kind in {NAMES.get(field) for field in fields}:
                found.update(names)
        for field, values in facts.values.items():
            if fields is None or field in fields:
                found.update(values)
    return found


@lru_cache(maxsize=4096)
def _plain_values(families: FrozenSet[str], fields: Optional[FrozenSet[str]]) -> Mapping[str, Origin]:
    return {_plain(value): origin for value, origin in _values(families, fields).items()}


@lru_cache(maxsize=65536)
def _value_of(pattern: str, families: FrozenSet[str], fields: Optional[FrozenSet[str]]) -> Optional[Origin]:
    """The origin of a value that a pattern finds."""
    return next((origin for value, origin in _values(families, fields).items() if _finds(pattern, value)), None)


@lru_cache(maxsize=65536)
def _made(texts: FrozenSet[str], text: str) -> bool:
    """Whether the search puts this text together itself."""
    parts = "|".join(re.escape(part) for part in sorted(texts) if part)
    return bool(parts) and re.fullmatch(f"(?:{parts})+", text) is not None


def _finds(pattern: str, value: str) -> bool:
    """Whether a pattern finds a value: as it is, or as queries make it: without quotes and blanks, or one of a list."""
    forms = (value, re.sub(r'["\\\s]', "", value), f" {value} ", f"\n{value}\n")
    return any(_compiled(pattern).search(form) for form in forms)


@lru_cache(maxsize=65536)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(regex(pattern).pattern, re.IGNORECASE | re.ASCII | re.DOTALL)


@lru_cache(maxsize=65536)
def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower()) or text
