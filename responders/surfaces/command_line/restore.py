"""Undo a containment from its recorded pre-state, and end it."""

from __future__ import annotations

import argparse

from rich.text import Text

from responders.containment.restore import restore
from responders.escalation.words import clean
from responders.model import Status
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of
from responders.surfaces.command_line.show_report import timeline


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", help="its id, c-…")
    parser.add_argument("--by", required=True, metavar="ID", help="identity id of the person who restores")
    parser.add_argument("--reason", required=True, metavar="WHY")
    parser.add_argument("--approved-by", metavar="ID", help="second person, needed for a privileged identity")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    with show.working(f"restoring {options.containment}", json_wanted=options.json):
        outcomes = restore(
            responder,
            options.containment,
            by=options.by,
            reason=options.reason,
            approved_by=options.approved_by,
        )
    left = [found for found in outcomes if found.status in (Status.FAILED, Status.UNKNOWN)]
    code = 1 if left else 0
    if options.json:
        show.as_json({"containment": options.containment, "restored": not left, "outcomes": list(outcomes), "exit": code})
        return code
    gone = sum(found.status is Status.REFUSED for found in outcomes)
    said = f"{options.containment} is {'NOT wholly restored' if left else 'restored'}"
    said += f"; {gone} of {len(outcomes)} steps can't be undone by anybody" if gone else ""
    show.OUT.print(Text(clean(said), style="bold red" if left else "bold"))
    timeline(outcomes)
    if left:
        show.OUT.print("What failed stays due: `tourniquet due` tries again.", markup=False)
    return code
