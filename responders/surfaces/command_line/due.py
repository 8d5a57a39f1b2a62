"""Do what is due: interrupted alerts, open lanes, rechecks, restores, undelivered reports."""

from __future__ import annotations

import argparse

from responders import pipeline
from responders.containment import due
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    with show.working("doing what is due", json_wanted=options.json):
        lines = pipeline.take_up(responder)
    for line in lines:
        show.say(line, json_wanted=options.json, done=line)
    left = list(due.pending(responder.journal, responder.now()))
    halted = responder.halted()
    if halted and left:
        said = f"automation is {halted}: {len(left)} entries wait for `tourniquet resume`"
        show.say(said, json_wanted=options.json, waiting=len(left), halted=halted)
        return 1
    if not lines and not options.json:
        show.OUT.print("nothing is due")
    return 0
