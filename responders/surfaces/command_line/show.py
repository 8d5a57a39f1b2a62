"""What commands print: people get rich text, machines get JSON."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from responders.codec import to_json
from responders.escalation.report import Report
from responders.escalation.words import clean, clock
from responders.model import Status

OUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
_MARK = {
    Status.CONFIRMED: ("✓", "green"),
    Status.ALREADY: ("✓", "green"),
    Status.ACCEPTED: ("…", "yellow"),
    Status.FAILED: ("✗", "bold red"),
    Status.UNKNOWN: ("?", "bold red"),
    Status.REFUSED: ("–", "red"),
}


def error(text: str, code: int) -> int:
    """Print to stderr, return the exit code."""
    sys.stderr.write(f"tourniquet: {text}\n")
    return code


def add_common(parser: argparse.ArgumentParser, *, settings: bool = True) -> None:
    """--json, and --settings where the command needs a responder."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for machines")
    if settings:
        parser.add_argument("--settings", metavar="FILE", help="default: $TOURNIQUET_SETTINGS, then ~/.config/tourniquet")


def as_json(value: Any) -> None:
    """One JSON object on one line."""
    sys.stdout.write(json.dumps(to_json(value), sort_keys=True) + "\n")


def report(found: Report, *, json_wanted: bool) -> int:
    """Show a report; 1 when it is loud."""
    if json_wanted:
        as_json(found)
        return 1 if found.loud else 0
    OUT.print(Text(clean(found.title), style="bold red" if found.loud else "bold"))
    if found.decision is not None:
        _decision(found)
    if found.outcomes:
        _outcomes(found)
    elif found.plan is not None:
        _plan(found)
    for item in found.open_items:
        OUT.print(Text(f"  ! {clean(item)}", style="yellow"))
    for made in found.created:
        OUT.print(Text(f"  + created: {made.vendor} {clean(made.thing)} {clean(made.id)}: {made.how_to_remove}"))
    if found.undo:
        OUT.print(f"Undo: {found.undo}", markup=False)
    return 1 if found.loud else 0


def _decision(found: Report) -> None:
    decision = found.decision
    if decision is None:
        return
    who = decision.identity
    OUT.print(
        f"{clean(who.id)}: {who.kind}, {who.criticality}, {who.environment}; owner {clean(who.owner or '?')}",
        markup=False,
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for reason in decision.reasons:
        table.add_row(f"{reason.points:+d}" if reason.points else "", Text(clean(reason.text) + _guard(reason.guard)))
    OUT.print(table)


def _guard(name: str) -> str:
    return f"  [guard: {name}]" if name else ""


def _outcomes(found: Report) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("", "action", "account", "proof"):
        table.add_column(name, overflow="fold")
    for item in found.outcomes:
        mark, style = _MARK[item.status]
        tail = f"; may live until {clock(item.residual_until)}" if item.residual_until else ""
        table.add_row(
            Text(mark, style=style),
            item.step.action,
            Text(clean(item.step.account.key)),
            Text(clean(item.proof) + tail),
        )
    OUT.print(table)


def _plan(found: Report) -> None:
    from responders.actions import registry

    if found.plan is None:
        return
    table = Table(box=None, pad_edge=False)
    for name in ("phase", "action", "account", "needs", "what may break"):
        table.add_column(name, overflow="fold")
    for step in found.plan.steps:
        action = registry.load(step.action)
        table.add_row(
            step.phase.name.lower(),
            step.action,
            Text(clean(step.account.key)),
            ", ".join(action.permissions),
            action.breaks,
        )
    OUT.print(table)
