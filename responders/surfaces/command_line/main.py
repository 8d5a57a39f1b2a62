"""Finds the command, turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import List, Optional

from responders import __version__
from responders.errors import BadInput, BadInputs, Refused, TourniquetError
from responders.surfaces.command_line.show import error, reader_gone

COMMANDS = (
    "drill", "contain", "plan", "approve", "restore", "close", "status", "resume", "halt", "due", "journal", "policy",
    "inventory", "readiness", "validate", "detections", "actions", "elastic", "splunk", "serve",
)  # fmt: skip


_OWED = ("contain", "approve", "restore", "due", "readiness", "validate", "serve")
"""Commands that, interrupted, may leave something in the journal for `due`."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command; its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    wanted = "--json" in given
    try:
        return _run(given)
    except (BadInput, BadInputs) as found:
        return error(found, 2, json_wanted=wanted)
    except Refused as found:
        return error(found, 3, json_wanted=wanted)
    except TourniquetError as found:  # a vendor, a store or a SIEM that can't be used now
        return error(found, 4, json_wanted=wanted)
    except BrokenPipeError:
        reader_gone()
        return 0
    except KeyboardInterrupt:
        owed = bool(given) and given[0] in _OWED
        said = "`tourniquet due` takes up what was left" if owed else "nothing was changed at any vendor. Run it again"
        return error(f"interrupted: {said}", 130, json_wanted=wanted)


def _run(given: List[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tourniquet", description="Take a compromised identity out of an attacker's hands, prove it, undo it."
    )
    parser.add_argument("--version", action="version", version=f"tourniquet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    # Only the command that is meant is loaded: an answer to an attack does not wait for the drill's libraries.
    for name in (given[0],) if given and given[0] in COMMANDS else COMMANDS:
        module = importlib.import_module(f"responders.surfaces.command_line.{name}")
        module.add(commands.add_parser(name, help=(module.__doc__ or "").split(".")[0], description=module.__doc__))
    options = parser.parse_args(given)
    return int(importlib.import_module(f"responders.surfaces.command_line.{options.command}").run(options))
