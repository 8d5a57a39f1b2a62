"""Elastic: what stands around the rules there. Each elastic_NAME.py beside this file is one command, `elastic NAME`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path
from typing import Any, List

_PREFIX = "elastic_"


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Each takes --json: one JSON object a line, for machines."
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name in _names():
        module = _module(name)
        about = module.__doc__ or ""
        module.add(commands.add_parser(name, help=about.split(".")[0], description=about))


def run(options: argparse.Namespace) -> int:
    return int(_module(options.what).run(options))


def _names() -> List[str]:
    here = str(Path(__file__).parent)
    return sorted(found.name[len(_PREFIX) :] for found in pkgutil.iter_modules([here]) if found.name.startswith(_PREFIX))


def _module(name: str) -> Any:
    return importlib.import_module(f"responders.surfaces.command_line.{_PREFIX}{name}")
