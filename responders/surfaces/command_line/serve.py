"""Run the responder as a service beside Elastic Security, or as a relay for a Splunk that can't reach your vendors."""

from __future__ import annotations

import argparse
from typing import Any, Callable, Sequence, Tuple

from responders.errors import BadSettings
from responders.surfaces.assemble import settings_path
from responders.surfaces.command_line import show


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="look at settings, connections and rights, and end")
    parser.add_argument("--relay", action="store_true", help="carry out signed requests of Splunk (docs/relay.md)")
    show.add_common(parser)


def run(options: argparse.Namespace) -> int:
    path = options.settings or settings_path()
    check, serve = _relay() if options.relay else _service()
    if not options.check:
        return serve(path)
    found = check(path)
    for item in found:
        text = f"{'WRONG' if item.problem else 'ok':5} {item.what}" + (f": {item.problem}" if item.problem else "")
        show.say(text, json_wanted=options.json, what=item.what, problem=item.problem)
    return 1 if any(item.problem for item in found) else 0


def _relay() -> Tuple[Callable[[str], Sequence[Any]], Callable[[str], int]]:
    from responders.surfaces.relay import check, run

    return check.check, run.serve


def _service() -> Tuple[Callable[[str], Sequence[Any]], Callable[[str], int]]:
    try:
        from responders.surfaces.service import check, run
    except ModuleNotFoundError as error:
        remedy = "install the extra: pip install 'tourniquet[serve]'"
        raise BadSettings(f"needs {error.name}", place="tourniquet serve", remedy=remedy) from None
    return check.check, run.serve
