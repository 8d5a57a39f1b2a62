"""A policy editor's draft: is it sound, and what would it change. Nothing is put in force here: the policy is a file."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any, Dict, List, Tuple

from werkzeug.wrappers import Response

from responders.actions import registry
from responders.console.settings import POLICY
from responders.console.site import Visit
from responders.containment import clicks
from responders.errors import BadInputs, Refused
from responders.policy.bounds import out_of_bounds
from responders.policy.compile import ActionFacts
from responders.policy.from_yaml import compile_policy
from responders.policy.policy import Policy, from_compiled

_LONGEST = 48 * 1024
Change = Tuple[str, str, str]
"""What, now, in the draft."""


def check_draft(visit: Visit) -> Response:
    """Every error with its line; else every difference from the policy in force, and what no policy may say (bounds.py)."""
    visit.need(POLICY)
    text = visit.request.form.get("draft", "").replace("\r\n", "\n")
    if not text.strip() or len(text) > _LONGEST:
        raise Refused(f"give the draft as YAML, of {_LONGEST} characters at most")
    inforce = visit.responder.policy
    problems: List[str] = []
    changes: List[Change] = []
    version = ""
    with visit.acting("check a policy draft", "check", sha256=hashlib.sha256(text.encode()).hexdigest()) as click:
        try:
            compiled = compile_policy(text, "draft", _known_actions())
            problems = [str(one) for one in out_of_bounds(compiled, "draft")]
            draft = from_compiled(compiled)
            version, changes = draft.version, differences(inforce, draft)
        except BadInputs as error:
            problems = [str(one) for one in error.errors]
        clicks.ended(visit.responder.journal, click, f"{len(problems)} errors, {len(changes)} differences")
    return visit.show(
        "policy.html", policy=inforce, draft=text, problems=problems, changes=changes, version=version, checked=True
    )  # fmt: skip


def differences(now: Policy, then: Policy) -> List[Change]:
    """Every value that differs."""
    before, after = _flat(asdict(now)), _flat(asdict(then))
    names = sorted({*before, *after} - {"version"})
    return [
        (name, before.get(name, "–"), after.get(name, "–")) for name in names if before.get(name) != after.get(name)
    ]  # fmt: skip


def _flat(value: Any, name: str = "") -> Dict[str, str]:
    if isinstance(value, dict):
        return {
            key: text for part, one in value.items() for key, text in _flat(one, f"{name}.{part}" if name else part).items()
        }
    if isinstance(value, (tuple, list)):
        return {f"{name}: {one}": "yes" for one in value}
    return {name: str(value)}


def _known_actions() -> Dict[str, ActionFacts]:
    found = {name: registry.load(name) for name in registry.names()}
    return {name: ActionFacts(action.least_tier, action.hands_over) for name, action in found.items()}
