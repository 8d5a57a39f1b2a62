"""Let automation write again after `halt`."""

from __future__ import annotations

import argparse

from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, help="who lifts the halt")
    parser.add_argument("--reason", required=True)
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    was = responder.halted()
    responder.lift_halt(options.by, options.reason)
    show.OUT.print(f"automation runs again (it was {was})" if was else "automation was not halted", markup=False)
    return 0
