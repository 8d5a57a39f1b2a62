"""Show what `contain` would do, with reasons, permissions and what would break. Changes nothing."""

from __future__ import annotations

import argparse

from responders import pipeline
from responders.alerts.row import from_siem
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import responder_of, rows


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("alerts", help="file with one alert (JSON) a line, - for stdin")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    responder = responder_of(options)
    return max(
        show.report(pipeline.plan(from_siem(row), responder), json_wanted=options.json) for row in rows(options.alerts)
    )
