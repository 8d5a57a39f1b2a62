"""Generates what ships from detections/: Splunk's conf files, and the catalogue that the alert process reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Sequence

from responders.content.check import checked
from responders.content.coverage import coverage_page, navigator_layer
from responders.content.detection import Detection
from responders.content.elastic.baseline import baselines_json
from responders.content.elastic.health import health_ndjson
from responders.content.elastic.query import load_elastic_macros
from responders.content.elastic.rules import indices_json, rules_ndjson
from responders.content.facts_page import facts_page
from responders.content.loader import ROOT, load_macros
from responders.content.pages import detection_pages, detections_page
from responders.content.splunk_build import splunk_files
from responders.content.splunk_stanza import HEADER
from responders.content.usage import usage_json
from responders.content.versions import LOCK, current, write_lock


def build(root: Path = ROOT) -> Dict[str, str]:
    """Path below the project to content, for every generated file. Raises BadInputs."""
    detections, macros = checked(root), load_macros(root)
    return {
        f"detections/{LOCK}": write_lock(current(detections, root)),
        **splunk_files(detections, macros),
        "responders/alerts/catalogue.json": catalogue(detections),
        "docs/detections.md": detections_page(detections),
        **{f"docs/{name}": text for name, text in detection_pages(detections).items()},
        "docs/facts.md": facts_page(detections, macros, load_elastic_macros(root)),
        "docs/coverage.md": coverage_page(detections),
        "docs/attack_navigator.json": navigator_layer(detections),
        "elastic_rules/rules.ndjson": rules_ndjson(detections, root),
        "elastic_rules/health.ndjson": health_ndjson(),
        "elastic_rules/indices.json": indices_json(),
        "responders/content/elastic/baselines.json": baselines_json(detections, root),
        "responders/content/usage.json": usage_json(root),
    }


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
