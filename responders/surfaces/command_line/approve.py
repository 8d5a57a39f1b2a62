"""Say yes to actions that wait for a person, on an open containment."""

from __future__ import annotations

import argparse

from responders.containment.approve import approve
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", help="its id, c-…")
    parser.add_argument(
        "actions", nargs="+", metavar="ACTION", help="names as vendor.verb_object, or revoke: the whole tier"
    )
    parser.add_argument("--by", required=True, help="identity id of the person who approves")
    parser.add_argument("--reason", required=True)
    parser.add_argument("--approved-by", help="second person, needed for a privileged identity")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    found = approve(
        responder_of(options),
        options.containment,
        tuple(options.actions),
        by=options.by,
        reason=options.reason,
        approved_by=options.approved_by,
    )
    return show.report(found, json_wanted=options.json)
