"""Do what is due: interrupted alerts, open lanes, rechecks, restores, undelivered reports."""

from __future__ import annotations

import argparse

from responders import pipeline
from responders.escalation.words import clean
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    lines = pipeline.take_up(responder_of(options))
    for line in lines:
        if options.json:
            show.as_json({"done": line})
        else:
            show.OUT.print(clean(line), markup=False)
    if not lines and not options.json:
        show.OUT.print("nothing is due")
    return 0
