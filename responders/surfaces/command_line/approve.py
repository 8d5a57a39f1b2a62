"""Say yes to actions that wait for a person, on an open containment."""

from __future__ import annotations

import argparse

from responders.containment.approve import approve
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of
from responders.surfaces.command_line.show_report import report


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", help="its id, c-…")
    parser.add_argument(
        "actions", nargs="+", metavar="ACTION", help="names as vendor.verb_object, or revoke: the whole tier"
    )
    parser.add_argument("--by", required=True, metavar="ID", help="identity id of the person who approves")
    parser.add_argument("--reason", required=True, metavar="WHY")
    parser.add_argument("--approved-by", metavar="ID", help="second person, needed for a privileged identity")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    with show.working(f"carrying out what {options.by} approved", json_wanted=options.json):
        found = approve(
            responder,
            options.containment,
            tuple(options.actions),
            by=options.by,
            reason=options.reason,
            approved_by=options.approved_by,
        )
    return report(found, json_wanted=options.json)
