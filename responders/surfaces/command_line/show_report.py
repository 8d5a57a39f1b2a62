"""A report on the terminal: who, why, the timeline of what was done and proved, what is open, how to undo."""

from __future__ import annotations

from typing import Any, Dict, List

from rich.padding import Padding
from rich.text import Text

from responders.actions import registry
from responders.escalation import words
from responders.escalation.report import Report
from responders.escalation.words import clean, clock
from responders.model import Outcome, Status, Step
from responders.surfaces.command_line.show import OUT, as_json, table, texts, undo_of

MARKS = {
    Status.CONFIRMED: ("✓", "green"),
    Status.ALREADY: ("✓", "green"),
    Status.ACCEPTED: ("…", "yellow"),
    Status.FAILED: ("✗", "bold red"),
    Status.UNKNOWN: ("?", "bold red"),
    Status.REFUSED: ("–", "red"),
}


def report(found: Report, *, json_wanted: bool, place: str = "", **more: Any) -> int:
    """Show a report; 1 when it is loud. `place` says where its alert stands, `more` are further values for machines."""
    code = 1 if found.loud else 0
    if json_wanted:
        as_json({**report_json(found), "place": place, "exit": code, **more})
        return code
    if place:
        OUT.print(Text(clean(place), style="dim"))
    OUT.print(Text(clean(found.title), style="bold red" if found.loud else "bold"))
    _who(found)
    _why(found)
    if found.outcomes:
        timeline(found.outcomes)
        _when(found)
    elif found.plan is not None:
        _plan(found.plan.steps)
    for item in words.left_out(found):
        OUT.print(Text(f"Left out of the alert: {item}", style="yellow"))
    for item in found.open_items:
        OUT.print(Text(f"  ! {clean(item)}", style="yellow"))
    for made in found.created:
        OUT.print(Text(f"  + created: {made.vendor} {clean(made.thing)} {clean(made.id)}: {clean(made.how_to_remove)}"))
    _next(found)
    return code


def report_json(found: Report) -> Dict[str, Any]:
    """What webhooks get, with the tier in words and what each step needs and may break."""
    steps = found.plan.steps if found.plan is not None else ()
    return {
        **words.as_json(found),
        "tier": found.decision.tier.label if found.decision is not None else "",
        "steps": [_step_json(step) for step in steps],
    }


def timeline(outcomes: Any) -> None:
    """What was done at which second, and what proves it."""
    rows = table("", "at (UTC)", "action", "status", "proof")
    listed: List[Outcome] = sorted(outcomes, key=lambda item: item.at)
    for item in listed:
        mark, style = MARKS[item.status]
        tail = f"; may live until {clock(item.residual_until)}" if item.residual_until else ""
        several = len({o.step.account for o in listed if o.step.account.vendor == item.step.account.vendor}) > 1
        action = f"{item.step.action} {item.step.account.key}" if several else item.step.action
        at = f"{item.at:%H:%M:%S}.{item.at.microsecond // 10000:02d}"
        rows.add_row(Text(mark, style=style), *texts(at, action, item.status.value, item.proof + tail))
    OUT.print(Padding(rows, (0, 0, 0, 2)))


def _step_json(step: Step) -> Dict[str, Any]:
    action = registry.load(step.action)
    return {
        "id": step.id, "action": step.action, "account": step.account.key, "phase": step.phase.name.lower(),
        "permissions": list(action.permissions), "breaks": action.breaks, **undo_of(action.irreversible),
    }  # fmt: skip


def _who(found: Report) -> None:
    if found.decision is None:
        return
    who = found.decision.identity
    unmapped = "; unmapped: no inventory row claims this account" if who.unmapped else ""
    owner = clean(who.owner or "nobody is named")
    OUT.print(Text(f"{clean(who.id)}: {who.kind}, {who.criticality}, {who.environment}; owner: {owner}{unmapped}"))
    OUT.print(Text(f"Accounts: {clean(', '.join(account.key for account in who.accounts))}"))
    if who.dependents:
        OUT.print(Text(f"Depends on it: {clean(', '.join(who.dependents))}", style="yellow"))
    for line in who.usage:
        OUT.print(Text(f"Logs show: {clean(line)}"))


def _why(found: Report) -> None:
    decision = found.decision
    if decision is None:
        return
    by = f"; {clean(found.alert.detection)}, completed {clock(found.alert.completed_at)}" if found.alert else ""
    OUT.print(Text(f"Why {decision.tier.label}: confidence {decision.confidence}, policy {clean(decision.policy)}{by}"))
    for reason in decision.reasons:
        points = f"{reason.points:+d}" if reason.points else ""
        guard = f"  [guard: {reason.guard}]" if reason.guard else ""
        OUT.print(Text(f"  {points:>4}  {clean(reason.text)}{guard}", style="yellow" if guard else ""))


def _when(found: Report) -> None:
    if found.contained_at and found.detected_at:
        seconds = (found.contained_at - found.detected_at).total_seconds()
        OUT.print(f"Contained {seconds:.1f} s after the completing event.", markup=False)
    if found.residual_until:
        OUT.print(f"Some live access may last until {clock(found.residual_until)}.", markup=False)


def _plan(steps: Any) -> None:
    for account in dict.fromkeys(step.account for step in steps):
        OUT.print(Text(f"{clean(account.key)} ({clean(account.kind)})", style="bold"))
        rows = table("phase", "action", "needs", "what may break", "undo")
        for step in (step for step in steps if step.account == account):
            action = registry.load(step.action)
            undo = "no" if action.irreversible else "yes"
            rows.add_row(*texts(step.phase.name.lower(), step.action, "; ".join(action.permissions), action.breaks, undo))
        OUT.print(Padding(rows, (0, 0, 0, 2)))


def _next(found: Report) -> None:
    """What a person may do now."""
    decision = found.decision
    if decision is not None and decision.approval and found.dry_run:
        OUT.print(Text(f"Only after approval: {', '.join(decision.approval)}"))
    if decision is not None and decision.approval and found.undo:
        OUT.print(Text(f"Approve: tourniquet approve {found.containment} ACTION --by YOUR-ID --reason WHY"))
    if found.undo:
        second = " --approved-by SECOND-PERSON" if decision is not None and decision.identity.privileged else ""
        OUT.print(Text(f"Undo: {found.undo}{second}"))
    if found.dry_run:
        OUT.print("This is a plan: nothing was changed.", style="bold")
