"""Stop all automatic writes at once, in every responder that shares the journal."""

from __future__ import annotations

import argparse

from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, help="who halts")
    parser.add_argument("--reason", required=True)
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    responder.halt(options.by, options.reason)
    show.OUT.print(f"automation is {responder.halted()}", markup=False)
    return 0
