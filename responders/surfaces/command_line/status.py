"""List containments, or show one with its steps and what is due."""

from __future__ import annotations

import argparse

from rich.table import Table
from rich.text import Text

from responders.containment import due
from responders.containment.compose import of_containment
from responders.containment.record import all_containments, load
from responders.escalation.words import clean, clock
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", nargs="?", help="its id, c-…; without it all are listed")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    if options.containment:
        record = load(responder.journal, options.containment)
        return show.report(of_containment(responder.journal, record, ()), json_wanted=options.json)
    halted = responder.halted()
    if halted and not options.json:
        show.OUT.print(Text(f"automation is {halted}", style="bold red"))
    table = Table(box=None, pad_edge=False)
    for name in ("containment", "identity", "tier", "opened", "state", "steps that hold"):
        table.add_column(name, overflow="fold")
    for name, about in all_containments(responder.journal):
        record = load(responder.journal, name)
        tier = record.plan.decision.tier.label if record.plan else "?"
        held = sum(found.status.holds for found in record.outcomes.values())
        state = "open" if record.open else record.ended.kind if record.ended else "?"
        row = {
            "containment": name, "identity": about["identity"], "tier": tier, "opened": clock(record.opened_at),
            "state": state, "held": f"{held} of {len(record.steps)}",
        }  # fmt: skip
        if options.json:
            show.as_json(row)
        else:
            table.add_row(*(Text(clean(value)) for value in row.values()))
    waiting = sum(1 for _ in due.pending(responder.journal))
    if not options.json:
        show.OUT.print(table)
        show.OUT.print(f"{waiting} due entries wait; `tourniquet due` takes up what is due now")
    return 0
