"""Inventory: who is behind an account. Each inventory_NAME.py beside this file is one command, `inventory NAME`."""

from __future__ import annotations

import argparse

from responders.surfaces.command_line.group import add_group, run_group


def add(parser: argparse.ArgumentParser) -> None:
    add_group(parser, "inventory")


def run(options: argparse.Namespace) -> int:
    return run_group(options, "inventory")
