"""Undo a containment from its recorded pre-state, and end it."""

from __future__ import annotations

import argparse

from responders.containment.restore import restore
from responders.escalation.words import clean
from responders.model import Status
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("containment", help="its id, c-…")
    parser.add_argument("--by", required=True, help="identity id of the person who restores")
    parser.add_argument("--reason", required=True)
    parser.add_argument("--approved-by", help="second person, needed for a privileged identity")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    outcomes = restore(
        responder_of(options),
        options.containment,
        by=options.by,
        reason=options.reason,
        approved_by=options.approved_by,
    )
    for found in outcomes:
        if options.json:
            show.as_json(found)
        else:
            text = f"{found.status.value:10} {found.step.action} {found.step.account.key}: {found.proof}"
            show.OUT.print(clean(text), markup=False)
    return 1 if any(found.status in (Status.FAILED, Status.UNKNOWN) for found in outcomes) else 0
