"""Check, test, build or show a policy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Dict

import responders.policy
from responders.actions import registry
from responders.errors import BadInput
from responders.policy.cases import run_cases
from responders.policy.compile import ActionFacts, canonical, compile_policy, load_policy
from responders.surfaces.command_line import show

DEFAULT = Path(responders.policy.__file__).with_name("default_policy.yaml")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("check", "test", "build", "show"))
    parser.add_argument("file", nargs="?", help="policy file; default: the one that ships")
    parser.add_argument("--cases", metavar="FILE", help="test: cases, default FILE_cases.yaml beside the policy")
    parser.add_argument("--output", metavar="FILE", help="build: where to write the compiled policy")
    show.add_common(parser, settings=False)


def known_actions() -> Dict[str, ActionFacts]:
    """What the compiler must know of each action there is."""
    found = {name: registry.load(name) for name in registry.names()}
    return {name: ActionFacts(action.least_tier, action.hands_over) for name, action in found.items()}


def run(options: argparse.Namespace) -> int:
    path = Path(options.file) if options.file else DEFAULT
    text = _read(path)
    if options.what == "show":
        show.OUT.print(text, markup=False)
        return 0
    if options.what == "build":
        target = Path(options.output) if options.output else path.with_suffix(".json")
        target.write_text(canonical(compile_policy(text, str(path), known_actions())), encoding="utf-8")
        show.OUT.print(f"wrote {target}", markup=False)
        return 0
    policy = load_policy(text, str(path), known_actions())
    if options.what == "check":
        show.OUT.print(f"{path}: version {policy.version} is sound", markup=False)
        return 0
    cases = Path(options.cases) if options.cases else path.with_name(f"{path.stem}_cases.yaml")
    results = run_cases(_read(cases), str(cases), policy)
    for name, difference in results:
        if options.json:
            show.as_json({"case": name, "passed": not difference, "difference": difference})
        elif difference:
            show.OUT.print(f"✗ {name}: {difference}", markup=False, style="red")
        else:
            show.OUT.print(f"✓ {name}", markup=False)
    return 1 if any(difference for _, difference in results) else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"can't be read: {error}", place=str(path), remedy="name a policy file") from None
