"""Commands of one group: each PREFIX_NAME.py beside this file is one, `tourniquet PREFIX NAME`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path
from typing import Any, List


def add_group(parser: argparse.ArgumentParser, prefix: str) -> None:
    """Add every command of the group."""
    parser.epilog = "Each takes --json: one JSON object a line, for machines."
    commands = parser.add_subparsers(dest="in_group", required=True, metavar="WHAT")
    for name in _names(prefix):
        module = _module(prefix, name)
        about = module.__doc__ or ""
        module.add(commands.add_parser(name, help=about.split(".")[0], description=about))


def run_group(options: argparse.Namespace, prefix: str) -> int:
    """Run the one that is meant."""
    return int(_module(prefix, options.in_group).run(options))


def _names(prefix: str) -> List[str]:
    here, start = str(Path(__file__).parent), f"{prefix}_"
    return sorted(found.name[len(start) :] for found in pkgutil.iter_modules([here]) if found.name.startswith(start))


def _module(prefix: str, name: str) -> Any:
    return importlib.import_module(f"responders.surfaces.command_line.{prefix}_{name}")
