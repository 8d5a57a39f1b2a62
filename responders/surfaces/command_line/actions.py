"""List the actions there are: permissions, undo, what each may break."""

from __future__ import annotations

import argparse

from rich.table import Table

from responders.actions import registry
from responders.surfaces.command_line import show


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", action="store_true", help="the table of docs/actions.md")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    if options.markdown:
        show.OUT.print(markdown(), markup=False)
        return 0
    table = Table(box=None, pad_edge=False)
    for name in ("action", "tier", "phase", "permissions", "undo", "breaks"):
        table.add_column(name, overflow="fold")
    for name in registry.names():
        action = registry.load(name)
        row = {
            "action": name, "tier": action.least_tier.label, "phase": action.phase.name.lower(),
            "permissions": "; ".join(action.permissions),
            "undo": f"none: {action.irreversible}" if action.irreversible else "yes",
            "breaks": action.breaks,
        }  # fmt: skip
        if options.json:
            show.as_json({**row, "kinds": action.kinds, "needs": action.needs, "uses": action.uses, "manual": action.manual})
        else:
            table.add_row(*row.values())
    if not options.json:
        show.OUT.print(table)
    return 0


def markdown() -> str:
    """Every action in a table, generated from the actions themselves."""
    lines = [
        "| action | account kinds | least tier | phase | permissions | undo | may break | evidence it needs |",
        "|---" * 8 + "|",
    ]
    for name in registry.names():
        action = registry.load(name)
        undo = f"no: {action.irreversible}" if action.irreversible else "yes"
        cells = (
            name, ", ".join(action.kinds), action.least_tier.label, action.phase.name.lower(), "; ".join(action.permissions),
            undo, action.breaks, ", ".join(action.needs) or "–",
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
