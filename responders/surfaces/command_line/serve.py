"""Run the responder as a service beside Elastic Security."""

from __future__ import annotations

import argparse

from responders.errors import BadSettings
from responders.surfaces.assemble import settings_path
from responders.surfaces.command_line import show


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="look at settings, connections and rights, and end")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    path = options.settings or settings_path()
    try:
        from responders.surfaces.service import check, run
    except ModuleNotFoundError as error:
        remedy = "install the extra: pip install 'tourniquet[serve]'"
        raise BadSettings(f"needs {error.name}", place="tourniquet serve", remedy=remedy) from None
    if not options.check:
        return run.serve(path)
    found = check.check(path)
    for item in found:
        text = f"{'WRONG' if item.problem else 'ok':5} {item.what}" + (f": {item.problem}" if item.problem else "")
        show.say(text, json_wanted=options.json, what=item.what, problem=item.problem)
    return 1 if any(item.problem for item in found) else 0
