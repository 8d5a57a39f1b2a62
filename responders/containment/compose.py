"""Puts a report together from the journal: who, why, what was done and proved, what is open, how to undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Mapping, Optional, Sequence, Tuple

from responders.actions import registry
from responders.containment.record import Record, is_drill
from responders.escalation.report import Report
from responders.journal.chain import Entry, Journal
from responders.model import Alert, Created, Decision, Outcome, Plan, Status, Step

_WORD = {
    Status.FAILED: "FAILED",
    Status.UNKNOWN: "not known yet, stays due",
    Status.ACCEPTED: "accepted by the vendor, not provable yet",
    Status.REFUSED: "refused",
}


@dataclass(frozen=True)
class Note:
    """What a report says beside the record itself."""

    title: str = ""
    loud: bool = False
    open_items: Tuple[str, ...] = ()
    created: Tuple[Created, ...] = ()


def of_containment(journal: Journal, record: Record, outcomes: Sequence[Outcome], note: Note = Note()) -> Report:
    """The report of one containment. `outcomes` may be newer than what the record holds."""
    plan = record.plan
    if plan is None:
        raise ValueError(f"containment {record.containment} has no plan")
    latest = {**record.outcomes, **{outcome.step.id: outcome for outcome in outcomes}}
    steps = tuple(record.steps.values())
    items = open_items(plan, steps, latest) + note.open_items
    residuals = [o.residual_until for o in latest.values() if o.residual_until is not None]
    held = [o.at for o in latest.values() if o.status.holds]
    identity = plan.decision.identity
    failed = any(o.status in (Status.FAILED, Status.UNKNOWN, Status.REFUSED) for o in latest.values()) or len(latest) < len(
        steps
    )
    # A plan without one step contains nobody: that is as loud as a step that failed.
    loud = note.loud or failed or not steps or bool(plan.unsupported or plan.decision.refused)
    complete = len(held) == len(steps) and bool(steps)
    word = "contained" if complete else "NOT fully contained"
    alert = record.alerts[-1] if record.alerts else None
    return Report(
        containment=record.containment,
        title=("canary drill: " if is_drill(record) else "")
        + (note.title or f"{identity.id} ({identity.kind}) {word} at tier {plan.decision.tier.label}"),
        loud=loud,
        alert=alert,
        decision=plan.decision,
        plan=plan,
        outcomes=tuple(latest[step.id] for step in steps if step.id in latest),
        open_items=items,
        created=note.created,
        manual=manual_steps(steps, latest),
        undo=f"tourniquet restore {record.containment} --by YOUR-ID --reason WHY",
        head=_head(record.entries[-1]) if record.entries else "",
        at=journal.clock(),
        detected_at=alert.completed_at if alert else None,
        contained_at=max(held) if complete else None,
        residual_until=max(residuals) if residuals else None,
    )


def without_containment(
    journal: Journal,
    chain: str,
    alert: Optional[Alert],
    decision: Optional[Decision],
    note: Note,
) -> Report:
    """The report of an alert that led to no containment: observed, refused, ambiguous or unreadable."""
    return Report(
        containment="",
        title=note.title,
        loud=note.loud,
        alert=alert,
        decision=decision,
        plan=None,
        outcomes=(),
        open_items=note.open_items,
        created=note.created,
        manual=(),
        undo="",
        head=head_text(journal, chain),
        at=journal.clock(),
        detected_at=alert.completed_at if alert else None,
    )


def open_items(plan: Plan, steps: Sequence[Step], latest: Mapping[str, Outcome]) -> Tuple[str, ...]:
    """What is not contained, in words, with what to do."""
    items: List[str] = [
        f"{account.key} ({account.kind}): refused, no responder for {account.vendor}: contain it by hand"
        for account in plan.unsupported
    ]
    for step in steps:
        found = latest.get(step.id)
        if found is None:
            items.append(f"{step.action} on {step.account.key}: not tried yet, stays due")
        elif not found.status.holds:
            items.append(f"{step.action} on {step.account.key}: {_WORD[found.status]}: {found.proof}")
    items.extend(f"{action}: refused by guard {guard}" for action, guard in plan.decision.refused)
    return tuple(items)


def manual_steps(steps: Sequence[Step], latest: Mapping[str, Outcome]) -> Tuple[str, ...]:
    """The same steps by hand, those that do not hold first."""
    ranked = sorted(steps, key=lambda step: (step.id in latest and latest[step.id].status.holds, step.phase))
    return tuple(f"{step.account.key}: {registry.load(step.action).manual}" for step in ranked)


def head_text(journal: Journal, chain: str) -> str:
    """chain:seq:mac of a chain's last entry, what `tourniquet journal verify --head` takes."""
    head = journal.head(chain) if chain else None
    return _head(head) if head else ""


def _head(entry: Entry) -> str:
    return f"{entry.chain}:{entry.seq}:{entry.mac}"


def preview(journal: Journal, plan: Plan, alert: Alert, outdated: str) -> Report:
    """What would be done: the plan with nothing written. `outdated` says why it would not be done at all."""
    identity = plan.decision.identity
    items = tuple(f"{account.key}: refused, no responder for {account.vendor}" for account in plan.unsupported)
    return Report(
        containment=plan.containment,
        title=f"would take {identity.id} ({identity.kind}) to tier {plan.decision.tier.label}",
        loud=False,
        alert=alert,
        decision=plan.decision,
        plan=plan,
        outcomes=(),
        open_items=(*items, *((f"not contained again: {outdated}",) if outdated else ())),
        created=(),
        manual=manual_steps(plan.steps, {}),
        undo="",
        head="",
        at=journal.clock(),
        detected_at=alert.completed_at,
        dry_run=True,
    )
