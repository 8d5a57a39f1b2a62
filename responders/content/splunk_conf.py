"""Splunk's conf files, generated from detections/.

Key names: Splunk, "savedsearches.conf" in the Admin Manual. Enterprise Security's keys (action.correlationsearch,
action.notable, action.risk) are written as Splunk's own contentctl writes them (templates/savedsearches_detections.j2).
"""

from __future__ import annotations

import json
import re
from typing import Mapping, Sequence

from responders.content.detection import Detection
from responders.content.lag import look_back_seconds
from responders.content.schedule import cron, minutes_between_runs
from responders.content.spl import Macro
from responders.content.splunk_health import health
from responders.content.splunk_readiness import readiness_alerts
from responders.content.splunk_sources import Need
from responders.content.splunk_stanza import ONCE_FOR_ALL_ROWS, Settings, conf, csv_text, json_line, line, stanza
from responders.content.splunk_stories import es_annotations, search_name
from responders.content.splunk_upkeep import upkeep
from responders.content.usage import usage_searches

INDEXED = "tq_indexed"
"""What a windowed search outputs: when the latest event of its window was indexed."""
_AHEAD = "+15m"  # clocks of log sources may run ahead
LATE_MINUTES = 15
_LATE_FROM = LATE_MINUTES + 2  # minutes of index time that a late run looks back, to the last but one
_STRONG = 70
_CLAUSE_TIME = re.compile(r" (?:earliest|latest)=[-+]\d+[smhd](?=[ )])")
_FOR_ES = (
    "eval tq_hash=md5(tq_finding), tq_who=md5(tq_identity), user=tq_identity, "
    'src=mvmap(tq_causes, if(match(tq_causes, "^ip:[0-9A-Fa-f:.]+$"), replace(tq_causes, "^ip:", ""), null()))'
)


def filter_name(detection: Detection) -> str:
    """The macro in which a customer leaves rows out."""
    return "tourniquet_" + detection.slug.replace("/", "_") + "_filter"


_USERS = ("user", "root", "federated_user", "identity_center_user")
"""Kinds of accounts that are people's, for Enterprise Security, which knows user, system and other. A system is a host:
no detection names one."""


def savedsearches(detections: Sequence[Detection], needs: Sequence[Need]) -> str:
    """Two searches a detection, disabled until the customer switches them on: the regular one, and the late one. After
    them those that keep the lookups, those that look after the sources and after Tourniquet itself, and those that a person
    asks who uses what.

    Each run takes what was indexed since the one before it: a single event by the index time that the run is dispatched
    with, a window if an event of it was. So the slices are disjoint, and with realtime_schedule = 0 none is left out when
    the scheduler is behind. The late search looks once more at what was indexed, but perhaps not yet searchable, and
    starts the responder only: it knows by tq_finding what was handled, and Enterprise Security would count it twice.
    """
    found = []
    for place, detection in enumerate(detections):
        found.append((search_name(detection), regular(detection)))
        found.append((f"{search_name(detection)} - late", late(detection, place % LATE_MINUTES)))
    found.extend((*upkeep(detections), *health(needs), *readiness_alerts(), *usage_searches()))
    return conf([stanza(name, _as_whoever_asks(settings)) for name, settings in found])


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


def _as_whoever_asks(settings: Settings) -> Settings:
    """By default whoever may read a shared search may run it as its owner, over a time of his choice, its actions included
    (savedsearches.conf.spec, dispatchAs; REST API Reference, "saved/searches/{name}/dispatch", trigger_actions): ours are
    nobody's, and would contain, or teach a baseline, as splunk-system-user. The scheduler runs them as the owner anyway.
    """
    return [*settings, ("dispatchAs", "user")]


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
    """The detection on one line, less what the customer leaves out.

    tq_hash, tq_who: finding and identity without an attacker's letters. user, src: the names by which Enterprise Security
    knows whom it is about, and from where.
    """
    return line(f"{detection.splunk} | `{filter_name(detection)}` | {_FOR_ES}")


def _raise() -> Settings:
    """One start of the alert action for all rows of a run. No alert.suppress: it can't be by identity with digest_mode."""
    return [
        *ONCE_FOR_ALL_ROWS,
        ("action.tourniquet_contain", "1"),
    ]


def _enterprise_security(detection: Detection) -> Settings:
    """A finding (a notable before ES 8) and a risk modifier for the identity. Only ES has these actions."""
    kind = "user" if detection.account_kind in _USERS else "other"
    risk = [
        {"risk_object_field": "tq_identity", "risk_object_type": kind, "risk_score": detection.confidence},
        {"threat_object_field": "src", "threat_object_type": "ip_address"},
    ]
    again = {
        "name": "Run the detection again over its own time range",
        # A clause's own time range counts from the run; looked at later, the whole range of the run is right.
        "search": f'{_CLAUSE_TIME.sub("", _search(detection))} | where tq_hash="$tq_hash$"',
        "earliest_offset": "$info_min_time$",
        "latest_offset": "$info_max_time$",
    }
    done = {
        "name": "What was done about this identity",
        "search": '`tourniquet_containments` | where md5(identity)="$tq_who$" | fields - undo',
        "earliest_offset": "1d",
        "latest_offset": "1d",
    }
    return [
        ("action.correlationsearch.enabled", "1"),
        ("action.correlationsearch.label", detection.name),
        ("action.correlationsearch.annotations", json_line(es_annotations(detection))),
        ("action.notable", "1"),
        ("action.notable.param.rule_title", f"{detection.name}: $tq_identity$"),
        ("action.notable.param.rule_description", f"{' '.join(detection.description.split())} $tq_reasons$"),
        ("action.notable.param.security_domain", "identity"),
        ("action.notable.param.severity", "high" if detection.confidence >= _STRONG else "medium"),
        ("action.notable.param.nes_fields", "tq_identity,tq_account"),
        ("action.notable.param.drilldown_searches", json.dumps([again, done])),
        ("action.risk", "1"),
        ("action.risk.param._risk", json_line(risk)),
        ("action.risk.param._risk_message", f"{detection.name}: $tq_identity$"),
        ("action.risk.param._risk_score", "0"),
    ]


def detection_list(detections: Sequence[Detection]) -> str:
    """The lookup file of all detections, by which one that never ran shows as missing."""
    head = ["savedsearch_name", "tq_detection", "title", "source", "layer", "max_tier", "minutes"]
    rows = [
        [search_name(one), one.slug, one.name, one.source, one.layer, one.max_tier, str(minutes_between_runs(one))]
        for one in detections
    ]
    return csv_text([head, *rows])


def macros_conf(detections: Sequence[Detection], macros: Mapping[str, Macro]) -> str:
    """Every macro that a search uses, and an empty filter for each detection."""
    parts = []
    for name, macro in sorted(macros.items()):
        arguments = [("args", ", ".join(macro.args))] if macro.args else []
        parts.append(stanza(name, [*arguments, ("definition", " ".join(macro.definition.split())), ("iseval", "0")]))
    parts.extend(stanza(filter_name(d), [("definition", "search *"), ("iseval", "0")]) for d in detections)
    return conf(parts)
