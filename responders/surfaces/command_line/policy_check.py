"""Check a policy file: every error at once, with file and line."""

from __future__ import annotations

import argparse

from responders.policy.from_yaml import load_policy
from responders.surfaces.command_line import show
from responders.surfaces.command_line.policies import add_file, known_actions, path_of
from responders.surfaces.command_line.reading import text_of


def add(parser: argparse.ArgumentParser) -> None:
    add_file(parser)


def run(options: argparse.Namespace) -> int:
    path = path_of(options)
    policy = load_policy(text_of(path, "policy"), str(path), known_actions())
    show.say(
        f"{path}: version {policy.version} is sound",
        json_wanted=options.json, file=str(path), version=policy.version, sound=True,
    )  # fmt: skip
    return 0
