"""Imports rules through Kibana's API: read what is there, merge, send what differs, check each row, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.elastic.kibana import Kibana
from responders.elastic.merge import Change, Rule, merged
from responders.errors import BadInput, Refused

MOST_RULES, MOST_BYTES = 500, 4 * 1024 * 1024
"""Of one request. Kibana takes 10,000 rules and 10 MiB (xpack.securitySolution.maxRuleImportExportSize and
…maxRuleImportPayloadBytes), unless its operator, or a proxy before it, takes less."""
_READ_BACK = ("query", "version", "enabled", "interval", "from", "actions", "exceptions_list", "alert_suppression")


@dataclass(frozen=True)
class Outcome:
    """What became of one rule; `error` "" when it is in Kibana as sent."""

    change: Change
    error: str


def read_rules(text: str, place: str) -> Tuple[Rule, ...]:
    """The rules of rules.ndjson. Raises BadInput naming the line."""
    found: List[Rule] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rule = json.loads(line)
            found.append({**rule, "rule_id": str(rule["rule_id"]), "name": str(rule["name"]), "tags": list(rule["tags"])})
        except (ValueError, KeyError, TypeError) as error:
            remedy = "take the file that `tourniquet detections build` made"
            raise BadInput(f"is no rule ({error})", place=f"{place}:{number}", remedy=remedy) from None
    if not found:
        raise BadInput("holds no rule", place=place, remedy="take the file that `tourniquet detections build` made")
    return tuple(found)


def source_of(rule: Rule) -> str:
    """The folder of its detection (okta, entra …), from its tag."""
    return next((str(tag)[8:] for tag in rule["tags"] if str(tag).startswith("Source: ")), "")


def changes(
    kibana: Kibana,
    rules: Sequence[Rule],
    *,
    console: str = "",
    enable: FrozenSet[str] = frozenset(),
    reset: FrozenSet[str] = frozenset(),
) -> List[Change]:
    """What an import would send. `enable` names sources. Raises KibanaError."""
    there = kibana.rules([rule["rule_id"] for rule in rules])
    return [
        merged(rule, there.get(rule["rule_id"]), console=console, enable=source_of(rule) in enable, reset=reset)
        for rule in rules
    ]


def send(kibana: Kibana, found: Sequence[Change]) -> List[Outcome]:
    """Import what is new or changed, in pieces, and read it back.

    Raises KibanaError, and Refused when Kibana's answer does not account for every rule sent; pieces sent before are then
    in Kibana, and the next import finds them unchanged.
    """
    wanted = [change for change in found if change.what != "unchanged"]
    errors: Dict[str, str] = {}
    for piece in pieces(wanted):
        errors.update(_checked(kibana.import_rules([change.rule for change in piece]), piece))
    there = kibana.rules([change.rule["rule_id"] for change in wanted])
    outcomes: List[Outcome] = []
    for change in wanted:
        name = change.rule["rule_id"]
        outcomes.append(Outcome(change, errors.get(name) or _apart(change.rule, there.get(name))))
    return outcomes


def pieces(found: Sequence[Change]) -> Iterator[List[Change]]:
    """Groups that fit into one request."""
    piece: List[Change] = []
    size = 0
    for change in found:
        own = len(json.dumps(change.rule)) + 1
        if piece and (len(piece) >= MOST_RULES or size + own > MOST_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(change)
        size += own
    if piece:
        yield piece


def _checked(answer: Mapping[str, Any], piece: Sequence[Change]) -> Dict[str, str]:
    """Errors by rule_id. Rows that name no rule we sent count against the whole piece."""
    sent = {change.rule["rule_id"] for change in piece}
    errors: Dict[str, str] = {}
    strays: List[str] = []
    for row in (*_rows(answer, "errors"), *_rows(answer, "exceptions_errors"), *_rows(answer, "action_connectors_errors")):
        error = row.get("error") or {}
        said = f"{error.get('status_code', '')} {error.get('message', '')}".strip()[:600]
        name = str(row.get("rule_id", ""))
        if name in sent:
            errors[name] = f"{errors[name]}; {said}" if name in errors else said
        else:
            strays.append(said)
    counted = answer.get("rules_count") == len(piece)
    if strays or not counted or (answer.get("success") is not True and not errors):
        told = "; ".join(strays[:5]) or f"it counts {answer.get('rules_count')} rules of {len(piece)}"
        raise Refused(
            f"Kibana did not take the import as sent: {told}. Nothing more was sent; import again once it is corrected"
        )
    return errors


def _rows(answer: Mapping[str, Any], key: str) -> List[Mapping[str, Any]]:
    return [row for row in answer.get(key) or () if isinstance(row, dict)]


def _apart(sent: Rule, there: Optional[Rule]) -> str:
    if there is None:
        return "is not in Kibana after the import"
    apart = [name for name in _READ_BACK if name in sent and not _same(there.get(name), sent[name])]
    return f"reads back otherwise than sent: {', '.join(apart)}; somebody may have edited it meanwhile" if apart else ""


def _same(there: Any, sent: Any) -> bool:
    if isinstance(sent, list):
        return isinstance(there, list) and len(there) == len(sent)
    return bool(there == sent)
