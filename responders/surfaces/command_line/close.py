"""End a containment without undoing it: the identity stays as it is, rechecks stop."""

from __future__ import annotations

import argparse

from responders.containment.restore import close
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", help="its id, c-…")
    parser.add_argument("--by", required=True, metavar="ID", help="identity id of the person who closes it")
    parser.add_argument("--reason", required=True, metavar="WHY")
    parser.add_argument("--approved-by", metavar="ID", help="second person, needed for a privileged identity")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    close(
        responder_of(options),
        options.containment,
        by=options.by,
        reason=options.reason,
        approved_by=options.approved_by,
    )
    said = f"{options.containment} is closed: nothing was undone, and nobody looks after it any more"
    show.say(said, json_wanted=options.json, containment=options.containment, closed_by=options.by, exit=0)
    return 0
