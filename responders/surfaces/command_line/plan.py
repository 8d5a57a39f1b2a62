"""Show what `contain` would do, with reasons, permissions and what would break. Changes nothing."""

from __future__ import annotations

import argparse
from typing import List

from responders import pipeline
from responders.alerts.row import from_siem
from responders.containment.responder import Responder
from responders.errors import BadInput
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import Raw, raws, responder_of, strongest_first
from responders.surfaces.command_line.show_report import report


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("alerts", help="file with one alert (JSON) a line, plain or gzipped; - for stdin")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    found = strongest_first(raws(options.alerts))
    alerts = [Raw(raw.place, from_siem(raw.row)) for raw in found]
    return show_plans(alerts, responder_of(options), json_wanted=options.json)


def show_plans(alerts: List[Raw], responder: Responder, *, json_wanted: bool) -> int:
    """The plan of each alert; one that can't be read is told with its place, and stops no other."""
    worst = 0
    for raw in alerts:
        try:
            with show.working(f"reading, {raw.place}", json_wanted=json_wanted):
                found = pipeline.plan(raw.row, responder)
        except BadInput as error:
            known = error.place.startswith(raw.place)
            placed = error if known else BadInput(error.message, place=f"{raw.place}: {error.place}", remedy=error.remedy)
            worst = max(worst, show.error(placed, 2, json_wanted=json_wanted))
            continue
        place = raw.place if len(alerts) > 1 or json_wanted else ""
        worst = max(worst, report(found, json_wanted=json_wanted, place=place))
    return worst
