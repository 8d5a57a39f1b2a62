"""Contain the identities behind raw alerts, by policy."""

from __future__ import annotations

import argparse

from responders import pipeline
from responders.alerts.row import from_siem, with_request
from responders.errors import Refused
from responders.surfaces.command_line import show
from responders.surfaces.command_line.plan import run as plan_only
from responders.surfaces.command_line.reading import responder_of, rows, strongest_first


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("alerts", help="file with one alert (JSON) a line, - for stdin")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, show the plan")
    parser.add_argument("--by", default="", help="identity id of the analyst who asks for it (a click, not automatic)")
    parser.add_argument("--reason", default="", help="why, needed with --by")
    parser.add_argument("--tier", choices=("restrict", "revoke"), help="tier the analyst asks for; guards still hold")
    parser.add_argument("--action", action="append", default=[], metavar="NAME", help="further action asked for")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    if options.dry_run:
        return plan_only(options)
    responder = responder_of(options)
    worst = 0
    wanted = [*filter(None, (options.tier,)), *options.action]
    asked = bool(options.by or options.reason or wanted)
    for row in strongest_first(rows(options.alerts)):
        given = with_request(row, options.by, options.reason, wanted) if asked else from_siem(row)
        try:
            worst = max(worst, show.report(pipeline.contain(given, responder), json_wanted=options.json))
        except Refused as error:
            worst = max(worst, show.error(str(error), 3))
    return worst
