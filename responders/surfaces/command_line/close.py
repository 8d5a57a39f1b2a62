"""End a containment without undoing it: the identity stays as it is, rechecks stop."""

from __future__ import annotations

import argparse

from responders.containment.restore import close
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", help="its id, c-…")
    parser.add_argument("--by", required=True, help="identity id of the person who closes it")
    parser.add_argument("--reason", required=True)
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    close(responder_of(options), options.containment, by=options.by, reason=options.reason)
    if options.json:
        show.as_json({"containment": options.containment, "closed_by": options.by})
    else:
        show.OUT.print(f"{options.containment} is closed")
    return 0
