"""What is wrong with detections that their schema allows: searches, macros, ids, actions, versions; all of it at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Collection, Dict, Iterator, List, Sequence, Tuple

from responders.actions.registry import names as actions
from responders.content.compared import unknown_names
from responders.content.coverage import names
from responders.content.detection import Detection
from responders.content.elastic.query import expand as expand_elastic
from responders.content.elastic.query import expand_baseline, load_elastic_macros
from responders.content.loader import ROOT, load_macros, read_all
from responders.content.raw_fields import unknown_fields
from responders.content.spl import Macro, SplError, parse
from responders.content.spl.macros import expand
from responders.content.splunk_conf import INDEXED
from responders.content.values import unknown_values
from responders.content.versions import current, read_lock, unraised
from responders.errors import BadDetection, BadInput, BadInputs


def checked(root: Path = ROOT) -> Tuple[Detection, ...]:
    """Every detection, sound. Raises BadInputs with all that is wrong in any file: file, line, key and remedy of each."""
    detections, errors = read_all(root)
    macros: List[Any] = []
    for load in (load_macros, load_elastic_macros):
        try:
            macros.append(load(root))
        except BadInputs as several:
            errors.extend(several.errors)
    if len(macros) == 2:
        broken = {error.place.rpartition(":")[0] for error in errors}
        errors.extend(_wrong(detections, macros[0], macros[1], broken))
        errors.extend(unknown_fields(detections, macros[0], root))
        errors.extend(unknown_names(detections, macros[0]))
        errors.extend(unknown_values(detections, macros[0], macros[1]))
    if not errors:
        errors.extend(unraised(detections, current(detections, root), read_lock(root)))
    if errors:
        raise BadInputs(errors)
    return detections


def _wrong(
    detections: Sequence[Detection], macros: Dict[str, Macro], elastic: Dict[str, str], broken: Collection[str]
) -> Iterator[BadInput]:
    """What is wrong with detections that their schema allows. `broken` are files that could not be read: they exist."""
    slugs = {one.slug for one in detections} | {name[len("detections/") : -len(".yaml")] for name in broken}
    seen: Dict[str, str] = {}
    for one in detections:
        yield from _splunk(one, macros)
        yield from _elastic(one, elastic)
        yield from _frameworks(one)
        yield from _examples(one)
        for key, value, remedy in (
            ("id", one.id, 'make a new uuid for the newer one: python -c "import uuid; print(uuid.uuid4())"'),
            ("name", one.name, "give it a name of its own: Splunk's searches are called by it"),
        ):
            if value in seen:
                yield BadDetection(f"{key}: is also that of {seen[value]}", place=one.place(key), remedy=remedy)
            seen[value] = one.slug
        if one.slug.partition("/")[0] != one.source:
            what = f"source: {one.source} is not its folder"
            yield BadDetection(what, place=one.place("source"), remedy="move the file, or correct the source")
        for action in one.actions:
            if action not in actions():
                remedy = "see docs/actions.md; what no action can do goes into response.wanted, as steps by hand"
                yield BadDetection(f"response.actions: no action {action}", place=one.place("response"), remedy=remedy)
        for part in one.parts:
            if part not in slugs:
                what = f"parts: {part} does not exist"
                yield BadDetection(what, place=one.place("parts"), remedy="name a detection, <source>/<name>")


def _splunk(one: Detection, macros: Dict[str, Macro]) -> Iterator[BadInput]:
    """What its SPL lacks. A windowed search without the index time of its events would raise all of it again on each
    run, or never any of it."""
    for key, text in (("splunk", one.splunk), ("baseline.splunk", one.baseline.splunk if one.baseline else "")):
        try:
            if text:
                parse(text, macros)
        except SplError as error:
            place = one.place(key.partition(".")[0], error.line if key == "splunk" and "\n" in text else 0)
            what = f"{key}: {error.message}, in its line {error.line}, column {error.column}"
            yield BadDetection(what, place=place, remedy=error.remedy)
            return
    if f'`tourniquet_emit("{one.slug}", "{one.layer}")`' not in one.splunk:
        remedy = f'end it in | `tourniquet_emit("{one.slug}", "{one.layer}")`'
        yield BadDetection("splunk: does not end in its own tourniquet_emit", place=one.place("splunk"), remedy=remedy)
    if one.window_seconds and INDEXED not in expand(one.splunk.split("`tourniquet_emit")[0], macros).text:
        remedy = f"output max(_indextime) as {INDEXED}: by it a run takes only what is new"
        yield BadDetection(f"splunk: a windowed search outputs {INDEXED}", place=one.place("splunk"), remedy=remedy)


def _elastic(one: Detection, macros: Dict[str, str]) -> Iterator[BadInput]:
    for expanded in (expand_elastic, expand_baseline):
        try:
            expanded(one, macros)
        except BadDetection as error:
            yield error
    if not re.search(r"\$\{emit(_group)?\}$", one.elastic.query):
        remedy = "end it in | ${emit} (one row an event) or | ${emit_group} (rows that aggregate)"
        place = f"detections/{one.slug}.yaml:{one.elastic.line}"
        yield BadDetection("elastic.query: does not end in ${emit} or ${emit_group}", place=place, remedy=remedy)


def _examples(one: Detection) -> Iterator[BadInput]:
    fires = [example for example in one.examples if example.fires]
    quiet = [example for example in one.examples if not example.fires]
    missing = [
        what
        for what, there in (
            ("a second one that fires", len(fires) >= 2),
            ("a second one that stays quiet", len(quiet) >= 2),
            ('one that stays quiet with "near miss" in its name', any("near miss" in example.name for example in quiet)),
        )
        if not there
    ]
    if missing:
        yield BadDetection("examples: too few", place=one.place("examples"), remedy=f"add {', '.join(missing)}")


def _frameworks(one: Detection) -> Iterator[BadInput]:
    for key, found in one.frameworks.items():
        for name in found:
            if name not in names()[key]:
                what = f"frameworks.{key}: {name} is no id of it that concerns identities"
                remedy = "correct it, or add it to responders/content/frameworks.json"
                yield BadDetection(what, place=one.place("frameworks"), remedy=remedy)
