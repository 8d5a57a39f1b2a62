"""Whether the fields that SPL reads from raw events are fields of those events: a name in no list is an error.

Splunk knows no schema: a misspelt field is null, and the search stays silent for ever. (In Elastic the strict mapping of
tourniquet-schema refuses an unknown column.)
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Collection, Dict, Iterator, Mapping, Sequence, Set, Tuple

from responders.content.detection import Detection
from responders.content.facts import FAMILIES, all_facts
from responders.content.spl import Macro, Search, parse
from responders.content.spl.commands.base import matcher
from responders.content.spl.commands.extracting import Spath
from responders.content.spl.commands.shaping import Fields
from responders.content.splunk_sources import calls
from responders.errors import BadDetection, BadInput

_METADATA = {"index", "sourcetype", "source", "host"}


def unknown_fields(detections: Sequence[Detection], macros: Mapping[str, Macro], root: Path) -> Iterator[BadInput]:
    """An error for each field that no log of its search has, and for each that nothing before it makes; once where a macro
    reads it. Searches that can't be read are left out: they are told already."""
    told: Set[Tuple[str, str]] = set()
    for one in detections:
        for key, text in (("splunk", one.splunk), ("baseline", one.baseline.splunk if one.baseline else "")):
            try:
                search = parse(text, macros) if text else Search("")
            except BadInput:
                continue
            known = fields_of(text, macros)
            wrong = [(field, "no log that this search reads has it") for field in raw_fields(search) - set(known)]
            wrong += [(field, "nothing before it makes it") for field in unmade(search, own="kind" in known)]
            for field, why in sorted(wrong):
                place = _place(one, key, text, field, macros, root)
                if (place, field) not in told:
                    told.add((place, field))
                    yield BadDetection(
                        f"{key}: field {field}: {why}", place=place, remedy=_meant(field, {*known, *made_by(search)})
                    )


def raw_fields(search: Search) -> Set[str]:
    """The fields of raw events that a search reads: not what it makes itself, nor what Splunk adds to every event."""
    paths = {one.path for one in search.commands if isinstance(one, Spath) and one.source == "_raw" and one.path}
    return paths | {name for name in search.fields_read() if not _ours(name) and name not in _METADATA}


def unmade(search: Search, own: bool) -> Set[str]:
    """The fields that a search reads although it made none of that name: a tq_ one (but of Tourniquet's `own` events, which
    have them), or any after a command that leaves only what it makes. What `fields` keeps need not be there."""
    made: Set[str] = set()
    found: Set[str] = set()
    ended = False
    for command in search.commands:
        known = matcher(tuple(made))
        for name in () if isinstance(command, Fields) else command.reads():
            if not known(name) and not name.startswith("_") and (ended or (_ours(name) and not own)):
                found.add(name)
        ended = ended or command.transforms()
        made = set(command.writes()) | (set() if command.transforms() else made)
    return found


def made_by(search: Search) -> Set[str]:
    """All that its commands make."""
    return {name for command in search.commands for name in command.writes()}


def _ours(name: str) -> bool:
    return name.startswith(("tq_", "_"))


def fields_of(text: str, macros: Mapping[str, Macro]) -> Dict[str, str]:
    """Field to family, of all families of logs that a search reads, by the macros it calls."""
    return {field: family for family in sorted(families_of(text, macros)) for field in all_facts()[family].fields}


def families_of(text: str, macros: Mapping[str, Macro]) -> Set[str]:
    """The families of logs that a search reads, by the macros it calls."""
    called = calls(text, macros)
    return {family for start, family in FAMILIES if any(name.startswith(start) for name in called)}


def _place(one: Detection, key: str, text: str, field: str, macros: Mapping[str, Macro], root: Path) -> str:
    """The line that reads the field: of the detection, or of the macro that does."""
    for number, line in enumerate(text.splitlines(), 1):
        if field in line:
            return one.place(key, number if "\n" in text else 0)
    for name in sorted(calls(text, macros)):
        if any(field in macro.definition for macro in macros.values() if macro.name.split("(")[0] == name):
            return f"detections/macros.yaml:{_line(root, name, field)}"
    return one.place(key)


def _line(root: Path, macro: str, field: str) -> int:
    lines = (root / "macros.yaml").read_text(encoding="utf-8").splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(f"  {macro}:")), 0)
    return next((number for number, line in enumerate(lines[start:], start + 1) if field in line), start + 1)


def _meant(field: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(field, known, 1)
    if near:
        return f"did you mean {near[0]}?"
    return "correct the name, or add it with where it is documented to responders/content/facts/"
