"""Contain the identities behind raw alerts, by policy."""

from __future__ import annotations

import argparse

from responders import pipeline
from responders.errors import Refused
from responders.surfaces.command_line import show
from responders.surfaces.command_line.plan import run as plan_only
from responders.surfaces.command_line.reading import responder_of, rows


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("alerts", help="file with one alert (JSON) a line, - for stdin")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, show the plan")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    if options.dry_run:
        return plan_only(options)
    responder = responder_of(options)
    worst = 0
    for row in sorted(rows(options.alerts), key=lambda item: str(item.get("tq_confidence", "")), reverse=True):
        try:
            worst = max(worst, show.report(pipeline.contain(row, responder), json_wanted=options.json))
        except Refused as error:
            worst = max(worst, show.error(str(error), 3))
    return worst
