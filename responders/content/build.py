"""Generates what ships from detections/: Splunk's conf files, and the catalogue that the alert process reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, Iterator, List, Sequence

from responders.content.coverage import coverage_page, navigator_layer
from responders.content.detection import Detection
from responders.content.elastic.rules import indices_json, rules_ndjson
from responders.content.loader import ROOT, load_detections, load_macros
from responders.content.pages import detection_pages, detections_page
from responders.content.spl import Macro, parse
from responders.content.spl.macros import expand
from responders.content.splunk_conf import HEADER, INDEXED, collections, macros_conf, savedsearches, transforms
from responders.errors import BadDetection, BadInput, BadInputs


def build(root: Path = ROOT) -> Dict[str, str]:
    """Path below the project to content, for every generated file. Raises BadInputs."""
    detections, macros = load_detections(root), load_macros(root)
    errors = check_searches(detections, macros)
    if errors:
        raise BadInputs(errors)
    return {
        "splunk_app/default/savedsearches.conf": savedsearches(detections),
        "splunk_app/default/macros.conf": macros_conf(detections, macros),
        "splunk_app/default/transforms.conf": transforms(),
        "splunk_app/default/collections.conf": collections(),
        "responders/alerts/catalogue.json": catalogue(detections),
        "docs/detections.md": detections_page(detections),
        **{f"docs/{name}": text for name, text in detection_pages(detections).items()},
        "docs/coverage.md": coverage_page(detections),
        "docs/attack_navigator.json": navigator_layer(detections),
        "elastic_rules/rules.ndjson": rules_ndjson(detections),
        "elastic_rules/indices.json": indices_json(),
    }


def check_searches(detections: Sequence[Detection], macros: Dict[str, Macro]) -> List[BadInput]:
    """Every search parsed; one error for each that does not, with line and column."""
    errors: List[BadInput] = []
    slugs = {detection.slug for detection in detections}
    seen: Dict[str, str] = {}
    for detection in detections:
        place = f"detections/{detection.slug}.yaml"
        try:
            parse(detection.splunk, macros)
            errors.extend(_windowed(detection, macros, place))
        except BadInput as error:
            errors.append(BadDetection(f"splunk: {error}", place=place, remedy="correct the search"))
        if detection.id in seen:
            errors.append(BadDetection(f"id is that of {seen[detection.id]}", place=place, remedy="make a new uuid"))
        seen[detection.id] = detection.slug
        if f'`tourniquet_emit("{detection.slug}"' not in detection.splunk:
            errors.append(BadDetection("the search does not end in tourniquet_emit", place=place, remedy="name its slug"))
        unknown = [part for part in detection.parts if part not in slugs]
        errors.extend(BadDetection(f"part {part} does not exist", place=place, remedy="correct it") for part in unknown)
    return errors


def _windowed(detection: Detection, macros: Dict[str, Macro], place: str) -> Iterator[BadInput]:
    """A window without the index time of its events: each run would raise all of it again, or never any of it."""
    text = expand(detection.splunk.split("`tourniquet_emit")[0], macros).text
    if detection.window_seconds and INDEXED not in text:
        remedy = f"output max(_indextime) as {INDEXED}: by it a run takes only what is new"
        yield BadDetection(f"the windowed search outputs no {INDEXED}", place=place, remedy=remedy)


def catalogue(detections: Sequence[Detection]) -> str:
    """What the responder must know of each detection."""
    entries = {
        detection.slug: {
            "id": detection.id,
            "name": detection.name,
            "version": detection.version,
            "layer": detection.layer,
            "max_tier": detection.max_tier,
            "forgery": detection.forgery.by,
            "actions": list(detection.actions),
            "account_kind": detection.account_kind,
            "is_correlation": detection.correlation,
            "parts": list(detection.parts),
        }
        for detection in detections
    }
    return json.dumps({"about": HEADER, "detections": entries}, indent=1, sort_keys=True) + "\n"


def write(files: Dict[str, str], project: Path) -> List[str]:
    """Write generated files below the project; those that changed."""
    changed: List[str] = []
    for name, content in files.items():
        path = project / name
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            changed.append(name)
    return changed
