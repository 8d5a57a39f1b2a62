"""elastic_rules/health.ndjson: rules about Tourniquet itself. A check failed, checks do not come, a drill failed.

They read what `tourniquet validate` and drills write into the journal's data stream. Nobody is contained for their alerts:
the responder takes the rule of a detection only (surfaces/service/rows.py), whatever the event says whose copy an alert is.

Absence: Kibana makes an alert of each row of an aggregating query (Elastic, "Create a detection rule", ES|QL rule), and
STATS without BY gives a row of nothing at all; a threshold rule never fires on zero (elastic/detection-rules#3617).

Who may write into the data stream could say that all is sound. Of that a rule takes little: absence counts what came in the
last two hours by `event.ingested`, so that one event, whatever its date, hides no more than that; and a check, or a drill,
that failed is an alert whatever else is said of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Tuple

from responders.content.elastic.rules import EVERY_RULE, required_fields

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FROM = "FROM logs-tourniquet.journal-*, tourniquet-schema METADATA _id, _index"
_GUIDE = (
    "This is about Tourniquet, and names nobody to contain: the responder leaves such alerts alone. Run `tourniquet "
    "validate` where the responder's settings are: it says what is wrong and changes nothing. docs/readiness.md explains "
    "each check. Let nobody but the responder write into `logs-tourniquet.*`."
)
_SETUP = (
    "`tourniquet elastic import` makes the index `tourniquet-schema`; without it the rule fails. Enable it by "
    "`--enable tourniquet` where `tourniquet validate` runs by a timer (docs/readiness.md)."
)


@dataclass(frozen=True)
class Health:
    """One rule. Seconds: how often it runs, how far it looks back by time of ingest, and how long repetitions of one alert,
    the same in `same`, are joined (from Platinum on)."""

    id: str
    name: str
    description: str
    query: str
    every: int
    back: int
    same: Tuple[str, ...]


# What is not surely sound counts as failed: an entry that did not fit is told without its outcome (elastic/telling.py).
RULES: Tuple[Health, ...] = (
    Health(
        "99c0818d-b413-455a-9d38-35d6074fc88b",
        "a check failed",
        "A check of `tourniquet validate` failed: containment may not work. `tourniquet.title` names the check.",
        f"""{_FROM}
| WHERE event.action == "check" AND NOT COALESCE(tourniquet.outcome IN ("sound", "not checked"), FALSE)
| KEEP _id, _index, @timestamp, event.action, tourniquet.title, tourniquet.outcome""",
        5 * _MINUTE, 20 * _MINUTE, ("tourniquet.title",),
    ),
    Health(
        "5ac1ea22-87a4-4284-aa2c-9f51d5661600",
        "checks do not come",
        "For two hours `tourniquet validate` has told nothing: nobody looks whether containment would work.",
        f"""{_FROM}
| WHERE event.action == "validation"
| STATS validations = COUNT(*)
| WHERE validations == 0
| EVAL missing = "tourniquet validate has told nothing for two hours\"""",
        _HOUR, 2 * _HOUR, ("missing",),
    ),
    Health(
        "b6b72bc7-8a70-4dbb-a1a0-6fe95f20f4b6",
        "a canary drill found a broken path",
        "A canary drill found a path of containment, or of restoring, that does not work. The journal's entry `drilled` "
        "says which; people were told by the escalation channels, too.",
        f"""{_FROM}
| WHERE event.action == "drilled" AND NOT COALESCE(tourniquet.title == "canary drill: every path works", FALSE)
| KEEP _id, _index, @timestamp, event.action, tourniquet.title, tourniquet.outcome, tourniquet.entry.chain""",
        5 * _MINUTE, 20 * _MINUTE, ("tourniquet.entry.chain",),
    ),
    # The clock of the server, which no detection may ask: this rule is never replayed over the past.
    Health(
        "916b5668-57c5-4831-97a2-07236d222dc9",
        "a canary drill did not end",
        "A canary drill began over half an hour ago and said nothing since: it died, and `tourniquet due` does not run, "
        "which would put the canary back.",
        f"""{_FROM}
| WHERE event.action IN ("drill", "drilled")
| STATS begun = MIN(@timestamp), ended = COUNT(*) WHERE event.action == "drilled" BY tourniquet.entry.chain
| WHERE ended == 0 AND begun < NOW() - 30 minutes""",
        _HOUR, 3 * _HOUR, ("tourniquet.entry.chain",),
    ),
)  # fmt: skip


def health_ndjson() -> str:
    """One rule a line."""
    return "".join(json.dumps(_rule(one), sort_keys=True) + "\n" for one in RULES)


def _rule(one: Health) -> Dict[str, Any]:
    return {
        **EVERY_RULE,
        "rule_id": one.id,
        "version": 10000,
        "name": f"Tourniquet itself: {one.name}",
        "description": one.description,
        "query": one.query,
        "interval": f"{one.every // _MINUTE}m",
        "from": f"now-{one.back}s",
        "max_signals": 100,
        "risk_score": 73,
        "risk_score_mapping": [],
        "severity": "high",
        "severity_mapping": [],
        "alert_suppression": {
            "group_by": list(one.same),
            "duration": {"value": _DAY, "unit": "s"},
            "missing_fields_strategy": "doNotSuppress",
        },
        "threat": [],
        "false_positives": ["A planned pause of the machine that runs it."],
        "references": [],
        "note": _GUIDE,
        "setup": _SETUP,
        "required_fields": required_fields(one.query),
        "related_integrations": [],
        "tags": ["Tourniquet", "Source: tourniquet"],
    }
