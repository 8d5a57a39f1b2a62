"""Check, test, build or show a policy."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Dict

import responders.policy
from responders.actions import registry
from responders.errors import BadInput
from responders.policy.compile import ActionFacts, canonical
from responders.policy.from_yaml import compile_policy, load_policy, run_cases
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import text_of
from responders.surfaces.command_line.writing import write

DEFAULT = Path(responders.policy.__file__).with_name("default_policy.yaml")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("check", "test", "build", "show"))
    parser.add_argument("file", nargs="?", help="policy file; default: the one that ships")
    parser.add_argument("--cases", metavar="FILE", help="test: cases, default NAME_cases.yaml beside NAME.yaml")
    parser.add_argument("--output", metavar="FILE", help="build: where to write it, default NAME.json beside NAME.yaml")
    show.add_common(parser, settings=False)


def known_actions() -> Dict[str, ActionFacts]:
    """What the compiler must know of each action there is."""
    found = {name: registry.load(name) for name in registry.names()}
    return {name: ActionFacts(action.least_tier, action.hands_over) for name, action in found.items()}


def run(options: argparse.Namespace) -> int:
    path = Path(options.file) if options.file else DEFAULT
    text = text_of(path, "policy")
    if options.what == "show":
        sys.stdout.write(text)
        return 0
    if options.what == "build":
        if path == DEFAULT and not options.output:
            raise BadInput("the default policy ships compiled", place="policy build", remedy="name a FILE, or an --output")
        target = Path(options.output) if options.output else path.with_suffix(".json")
        write(target, canonical(compile_policy(text, str(path), known_actions())), source=path)
        show.say(f"wrote {target}", json_wanted=options.json, wrote=str(target))
        return 0
    policy = load_policy(text, str(path), known_actions())
    if options.what == "check":
        show.say(
            f"{path}: version {policy.version} is sound",
            json_wanted=options.json, file=str(path), version=policy.version, sound=True,
        )  # fmt: skip
        return 0
    cases = Path(options.cases) if options.cases else path.with_name(f"{path.stem}_cases.yaml")
    results = run_cases(text_of(cases, "cases"), str(cases), policy)
    for name, difference in results:
        mark = f"✗ {name}: {difference}" if difference else f"✓ {name}"
        show.say(mark, json_wanted=options.json, case=name, passed=not difference, difference=difference)
    failed = sum(bool(difference) for _, difference in results)
    if not options.json:
        show.OUT.print(f"{len(results) - failed} of {len(results)} cases hold")
    return 1 if failed else 0
