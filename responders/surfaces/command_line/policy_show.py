"""Print a policy file, the one that ships by default."""

from __future__ import annotations

import argparse
import sys

from responders.surfaces.command_line.policies import add_file, path_of
from responders.surfaces.command_line.reading import text_of


def add(parser: argparse.ArgumentParser) -> None:
    add_file(parser)


def run(options: argparse.Namespace) -> int:
    sys.stdout.write(text_of(path_of(options), "policy"))
    return 0
