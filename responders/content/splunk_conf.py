"""Splunk's conf files, generated from detections/.

Key names: Splunk, "savedsearches.conf" in the Admin Manual. Enterprise Security's keys (action.correlationsearch,
action.notable, action.risk) are written as Splunk's own contentctl writes them (templates/savedsearches_detections.j2).
"""

from __future__ import annotations

import json
from typing import Dict, Sequence

from responders.content.detection import Detection
from responders.content.lag import look_back_seconds
from responders.content.schedule import cron, minutes_between_runs
from responders.content.spl import Macro
from responders.content.splunk_upkeep import Settings, upkeep

HEADER = "Generated from detections/ by `tourniquet detections build`. Do not edit: change local/ or the detection."
INDEXED = "tq_indexed"
"""What a windowed search outputs: when the latest event of its window was indexed."""
_LOOKUPS = {
    "tourniquet_accounts": "tq_account, tq_identity, tq_kind, tq_criticality, tq_environment, tq_break_glass, tq_ambiguous",
    "tourniquet_watch": "tq_identity, tq_account, until, why",
    "tourniquet_seen": "tq_seen, tq_first_seen, tq_last_seen",
}
_AHEAD = "+15m"  # clocks of log sources may run ahead
LATE_MINUTES = 15
_LATE_FROM = LATE_MINUTES + 2  # minutes of index time that a late run looks back, to the last but one
_STRONG = 70


def filter_name(detection: Detection) -> str:
    """The macro in which a customer leaves rows out."""
    return "tourniquet_" + detection.slug.replace("/", "_") + "_filter"


def savedsearches(detections: Sequence[Detection]) -> str:
    """Two searches a detection, disabled until the customer switches them on: the regular one, and the late one.

    Each run takes what was indexed since the one before it: a single event by the index time that the run is dispatched
    with, a window if an event of it was. So the slices are disjoint, and with realtime_schedule = 0 none is left out when
    the scheduler is behind. The late search looks once more at what was indexed, but perhaps not yet searchable, and
    starts the responder only: it knows by tq_finding what was handled, and Enterprise Security would count it twice.
    """
    parts = [f"# {HEADER}\n"]
    for place, detection in enumerate(detections):
        parts.append(_stanza(f"Tourniquet - {detection.name}", regular(detection)))
        parts.append(_stanza(f"Tourniquet - {detection.name} - late", late(detection, place % LATE_MINUTES)))
    parts.extend(_stanza(name, settings) for name, settings in upkeep(detections))
    return "\n".join(parts)


def regular(detection: Detection) -> Settings:
    """The search that runs each minute, or each five where it may only observe."""
    every = minutes_between_runs(detection)
    return [
        ("description", " ".join(detection.description.split())),
        *_schedule(cron(detection)),
        *_clock(detection, f"-{every}m@m", "@m", 60 * (every - 1)),
        *_raise(),
        *_enterprise_security(detection),
    ]


def late(detection: Detection, minute: int) -> Settings:
    """The search that looks once more, each 15 minutes from `minute` on."""
    return [
        ("description", f"Events that became searchable late: {' '.join(detection.description.split())}"),
        *_schedule(f"{minute}-59/{LATE_MINUTES} * * * *"),
        *_clock(detection, f"-{_LATE_FROM}m@m", "-1m@m", 60 * _LATE_FROM),
        *_raise(),
    ]


def _schedule(when: str) -> Settings:
    return [("disabled", "1"), ("enableSched", "1"), ("cron_schedule", when), ("realtime_schedule", "0")]


def _clock(detection: Detection, earliest: str, latest: str, more: int) -> Settings:
    """The search over one slice of index time, with `more` seconds of event time for a window."""
    if not detection.window_seconds:
        return [
            ("search", _search(detection)),
            ("dispatch.earliest_time", "-24h"),
            ("dispatch.latest_time", _AHEAD),
            ("dispatch.index_earliest", earliest),
            ("dispatch.index_latest", latest),
        ]
    slice_ = f'{INDEXED}>=relative_time(now(), "{earliest}") AND {INDEXED}<relative_time(now(), "{latest}")'
    return [
        ("search", f"{_search(detection)} | where {slice_}"),
        ("dispatch.earliest_time", f"-{look_back_seconds(detection) + more}s"),
        ("dispatch.latest_time", _AHEAD),
    ]


def _search(detection: Detection) -> str:
    """The detection on one line, less what the customer leaves out. tq_hash: the finding without an attacker's letters."""
    return " ".join(f"{detection.splunk} | `{filter_name(detection)}` | eval tq_hash=md5(tq_finding)".split("\n"))


def _raise() -> Settings:
    """One start of the alert action for all rows of a run. No alert.suppress: it can't be by identity with digest_mode."""
    return [
        ("counttype", "number of events"),
        ("relation", "greater than"),
        ("quantity", "0"),
        ("alert.track", "1"),
        ("alert.digest_mode", "1"),
        ("action.tourniquet_contain", "1"),
    ]


def _enterprise_security(detection: Detection) -> Settings:
    """A finding (a notable before ES 8) and a risk modifier for the identity. Only ES has these actions."""
    annotations = {
        "mitre_attack": sorted({name.split(".")[0] for name in detection.frameworks.get("attack", ())}),
        "cis20": [],
        "nist": list(detection.frameworks.get("csf", ())),
    }
    kind = "user" if detection.account_kind == "user" else "other"  # ES knows user, system and other
    risk = [{"risk_object_field": "tq_identity", "risk_object_type": kind, "risk_score": detection.confidence}]
    again = {
        "name": "Run the detection again over its own time range",
        "search": f'{_search(detection)} | where tq_hash="$tq_hash$"',
        "earliest_offset": "$info_min_time$",
        "latest_offset": "$info_max_time$",
    }
    return [
        ("action.correlationsearch.enabled", "1"),
        ("action.correlationsearch.label", detection.name),
        ("action.correlationsearch.annotations", json.dumps(annotations, sort_keys=True)),
        ("action.notable", "1"),
        ("action.notable.param.rule_title", f"{detection.name}: $tq_identity$"),
        ("action.notable.param.rule_description", f"{' '.join(detection.description.split())} $tq_reasons$"),
        ("action.notable.param.security_domain", "identity"),
        ("action.notable.param.severity", "high" if detection.confidence >= _STRONG else "medium"),
        ("action.notable.param.nes_fields", "tq_identity"),
        ("action.notable.param.drilldown_searches", json.dumps([again])),
        ("action.risk", "1"),
        ("action.risk.param._risk", json.dumps(risk, sort_keys=True)),
        ("action.risk.param._risk_message", f"{detection.name}: $tq_identity$"),
        ("action.risk.param._risk_score", "0"),
    ]


def _stanza(name: str, settings: Settings) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings)


def macros_conf(detections: Sequence[Detection], macros: Dict[str, Macro]) -> str:
    """Every macro that a search uses, and an empty filter for each detection."""
    parts = [f"# {HEADER}\n"]
    for name, macro in sorted(macros.items()):
        arguments = [("args", ", ".join(macro.args))] if macro.args else []
        parts.append(_stanza(name, [*arguments, ("definition", " ".join(macro.definition.split())), ("iseval", "0")]))
    parts.extend(_stanza(filter_name(d), [("definition", "search *"), ("iseval", "0")]) for d in detections)
    return "\n".join(parts)


def transforms() -> str:
    """The lookups, over KV store collections. Ids are exact: a name in other letters is another name."""
    parts = [f"# {HEADER}\n"]
    for name, fields in _LOOKUPS.items():
        about = [("external_type", "kvstore"), ("collection", name), ("fields_list", f"_key, {fields}")]
        parts.append(_stanza(name, [*about, ("case_sensitive_match", "true")]))
    return "\n".join(parts)


def collections() -> str:
    """The KV store collections behind the lookups. The baseline is large, and looked up after all events are together."""
    stanzas = [_stanza(name, [("replicate", "false" if name == "tourniquet_seen" else "true")]) for name in _LOOKUPS]
    return "\n".join([f"# {HEADER}\n", *stanzas])
