"""Check an inventory file, compile it, or write the SIEM's lookup table from it."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from responders.errors import BadInput
from responders.inventory.files import accounts_rows, read_inventory
from responders.surfaces.command_line import show


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("check", "build", "lookup"))
    parser.add_argument("file", help="CSV or YAML")
    parser.add_argument("--output", metavar="FILE", help="build: where to write the compiled inventory")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    path = Path(options.file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"can't be read: {error}", place=str(path), remedy="name an inventory file") from None
    found = read_inventory(text, str(path))
    if options.what == "lookup":
        rows = accounts_rows(found)
        names = ["tq_account", "tq_identity", "tq_kind", "tq_criticality", "tq_environment", "tq_ambiguous"]
        writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return 0
    if options.what == "build":
        target = Path(options.output) if options.output else path.with_suffix(".json")
        target.write_text(found.to_json(), encoding="utf-8")
        show.OUT.print(f"wrote {target}", markup=False)
        return 0
    accounts = sum(len(identity.accounts) for identity in found.identities)
    show.OUT.print(f"{path}: {found.population} identities with {accounts} accounts are sound", markup=False)
    return 0
