"""Stop all automatic writes at once, in every responder that shares the journal."""

from __future__ import annotations

import argparse

from responders.errors import BadInput
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, metavar="ID", help="who halts")
    parser.add_argument("--reason", required=True, metavar="WHY")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    said_who_and_why(options)
    responder = responder_of(options)
    responder.halt(options.by, options.reason)
    why = responder.halted()
    said = f"automation is {why}. Alerts are kept and escalated; `tourniquet resume` lets them go on"
    show.say(said, json_wanted=options.json, halted=why, exit=0)
    return 0


def said_who_and_why(options: argparse.Namespace) -> None:
    """Raises BadInput for an empty --by or --reason."""
    for name, value in (("--by", options.by), ("--reason", options.reason)):
        if not value.strip():
            raise BadInput("is empty", place=name, remedy="say who does it, and why: it is recorded")
