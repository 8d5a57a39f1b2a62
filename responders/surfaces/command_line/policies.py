"""Policy files as commands take them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Dict

import responders.policy
from responders.actions import registry
from responders.errors import BadPolicy
from responders.policy.compile import ActionFacts, compile_source
from responders.policy.from_yaml import compile_policy
from responders.policy.policy import from_compiled
from responders.source import from_json_value
from responders.surfaces.command_line import show
from responders.surfaces.command_line.reading import text_of

DEFAULT = Path(responders.policy.__file__).with_name("default_policy.yaml")


def add_file(parser: argparse.ArgumentParser) -> None:
    """The policy file, and --json."""
    parser.add_argument("file", nargs="?", help="policy file; default: the one that ships")
    show.add_common(parser, settings=False)


def path_of(options: argparse.Namespace) -> Path:
    return Path(options.file) if options.file else DEFAULT


def known_actions() -> Dict[str, ActionFacts]:
    """What the compiler must know of each action there is."""
    found = {name: registry.load(name) for name in registry.names()}
    return {name: ActionFacts(action.least_tier, action.hands_over) for name, action in found.items()}


def compiled_policy(path: Path) -> Dict[str, Any]:
    """The compiled form of a policy file: YAML, compiled JSON, or JSON as Splunk's setup page saves it. Raises BadInputs,
    BadPolicy."""
    text = text_of(path, "policy")
    if path.suffix != ".json":
        return compile_policy(text, str(path), known_actions())
    try:
        found: Dict[str, Any] = json.loads(text)
        if isinstance(found, dict) and "hands_over" not in found:  # nobody compiled it yet
            return compile_source(from_json_value(found, str(path)), known_actions())
        from_compiled(found)
    except (ValueError, RecursionError) as error:
        raise BadPolicy(f"not JSON: {error}", place=str(path), remedy="compile it with `tourniquet policy build`") from None
    return found
