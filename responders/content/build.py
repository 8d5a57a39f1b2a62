"""Generates what ships from detections/: Splunk's conf files, and the catalogue that the alert process reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.loader import ROOT, load_detections, load_macros
from responders.content.pages import detections_page
from responders.content.spl import Macro, parse
from responders.errors import BadDetection, BadInput, BadInputs

HEADER = "Generated from detections/ by `tourniquet detections build`. Do not edit: change local/ or the detection."
_FIELDS = "tq_account, tq_identity, tq_kind, tq_criticality, tq_environment, tq_ambiguous"


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


def filter_name(detection: Detection) -> str:
    """The macro in which a customer leaves rows out."""
    return "tourniquet_" + detection.slug.replace("/", "_") + "_filter"


def savedsearches(detections: Sequence[Detection]) -> str:
    """One scheduled search a detection, each minute, disabled until the customer switches it on.

    Single-event searches take disjoint slices of index time; windowed ones look back by event time over the window and a
    margin for late events, which is harmless because the responder acts once a finding.
    """
    parts = [f"# {HEADER}\n"]
    for detection in detections:
        search = " ".join(f"{detection.splunk} | `{filter_name(detection)}`".split("\n"))
        if detection.window_seconds:
            clock = {"dispatch.earliest_time": f"-{detection.window_seconds + 900}s", "dispatch.latest_time": "now"}
        else:
            clock = {
                "dispatch.earliest_time": "-24h",
                "dispatch.latest_time": "+15m",
                "dispatch.index_earliest": "-1m@m",
                "dispatch.index_latest": "@m",
            }
        attack = [name.split(".")[0] for name in detection.frameworks.get("attack", ())]
        annotations = {
            "mitre_attack": sorted(set(attack)),
            "cis20": [],
            "nist": list(detection.frameworks.get("csf", ())),
        }
        risk = [{"risk_object_field": "tq_identity", "risk_object_type": "user", "risk_score": 0}]
        settings: List[Tuple[str, str]] = [
            ("description", " ".join(detection.description.split())),
            ("search", search),
            ("disabled", "1"),
            ("enableSched", "1"),
            ("cron_schedule", "* * * * *"),
            ("realtime_schedule", "0"),
            *clock.items(),
            ("counttype", "number of events"),
            ("relation", "greater than"),
            ("quantity", "0"),
            ("alert.track", "1"),
            ("alert.digest_mode", "1"),
            ("action.tourniquet_contain", "1"),
            ("action.correlationsearch.enabled", "1"),
            ("action.correlationsearch.label", detection.name),
            ("action.correlationsearch.annotations", json.dumps(annotations, sort_keys=True)),
            ("action.risk", "1"),
            ("action.risk.param._risk", json.dumps(risk, sort_keys=True)),
            ("action.risk.param._risk_message", f"{detection.name}: $tq_identity$"),
            ("action.risk.param._risk_score", "0"),
        ]
        body = "\n".join(f"{key} = {value}" for key, value in settings)
        parts.append(f"[Tourniquet - {detection.name}]\n{body}\n")
    return "\n".join(parts)


def macros_conf(detections: Sequence[Detection], macros: Dict[str, Macro]) -> str:
    """Every macro that a search uses, and an empty filter for each detection."""
    parts = [f"# {HEADER}\n"]
    for name, macro in sorted(macros.items()):
        lines = [f"[{name}]", f"definition = {' '.join(macro.definition.split())}", "iseval = 0"]
        if macro.args:
            lines.insert(1, f"args = {', '.join(macro.args)}")
        parts.append("\n".join(lines) + "\n")
    parts.extend(f"[{filter_name(d)}]\ndefinition = search *\niseval = 0\n" for d in detections)
    return "\n".join(parts)


def transforms() -> str:
    """The lookups, over KV store collections."""
    return (
        f"# {HEADER}\n\n[tourniquet_accounts]\nexternal_type = kvstore\ncollection = tourniquet_accounts\n"
        f"fields_list = _key, {_FIELDS}\ncase_sensitive_match = true\n\n"
        "[tourniquet_watch]\nexternal_type = kvstore\ncollection = tourniquet_watch\n"
        "fields_list = _key, tq_identity, tq_account, until, why\ncase_sensitive_match = true\n"
    )


def collections() -> str:
    """The KV store collections behind the lookups."""
    return f"# {HEADER}\n\n[tourniquet_accounts]\nreplicate = true\n\n[tourniquet_watch]\nreplicate = true\n"


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
