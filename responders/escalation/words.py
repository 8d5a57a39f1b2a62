"""A report in words, for people: who, why, what was done and proved, what is open, how to undo, the manual steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Optional, Tuple

from responders.codec import to_json
from responders.escalation.report import Report
from responders.model import Status

_IN_SPLUNK = "where the journal is in Splunk: the action Restore identity"


def text(report: Report) -> str:
    """The whole report as plain text, most important first. Ids from logs are shown escaped, on one line each."""
    lines: List[str] = [("!!! " if report.loud else "") + clean(report.title)]
    lines += _who(report)
    lines += _why(report)
    lines += _done(report)
    if report.open_items:
        lines += ["", "Open, needs a person:", *(f"  ! {clean(item)}" for item in report.open_items)]
    if report.created:
        lines += ["", "Created by this identity since the compromise (removal needs approval):"]
        lines += [f"  {c.vendor} {clean(c.thing)} {clean(c.id)}: {clean(c.how_to_remove)}" for c in report.created]
    if report.decision and report.decision.approval and report.containment:
        command = f"tourniquet approve {report.containment} ACTION --by YOUR-ID --reason WHY"
        lines += ["", f"A person may approve ({command}):", f"  {', '.join(report.decision.approval)}"]
    if report.undo:
        lines += ["", f"Undo: {report.undo}", f"  ({_IN_SPLUNK})"]
    if report.manual:
        lines += ["", "The same by hand, without Tourniquet:", *(f"  - {clean(step)}" for step in report.manual)]
    if report.head:
        lines += ["", f"Journal head: {report.head}"]
    return "\n".join(lines) + "\n"


def summary(report: Report) -> str:
    """Two or three lines for a chat channel."""
    parts = [("🔴 " if report.loud else "") + clean(report.title)]
    if report.alert:
        parts.append(f"{clean(report.alert.detection)}, confidence {report.alert.confidence}")
    if report.outcomes:
        held = sum(outcome.status.holds for outcome in report.outcomes)
        parts.append(f"{held} of {len(report.outcomes)} steps proved; {len(report.open_items)} open")
    if report.undo:
        parts.append(f"undo: {report.undo} ({_IN_SPLUNK})")
    return "\n".join(parts)


def as_json(report: Report) -> Dict[str, Any]:
    """The report for machines."""
    return {"tourniquet": 1, **to_json(report)}


def clean(value: str) -> str:
    """Text from a log made safe for a terminal, a page or a chat: control characters and markup marks are shown."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in value)
    return shown if len(shown) <= 2000 else shown[:2000] + "…"


def left_out(report: Report) -> Tuple[str, ...]:
    """What of the alert could not be taken, and why, one line each."""
    return tuple(f"{name}: {clean(why)}" for name, why in report.alert.left_out) if report.alert else ()


def clock(at: Optional[datetime]) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z" if at else "-"


def _who(report: Report) -> List[str]:
    if report.decision is None:
        return []
    who = report.decision.identity
    mapped = " (unmapped: no inventory row claims this account)" if who.unmapped else ""
    lines = [
        f"Identity: {clean(who.id)} ({who.kind}, {who.criticality}, {who.environment}){mapped}",
        f"Owner: {clean(who.owner or 'nobody is named')}",
    ]
    if who.dependents:
        lines.append(f"Depends on it: {clean(', '.join(who.dependents))}")
    if who.usage:
        lines += ["Logs show it in use (told to you, and weighed by nothing):", *(f"  {clean(line)}" for line in who.usage)]
    return lines


def _why(report: Report) -> List[str]:
    lines: List[str] = []
    if report.alert:
        lines.append(f"Detection: {clean(report.alert.detection)}, completed {clock(report.alert.completed_at)}")
        lines += [f"Left out of the alert: {item}" for item in left_out(report)]
    if report.decision:
        decision = report.decision
        lines += ["", f"Why tier {decision.tier.label} at confidence {decision.confidence} (policy {decision.policy}):"]
        for reason in decision.reasons:
            points = f"{reason.points:+4d}" if reason.points else "    "
            guard = f" [guard: {reason.guard}]" if reason.guard else ""
            lines.append(f"  {points}  {clean(reason.text)}{guard}")
    return lines


def _done(report: Report) -> List[str]:
    if not report.outcomes:
        if report.dry_run and report.plan:
            return [
                "",
                "Would do:",
                *(f"  {s.phase.name.lower():6} {s.action} on {clean(s.account.key)}" for s in report.plan.steps),
            ]
        return []
    lines = ["", "Done and proved:" if not report.loud else "Done:"]
    for found in report.outcomes:
        mark = "✓" if found.status.holds else ("…" if found.status is Status.ACCEPTED else "✗")
        residual = f"; live access may last until {clock(found.residual_until)}" if found.residual_until else ""
        lines.append(
            f"  {mark} {found.step.action} on {clean(found.step.account.key)}: {found.status.value}: "
            f"{clean(found.proof)}{residual}"
        )
    if report.contained_at and report.detected_at:
        seconds = (report.contained_at - report.detected_at).total_seconds()
        lines.append(f"Contained {seconds:.1f} s after the completing event.")
    if report.residual_until:
        lines.append(f"Residual: some live access may last until {clock(report.residual_until)}.")
    return lines
