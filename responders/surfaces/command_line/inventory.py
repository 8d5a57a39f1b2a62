"""Check an inventory file, compile it, or write the SIEM's lookup table from it."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from responders.inventory.files import accounts_rows, read_inventory
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import text_of
from responders.surfaces.command_line.writing import write


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("check", "build", "lookup"))
    parser.add_argument("file", help="CSV or YAML")
    parser.add_argument("--output", metavar="FILE", help="build: where to write it, default NAME.json beside NAME.csv")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    path = Path(options.file)
    found = read_inventory(text_of(path, "inventory"), str(path))
    if options.what == "lookup":
        rows = accounts_rows(found)
        if options.json:
            for row in rows:
                show.as_json(row)
            return 0
        names = ["tq_account", "tq_identity", "tq_kind", "tq_criticality", "tq_environment", "tq_break_glass"]
        writer = csv.DictWriter(sys.stdout, [*names, "tq_ambiguous"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return 0
    if options.what == "build":
        target = Path(options.output) if options.output else path.with_suffix(".json")
        write(target, found.to_json(), source=path)
        show.say(f"wrote {target}", json_wanted=options.json, wrote=str(target))
        return 0
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
