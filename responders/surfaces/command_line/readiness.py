"""Say of each connection whether the policy's actions would work there, and what is missing; drill with a canary.

The vendors are asked what each credential may do; nothing is tried. With --grants the missing rights are printed as the
vendor's own configuration, with --grants VENDOR all that the policy's actions need there.
"""

from __future__ import annotations

import argparse
from typing import Sequence

from rich.text import Text

from responders import pipeline
from responders.actions import registry
from responders.errors import BadInput
from responders.model import Tier
from responders.readiness.grants import configuration, of_policy, wanted
from responders.settings import Connection, Settings, load_settings
from responders.surfaces.assemble import read_policy, settings_path
from responders.surfaces.command_line import show
from responders.surfaces.command_line.ask_readiness import ask, missing_grants
from responders.surfaces.command_line.reading import canary_of, responder_of
from responders.surfaces.command_line.show_readiness import as_row, clean_lines, tell, tell_drill

_MISSING = "missing"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grants", nargs="?", const=_MISSING, choices=(_MISSING, *registry.VENDORS), metavar="VENDOR",
        help="print what is missing as the vendor's configuration; with okta, entra, cyberark or vault all it needs",
    )  # fmt: skip
    parser.add_argument(
        "--canary", metavar="ID",
        help="contain and restore this identity, which the inventory marks as canary: once an hour at most",
    )  # fmt: skip
    parser.add_argument(
        "--tier", choices=("restrict", "revoke"), default="revoke", help="--canary: how far to go, default revoke"
    )
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    canary = canary_of(options)
    if canary is not None:
        responder = responder_of(options)
        with show.working(f"drilling with {canary}", json_wanted=options.json):
            drilled = pipeline.drill_canary(canary, Tier[options.tier.upper()], responder)
        tell_drill(drilled, json_wanted=options.json)
        return 0 if drilled.works else 1
    path = options.settings or settings_path()
    settings = load_settings(path)
    used = of_policy(read_policy(settings.policy).actions)
    if options.grants and options.grants != _MISSING:
        return _whole(options.grants, settings, used, json_wanted=options.json)
    if not settings.connections:
        raise BadInput("names no connection", place=path, remedy="docs/settings.md shows one for each vendor")
    with show.working("asking the vendors", json_wanted=options.json):
        found = ask(settings, used)
    code = 0 if all(item.ready for item in found) else 1
    for item in found:
        if options.json:
            show.as_json({**as_row(item), "grants": missing_grants(item) if options.grants else "", "exit": code})
    if not options.json:
        tell(found)
        for item in found:
            text = missing_grants(item) if options.grants else ""
            if text:
                show.OUT.print(Text(f"\n{clean_lines(text)}"), soft_wrap=True)
    return code


def _whole(vendor: str, settings: Settings, used: Sequence[str], *, json_wanted: bool) -> int:
    """All that the policy's actions need at a vendor, for each connection; no vendor is asked."""
    its = [c for c in settings.connections if c.vendor == vendor] or [_nowhere(vendor)]
    for connection in its:
        text = clean_lines(configuration(vendor, wanted(vendor, used), connection))
        if json_wanted:
            show.as_json({"vendor": vendor, "tenant": connection.tenant, "grants": text, "exit": 0})
        else:
            show.OUT.print(text, markup=False, soft_wrap=True)
    return 0


def _nowhere(vendor: str) -> Connection:
    """Before there is a connection, its own names are placeholders."""
    return Connection(vendor, "TENANT", "", {})
