"""Policy: what may be done without asking. Each policy_NAME.py beside this file is one command, `policy NAME`."""

from __future__ import annotations

import argparse

from responders.surfaces.command_line.group import add_group, run_group


def add(parser: argparse.ArgumentParser) -> None:
    add_group(parser, "policy")


def run(options: argparse.Namespace) -> int:
    return run_group(options, "policy")
