"""elastic_rules/: the rules that Kibana imports, and the indices that must exist before one is enabled.

Keys and their types follow Elastic's API reference ("Security detections API", create and import rules); Kibana itself
never ran.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from responders.content.detection import Detection
from responders.content.elastic.mappings import LOOKUPS, mapping, schema_fields
from responders.content.elastic.query import SCHEMA, queries
from responders.content.elastic.stores import store_requests
from responders.content.elastic.tactics import threat
from responders.content.lag import look_back_seconds
from responders.content.loader import ROOT
from responders.content.schedule import minutes_between_runs

_MAX_SIGNALS = 1000
_SEVERITIES = ((21, "low"), (47, "medium"), (73, "high"))
"""Highest risk score of each severity (Elastic's reference, risk_score); above is critical."""
_INTEGRATIONS: Dict[str, str] = {
    "okta": ">=2.5.0", "azure": ">=1.18.0", "o365": ">=2.0.0", "aws": ">=2.0.0", "aws_bedrock": ">=0.15.0",
    "cyberarkpas": ">=2.2.0", "cyberark_pta": ">=1.10.0", "hashicorp_vault": ">=1.4.1", "github": ">=1.0.0",
    "kubernetes": ">=1.0.0", "sailpoint_identity_sc": ">=1.0.0",
}  # fmt: skip
"""Package (the first part of a data stream) and versions; no rule was run with an integration's real pipeline. Kibana
compares them as semver ranges ("related_integrations"); the least is what the field files that were read belong to."""
_PART: Dict[Tuple[str, str], str] = {
    ("aws", "cloudtrail"): "cloudtrail",
    ("azure", "auditlogs"): "adlogs",
    ("azure", "signinlogs"): "adlogs",
    ("azure", "identity_protection"): "adlogs",
    ("azure", "graphactivitylogs"): "graphactivitylogs",
}
"""The integration (policy template in the package's manifest) that fills a data stream, in packages of several."""
_STREAM = re.compile(r"\blogs-([a-z0-9_]+)\.([a-z0-9_]+)-\*")
_FIELD = re.compile(r"[A-Za-z@][A-Za-z0-9_@]*(?:\.(?:`\d+`|\d+|[A-Za-z_][A-Za-z0-9_]*))+")
_SHOWN = (
    "tq_identity", "tq_account", "tq_account_kind", "tq_confidence", "tq_reasons", "tq_evidence", "tq_causes", "tq_events",
    "tq_completed_at", "tq_finding", "tq_ambiguous",
)  # fmt: skip
_GROUPED = ("tq_identity", "tq_finding")
"""Suppression joins repetitions of one finding about one identity. By the identity alone, a weak finding would swallow the
strong one that follows it. It needs a Platinum licence; Kibana imports it on any (elastic/kibana#247884), and leaves it."""
_SEVERITY = (
    '\n| EVAL tq_severity = CASE(tq_confidence > 73, "critical", tq_confidence > 47, "high", tq_confidence > 21, "medium", '
    '"low")'
)
"""The word for severity_mapping, which compares texts only (build_severity_from_mapping.ts)."""
_COPIED = {"auto_expand_replicas": "0-1"}
"""A copy on a second node where there is one: every rule reads these indices, and fails without."""
CONSOLE = "{{tourniquet_console}}"
"""`tourniquet elastic import --console-url` puts the address in its place, or takes the line out."""
_SETUP = (
    "Before this rule is enabled, the indices of `indices.json` must exist: `tourniquet-schema`, and the lookups behind the "
    "aliases `tourniquet-accounts`, `tourniquet-watch` and `tourniquet-seen`, empty at first. `tourniquet elastic import` "
    "makes them. Without them the rule fails; without one of its data streams it does not. Fill `tourniquet-accounts` from "
    "the inventory. `tourniquet elastic doctor` says whether the rule runs, and what it lacks."
)

EVERY_RULE: Mapping[str, Any] = {
    "enabled": False,
    "type": "esql",
    "language": "esql",
    "to": "now",
    "timestamp_override": "event.ingested",
    "author": ["Tourniquet"],
    "license": "Apache-2.0",
    "actions": [],
    "exceptions_list": [],
}
"""What each rule that ships says, whatever it looks for."""


def rules_ndjson(detections: Sequence[Detection], root: Path = ROOT) -> str:
    """One rule a line, ordered by detection. Raises BadInputs."""
    lines = [json.dumps(_rule(detection, query), sort_keys=True) for detection, query in queries(detections, root)]
    return "\n".join(lines) + "\n"


def _rule(detection: Detection, query: str) -> Dict[str, Any]:
    look_back = look_back_seconds(detection)
    major, minor, patch = (int(part) for part in detection.version.split("."))
    return {
        **EVERY_RULE,
        "rule_id": detection.id,
        "version": major * 10000 + minor * 100 + patch,
        "name": f"Tourniquet: {detection.name}",
        "description": " ".join(detection.description.split()),
        "query": query + _SEVERITY,
        "interval": f"{minutes_between_runs(detection)}m",
        "from": f"now-{look_back}s",
        "max_signals": _MAX_SIGNALS,
        "risk_score": detection.confidence,
        "risk_score_mapping": [{"field": "tq_confidence", "operator": "equals", "value": ""}],
        "severity": next((name for most, name in _SEVERITIES if detection.confidence <= most), "critical"),
        "severity_mapping": [
            {"field": "tq_severity", "operator": "equals", "value": word, "severity": word}
            for word in (*(name for _, name in _SEVERITIES), "critical")
        ],
        "alert_suppression": {
            "group_by": list(_GROUPED),
            "duration": {"value": look_back, "unit": "s"},
            "missing_fields_strategy": "doNotSuppress",
        },
        "threat": threat(detection.frameworks.get("attack", ())),
        "false_positives": [" ".join(text.split()) for text in detection.false_positives],
        "references": [text for text in detection.references if text.startswith("https://")],
        "note": _guide(detection),
        "setup": _SETUP,
        "investigation_fields": {"field_names": list(_SHOWN)},
        "related_integrations": related_integrations(query),
        "required_fields": required_fields(query),
        "tags": ["Tourniquet", f"Source: {detection.source}", f"Layer: {detection.layer}", f"Detection: {detection.slug}"],
    }


def related_integrations(query: str) -> List[Dict[str, str]]:
    """The integrations that fill a query's data streams; ours have none. Raises KeyError for an unknown package."""
    found: Dict[Tuple[str, str], Dict[str, str]] = {}
    for package, stream in _STREAM.findall(query):
        part = _PART.get((package, stream), "")
        if package != "tourniquet":
            more = {"integration": part} if part else {}
            found[package, part] = {"package": package, "version": _INTEGRATIONS[package], **more}
    return list(found.values())


def required_fields(query: str) -> List[Dict[str, str]]:
    """Every mapped field that the query names, with its type."""
    known = schema_fields()
    named = {match.replace("`", "") for match in _FIELD.findall(query)} & set(known)
    return [{"name": name, "type": known[name]} for name in sorted({*named, "event.ingested"})]


def _guide(detection: Detection) -> str:
    points = [f"- {points:+d} when {when}" for points, when in detection.modifiers]
    parts = [
        "## What it means",
        " ".join(detection.how_it_works.split()),
        f"## Points\n- {detection.confidence} to begin with",
        *points,
        "## What the responder does",
        f"[Open Tourniquet's console]({CONSOLE}) and look for `tq_identity` there: what was done, why, and how to undo it.",
        f"It contains `tq_identity`, at most by the tier {detection.max_tier}, as far as the policy approved beforehand. "
        "`tq_reasons` says where the points come from, `tq_events` names the events (index/_id, or the vendor's id).",
        "Acknowledge the alert, don't close it: while its evidence is in the look-back, the next run would raise it anew.",
        "## False positives",
        *(f"- {' '.join(text.split())}" for text in detection.false_positives),
        # Kibana makes a link of each entry of `references`: a title stands here.
        "## References",
        *(f"- {' '.join(text.split())}" for text in detection.references),
    ]
    return "\n".join(parts)


def indices_json() -> str:
    """Requests that make what the rules need, in order: method, path, body. Safe to send again: what exists is refused."""
    requests: List[Dict[str, Any]] = [
        _put(f"/{SCHEMA}", {**_COPIED, "number_of_shards": 1, "mapping.total_fields.limit": 5000}, mapping(schema_fields())),
    ]
    for alias, columns in LOOKUPS.items():
        requests.append(_put(f"/{alias}-1", {**_COPIED, "index.mode": "lookup"}, mapping(columns), {alias: {}}))
    requests += store_requests()
    return (
        json.dumps({"about": "Generated by `tourniquet detections build`. Do not edit.", "requests": requests}, indent=1)
        + "\n"
    )


def _put(
    path: str, settings: Mapping[str, Any], mappings: Mapping[str, Any], aliases: Mapping[str, Any] = {}
) -> Dict[str, Any]:
    body: Dict[str, Any] = {"settings": dict(settings), "mappings": mappings}
    return {"method": "PUT", "path": path, "body": {**body, "aliases": dict(aliases)} if aliases else body}
