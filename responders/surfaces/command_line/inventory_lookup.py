"""Write the SIEM's lookup table from an inventory file: one row an account or alias, as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from responders.inventory.files import accounts_rows, read_inventory
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import text_of

_NAMES = ("tq_account", "tq_identity", "tq_kind", "tq_criticality", "tq_environment", "tq_break_glass", "tq_ambiguous")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="CSV or YAML")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    path = Path(options.file)
    rows = accounts_rows(read_inventory(text_of(path, "inventory"), str(path)))
    if options.json:
        for row in rows:
            show.as_json(row)
        return 0
    writer = csv.DictWriter(sys.stdout, _NAMES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return 0
