"""Let automation write again after `halt`."""

from __future__ import annotations

import argparse

from responders.containment import due
from responders.surfaces.command_line import show
from responders.surfaces.command_line.halt import said_who_and_why
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, metavar="ID", help="who lifts the halt")
    parser.add_argument("--reason", required=True, metavar="WHY")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    said_who_and_why(options)
    responder = responder_of(options)
    was = responder.halted()
    if was:
        responder.lift_halt(options.by, options.reason)
    waiting = sum(1 for _ in due.pending(responder.journal, responder.now()))
    said = f"automation runs again (it was {was})" if was else "automation was not halted"
    said += f"; `tourniquet due` takes up {waiting} entries that wait" if waiting else ""
    show.say(said, json_wanted=options.json, was=was, waiting=waiting, exit=0)
    return 0
