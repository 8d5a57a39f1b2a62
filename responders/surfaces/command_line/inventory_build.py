"""Compile an inventory file into what a responder reads."""

from __future__ import annotations

import argparse
from pathlib import Path

from responders.inventory.files import read_inventory
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import text_of
from responders.surfaces.command_line.writing import write


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="CSV or YAML")
    parser.add_argument("--output", metavar="FILE", help="where to write it, default NAME.json beside NAME.csv")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    path = Path(options.file)
    found = read_inventory(text_of(path, "inventory"), str(path))
    target = Path(options.output) if options.output else path.with_suffix(".json")
    write(target, found.to_json(), source=path)
    show.say(f"wrote {target}", json_wanted=options.json, wrote=str(target))
    return 0
