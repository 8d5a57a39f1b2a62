"""Contain the identities behind raw alerts, by policy."""

from __future__ import annotations

import argparse
from typing import Any, List, Mapping

from responders import pipeline
from responders.actions import registry
from responders.alerts.row import from_siem, with_request
from responders.errors import BadInput, BadInputs, Refused
from responders.surfaces.command_line import show
from responders.surfaces.command_line.keeping import keep
from responders.surfaces.command_line.plan import show_plans
from responders.surfaces.command_line.reading import Raw, raws, responder_of, strongest_first
from responders.surfaces.command_line.show_report import report


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("alerts", help="file with one alert (JSON) a line, plain or gzipped; - for stdin")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, show the plan")
    parser.add_argument(
        "--by", default="", metavar="ID", help="identity id of the analyst who asks for it (a click, not automatic)"
    )
    parser.add_argument("--reason", default="", metavar="WHY", help="why, needed with --by")
    parser.add_argument(
        "--tier", choices=("restrict", "revoke"), help="at least this tier (confidence may give more); guards still hold"
    )
    parser.add_argument("--action", action="append", default=[], metavar="NAME", help="further action asked for")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    wanted = [*filter(None, (options.tier,)), *options.action]
    _check_request(options, wanted)
    found = strongest_first(raws(options.alerts))
    alerts = [Raw(raw.place, _row(raw.row, options, wanted)) for raw in found]
    if options.dry_run:
        return show_plans(alerts, responder_of(options), json_wanted=options.json)
    try:
        responder = responder_of(options)
    except (BadInput, BadInputs) as error:
        kept = keep(alerts, options, error)
        show.say(
            f"{kept} alerts are kept in the journal and escalated; nobody was contained", json_wanted=options.json, kept=kept
        )
        raise
    worst = 0
    for number, raw in enumerate(alerts, 1):
        place = raw.place if len(alerts) > 1 or options.json else ""
        try:
            with show.working(f"containing, alert {number} of {len(alerts)} ({raw.place})", json_wanted=options.json):
                done = pipeline.contain(raw.row, responder)
        except Refused as error:
            worst = max(worst, show.error(f"{raw.place}: {error}", 3, json_wanted=options.json))
            continue
        worst = max(worst, report(done, json_wanted=options.json, place=place))
    return worst


def _row(row: Mapping[str, Any], options: argparse.Namespace, wanted: List[str]) -> Mapping[str, Any]:
    return with_request(row, options.by, options.reason, wanted) if options.by else from_siem(row)


def _check_request(options: argparse.Namespace, wanted: List[str]) -> None:
    """A click needs who, why, and actions that exist. Raises BadInputs."""
    errors: List[BadInput] = []
    asked = bool(options.by or options.reason or wanted)
    if asked and not options.by.strip():
        errors.append(BadInput("says not who asks", place="--by", remedy="give --by ID"))
    if asked and not options.reason.strip():
        errors.append(BadInput("says not why", place="--reason", remedy="give --reason WHY"))
    known = registry.names()
    errors += [
        BadInput(f"there is no action {name!r}", place="--action", remedy="`tourniquet actions` lists them")
        for name in options.action
        if name not in known
    ]
    if errors:
        raise BadInputs(errors)
