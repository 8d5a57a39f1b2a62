"""Compile a policy file into what a responder reads.

Where the policy, or the one whose place it takes, says `require_backtest: true`, it is compiled only with a recent record
of `tourniquet policy backtest` over past alerts.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from responders.errors import BadInput, BadPolicy
from responders.policy.compile import canonical
from responders.policy.from_yaml import compile_policy
from responders.policy.policy import from_compiled
from responders.policy.proof import check, required
from responders.surfaces.command_line import show
from responders.surfaces.command_line.policies import DEFAULT, add_file, compiled_policy, known_actions, path_of
from responders.surfaces.command_line.reading import text_of
from responders.surfaces.command_line.writing import write


def add(parser: argparse.ArgumentParser) -> None:
    add_file(parser)
    parser.add_argument("--output", metavar="FILE", help="where to write it, default NAME.json beside NAME.yaml")
    parser.add_argument("--record", metavar="FILE", help="of its backtest, default NAME.backtest.json beside NAME.yaml")


def run(options: argparse.Namespace) -> int:
    path = path_of(options)
    if path == DEFAULT and not options.output:
        raise BadInput("the default policy ships compiled", place="policy build", remedy="name a FILE, or an --output")
    target = Path(options.output) if options.output else path.with_suffix(".json")
    compiled = compile_policy(text_of(path, "policy"), str(path), known_actions())
    replaced = from_compiled(compiled_policy(target)) if target.exists() and target.suffix == ".json" else None
    policy = from_compiled(compiled)
    if required(replaced, policy):
        record = Path(options.record) if options.record else path.with_suffix(".backtest.json")
        check(policy, _read(record), datetime.now(timezone.utc), str(record))
    write(target, canonical(compiled), source=path)
    show.say(f"wrote {target}", json_wanted=options.json, wrote=str(target))
    return 0


def _read(path: Path) -> Any:
    if not path.exists():
        return None
    try:
        return json.loads(text_of(path, "record"))
    except (ValueError, RecursionError) as error:
        remedy = "make it with `tourniquet policy backtest ALERTS --policy FILE --record RECORD`"
        raise BadPolicy(f"not JSON: {error}", place=str(path), remedy=remedy) from None
