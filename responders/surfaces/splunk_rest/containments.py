"""GET containments: the list, and one with its timeline, its proofs and how to undo it. All of it from the journal."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from responders.codec import to_json
from responders.containment.compose import of_containment
from responders.containment.record import Record, all_containments, load
from responders.errors import Refused
from responders.escalation.words import as_json
from responders.surfaces.splunk_rest.context import Context
from responders.surfaces.splunk_rest.wire import Status

_MOST = 200
_USUAL = 50


def listed(context: Context, _: Tuple[str, ...]) -> Mapping[str, Any]:
    """Newest first. Query: `open=1` only those that go on, `identity`, `limit` (1 to 200), `offset`."""
    query = context.request.query
    unknown = sorted(set(query) - {"open", "identity", "limit", "offset", "output_mode"})
    if unknown:
        raise Status(400, f"unknown query {unknown[0][:40]!r}: use open, identity, limit, offset")
    limit, offset = _number(query, "limit", _USUAL, _MOST), _number(query, "offset", 0, 1_000_000)
    journal = context.responder.journal
    found = [
        (name, about) for name, about in all_containments(journal) if query.get("identity") in (None, "", about["identity"])
    ]
    found.reverse()
    if query.get("open") == "1":
        going_on = [(record, about) for name, about in found for record in [load(journal, name)] if record.open]
        total, page = len(going_on), going_on[offset : offset + limit]
    else:
        total, page = len(found), [(load(journal, name), about) for name, about in found[offset : offset + limit]]
    shown = [_summary(record, about["identity"], int(about["generation"])) for record, about in page]
    return {"containments": shown, "total": total, "offset": offset, "limit": limit}


def one(context: Context, names: Tuple[str, ...]) -> Mapping[str, Any]:
    """One containment: its report as it stands, and every entry of its chain, each checked against the journal's key."""
    journal = context.responder.journal
    try:
        record = load(journal, names[0])
    except Refused:
        raise Status(404, f"there is no containment {names[0][:80]}") from None
    plan = record.plan
    who = plan.decision.identity.id if plan is not None else ""
    found: Dict[str, Any] = dict(_summary(record, who, plan.generation if plan is not None else 0))
    found["report"] = as_json(of_containment(journal, record, ())) if plan is not None else None
    found["timeline"] = [
        {"seq": entry.seq, "at": entry.at.isoformat(), "kind": entry.kind, "body": entry.body, "mac": entry.mac}
        for entry in record.entries
    ]
    return found


def _summary(record: Record, identity: str, generation: int) -> Mapping[str, Any]:
    plan = record.plan
    statuses: Dict[str, int] = {}
    for outcome in record.outcomes.values():
        statuses[outcome.status.value] = statuses.get(outcome.status.value, 0) + 1
    alert = record.alerts[-1] if record.alerts else None
    return {
        "containment": record.containment,
        "identity": identity,
        "generation": generation,
        "kind": plan.decision.identity.kind if plan is not None else "",
        "tier": plan.decision.tier.label if plan is not None else "",
        "confidence": plan.decision.confidence if plan is not None else None,
        "detection": alert.detection if alert is not None else "",
        "open": record.open,
        "ended": record.ended.kind if record.ended is not None else "",
        "privileged": plan.decision.identity.privileged if plan is not None else False,
        "detected_at": to_json(alert.completed_at) if alert is not None else None,
        "opened_at": to_json(record.opened_at),
        "contained_at": to_json(record.contained_at),
        "steps": len(record.steps),
        "outcomes": statuses,
        "vendors": sorted({step.account.vendor for step in record.steps.values()}),
    }


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal() or len(text) > 9 or not 0 <= int(text) <= most or (name == "limit" and int(text) == 0):
        raise Status(400, f"{name} {text[:20]!r} is no number up to {most}")
    return int(text)
