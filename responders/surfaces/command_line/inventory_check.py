"""Check an inventory file: every error at once, with file and line."""

from __future__ import annotations

import argparse
from pathlib import Path

from responders.inventory.files import read_inventory
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import text_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="CSV or YAML")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    path = Path(options.file)
    found = read_inventory(text_of(path, "inventory"), str(path))
    accounts = sum(len(identity.accounts) for identity in found.identities)
    restorers = len(found.restorers)
    said = f"{path}: {found.population} identities with {accounts} accounts are sound; {restorers} people may restore"
    show.say(
        said, json_wanted=options.json, file=str(path), identities=found.population, accounts=accounts,
        restorers=restorers, sound=True,
    )  # fmt: skip
    if restorers < 2 and not options.json:
        show.OUT.print("  ! with fewer than two can_restore, nobody can restore a privileged identity", style="yellow")
    return 0
