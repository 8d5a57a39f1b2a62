"""Run the cases of a policy: given alerts and identity, expect tier, actions and guards."""

from __future__ import annotations

import argparse
from pathlib import Path

from responders.policy.from_yaml import load_policy, run_cases
from responders.surfaces.command_line import show
from responders.surfaces.command_line.policies import add_file, known_actions, path_of
from responders.surfaces.command_line.reading import text_of


def add(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("--cases", metavar="FILE", help="default: NAME_cases.yaml beside NAME.yaml")


def run(options: argparse.Namespace) -> int:
    path = path_of(options)
    policy = load_policy(text_of(path, "policy"), str(path), known_actions())
    cases = Path(options.cases) if options.cases else path.with_name(f"{path.stem}_cases.yaml")
    results = run_cases(text_of(cases, "cases"), str(cases), policy)
    for name, difference in results:
        mark = f"✗ {name}: {difference}" if difference else f"✓ {name}"
        show.say(mark, json_wanted=options.json, case=name, passed=not difference, difference=difference)
    failed = sum(bool(difference) for _, difference in results)
    if not options.json:
        show.OUT.print(f"{len(results) - failed} of {len(results)} cases hold")
    return 1 if failed else 0
