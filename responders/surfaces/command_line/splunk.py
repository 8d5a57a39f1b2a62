"""Splunk: what the app there is given and asked from outside. Each splunk_NAME.py beside this file is one command."""

from __future__ import annotations

import argparse

from responders.surfaces.command_line.group import add_group, run_group


def add(parser: argparse.ArgumentParser) -> None:
    add_group(parser, "splunk")


def run(options: argparse.Namespace) -> int:
    return run_group(options, "splunk")
