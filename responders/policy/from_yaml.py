"""A policy and its cases from YAML files: for build and command line. Inside Splunk they come as JSON."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from responders.policy.cases import run_source
from responders.policy.compile import ActionFacts, compile_source
from responders.policy.policy import Policy, from_compiled
from responders.yaml_source import parse


def compile_policy(text: str, name: str, known: Mapping[str, ActionFacts]) -> Dict[str, Any]:
    """The compiled form (JSON-able, canonical). `known` are the actions there are. Raises BadInputs."""
    return compile_source(parse(text, name), known)


def load_policy(text: str, name: str, known: Mapping[str, ActionFacts]) -> Policy:
    """Compile and read back. Raises BadInputs."""
    return from_compiled(compile_policy(text, name, known))


def run_cases(text: str, name: str, policy: Policy) -> List[Tuple[str, str]]:
    """(case, difference) in file order; the difference is "" when the decision is as expected. Raises BadInputs."""
    return run_source(parse(text, name), policy)
