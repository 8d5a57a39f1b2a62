"""The policy file: the default one is sound and does what its cases say; a broken one shows all its errors at once."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import responders.policy
from responders.actions import registry
from responders.errors import BadInputs, BadPolicy
from responders.model import Tier
from responders.policy.compile import ActionFacts, canonical
from responders.policy.from_yaml import compile_policy, load_policy, run_cases
from responders.policy.policy import from_compiled

FOLDER = Path(responders.policy.__file__).parent
DEFAULT = (FOLDER / "default_policy.yaml").read_text(encoding="utf-8")
CASES = (FOLDER / "default_policy_cases.yaml").read_text(encoding="utf-8")
KNOWN = {name: ActionFacts(registry.load(name).least_tier, registry.load(name).hands_over) for name in registry.names()}


def errors(text: str) -> List[str]:
    """All errors of a policy, each with place and remedy."""
    with pytest.raises(BadInputs) as caught:
        compile_policy(text, "p.yaml", KNOWN)
    assert all(isinstance(error, BadPolicy) and error.remedy for error in caught.value.errors)
    return [str(error) for error in caught.value.errors]


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_the_default_policy_compiles_to_what_ships() -> None:
    """The compiled policy in the package is the compiled form of the YAML beside it, byte for byte."""
    compiled = canonical(compile_policy(DEFAULT, "default_policy.yaml", KNOWN))
    assert compiled == (FOLDER / "default_policy.json").read_text(encoding="utf-8")
    assert from_compiled(json.loads(compiled)) == load_policy(DEFAULT, "default_policy.yaml", KNOWN)


RESULTS = run_cases(CASES, "default_policy_cases.yaml", load_policy(DEFAULT, "default_policy.yaml", KNOWN))


@pytest.mark.parametrize(("name", "difference"), RESULTS, ids=[name for name, _ in RESULTS])
def test_the_default_policy_does_what_its_cases_say(name: str, difference: str) -> None:
    """Each case beside the policy holds."""
    assert not difference


def _moved() -> List[Tuple[str, Any]]:
    """The default policy with one threshold moved by a point, or one action left out: every such policy."""
    found: List[Tuple[str, Any]] = []
    base = yaml.safe_load(DEFAULT)
    for name, entry in base["thresholds"].items():
        for tier in entry:
            for step in (-1, 1):
                changed = copy.deepcopy(base)
                changed["thresholds"][name][tier] += step
                found.append((f"{name} {tier} {step:+d}", changed))
    for kind, lists in base["actions"].items():
        for tier, names in lists.items():
            for name in names:
                changed = copy.deepcopy(base)
                changed["actions"][kind][tier].remove(name)
                found.append((f"{kind} {tier} without {name}", changed))
    return found


MOVED = _moved()


@pytest.mark.parametrize("changed", [one for _, one in MOVED], ids=[name for name, _ in MOVED])
def test_the_cases_hold_every_row_of_the_default_policy(changed: Any) -> None:
    """Any threshold moved by one point, and any action left out, turns a case red."""
    policy = load_policy(yaml.safe_dump(changed), "p.yaml", KNOWN)
    assert [name for name, difference in run_cases(CASES, "c.yaml", policy) if difference]


def test_a_case_that_expects_otherwise_is_seen() -> None:
    """Cases can fail: each kind of expectation, when wrong, is told."""
    text = """
cases:
  - name: a
    alerts: [{confidence: 90}]
    expect:
      {tier: observe, confidence: 3, actions: [okta.x], without: [okta.suspend_user], guards: [halt],
       only: [okta.y], approval: [a.b]}
"""
    [(name, difference)] = run_cases(text, "c.yaml", load_policy(DEFAULT, "p.yaml", KNOWN))
    assert name == "a"
    assert all(
        word in difference
        for word in (
            "tier revoke",
            "confidence 90",
            "lacks okta.x",
            "has okta.suspend_user",
            "guards []",
            "lacks okta.y",
            "has vault.revoke_leases",
            "a.b waits for nobody",
        )
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: 5", "c.yaml:1: has no list `cases`"),
        ("cases:\n  - 5\n", "c.yaml:2: case can't be read"),
        ("cases:\n  - name: a\n    alert: []\n", "c.yaml:3: unknown key 'alert'"),
        ("cases:\n  - {name: a, alerts: [], expect: {}}\n", "c.yaml:2: case can't be read"),
        ("cases:\n  - {name: a, alerts: [{confidence: x}], expect: {}}\n", "c.yaml:2: case can't be read"),
        ("cases:\n  - name: a\n    alerts:\n      - confidence: 5\n        layr: pam\n", "c.yaml:5: unknown key 'layr'"),
        ("cases:\n  - {name: a, alerts: [], facts: {halt: x}}\n", "c.yaml:2: unknown key 'halt'"),
        ("cases:\n  - {name: a, alerts: [5]}\n", "c.yaml:2: case can't be read"),
        ("cases:\n  - {name: a, name: b}\n", "duplicate key 'name'"),
    ],
)
def test_a_case_that_cannot_be_read_names_its_line(text: str, said: str) -> None:
    """A wrong case file is an error, never a passed case."""
    with pytest.raises(BadInputs) as caught:
        run_cases(text, "c.yaml", load_policy(DEFAULT, "p.yaml", KNOWN))
    assert said in str(caught.value)


def test_all_errors_come_at_once_with_their_lines() -> None:
    """Six mistakes of six kinds in one file: six errors, each with the line it is on."""
    text = DEFAULT
    for old, new in [
        ("human: {restrict: 50, revoke: 80}", "human: {restrict: 50, revoke: 180}"),
        ("agent: {restrict: 45, revoke: 75}", "agent: {restrict: 85, revoke: 75, revok: 1}"),
        ("      - okta.revoke_grants\n", "      - okta.revoke_grant\n"),
        ("      - okta.deactivate_user\n", "      - okta.suspend_user\n"),
        ("  never_under: 3\n", "  never_under: 3\n  never_under: 4\n"),
        ("version:", "colour: red\nversion:"),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
    found = errors(text)
    expected = [
        ("revoke: 180", "revoke 180 is no whole number from 0 to 100"),
        ("revok: 1", "unknown key 'revok'. the keys are restrict, revoke"),
        ("revok: 1", "restrict 85 is above revoke 75"),
        ("- okta.revoke_grant", "there is no action 'okta.revoke_grant'"),
        ("never_under: 4", "duplicate key 'never_under'"),
        ("colour", "unknown key 'colour'"),
    ]
    for part, what in expected:
        assert any(one.startswith(f"p.yaml:{line_of(text, part)}: {what}") for one in found), (part, what, found)
    assert any("okta.suspend_user is both automatic and approval only for human" in one for one in found)
    assert len(found) == 7


Change = Callable[[Any], None]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("version",), 3, "version must be text"),
        (("version",), ..., "version is missing"),
        (("thresholds",), [], "thresholds must be a mapping"),
        (("thresholds", "human"), ..., "human is missing"),
        (("thresholds", "human", "restrict"), -1, "no whole number from 0 to 100"),
        (("thresholds", "human", "restrict"), 50.5, "no whole number from 0 to 100"),
        (("thresholds", "human", "restrict"), True, "no whole number from 0 to 100"),
        (("thresholds", "human", "restrict"), "50", "no whole number from 0 to 100"),
        (("thresholds", "human", "revoke_by_approval"), "yes please", "true or false"),
        (("actions", "robot"), {}, "unknown key 'robot'"),
        (("actions", "human", "restrict"), "okta.suspend_user", "must be a list"),
        (("actions", "human", "restrict"), "", "must be a list"),
        (("actions", "human", "restrict"), 0, "must be a list"),
        (("actions", "human", "restrict"), ["okta.suspend_user"], "okta.suspend_user needs tier revoke"),
        (("actions", "human", "restrict"), [{"a": 1}], "there is no action"),
        (("actions", "human", "revoke"), ["okta.reset_factors"], "never automatic"),
        (("actions", "human", "revoke"), ["okta.suspend_user", "okta.suspend_user"], "listed twice"),
        (("fusion", "independent"), 1.5, "above 1"),
        (("fusion", "independent"), float("nan"), "no number >= 0"),
        (("fusion", "related"), float("inf"), "no number >= 0"),
        (("fusion", "window_hours"), 1e12, "above 720"),
        (("fusion", "half_after_hours"), float("nan"), "no number >= 0"),
        (("fusion", "lone_alert_for_revoke"), 101, "above 100"),
        (("fusion", "lone_alert_for_revoke"), 70.5, "no whole number"),
        (("limits", "revokes"), -1, "no whole number >= 0"),
        (("limits", "population_share"), 2, "above 1"),
        (("limits", "unknown"), 2, "unknown key 'unknown'"),
        (("limits",), 5, "limits must be a mapping"),
    ],
)
def test_a_wrong_value_names_place_and_remedy(path: tuple[str, ...], value: Any, said: str) -> None:
    """Each wrong value is told, and nothing else is."""
    doc = yaml.safe_load(DEFAULT)
    inner = doc
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    found = errors(yaml.safe_dump(doc, sort_keys=False))
    assert any(said in one for one in found), found
    assert all(one.startswith("p.yaml:") for one in found)


@pytest.mark.parametrize(
    "text", ["", "5", "[]", "a: [", "version: &a x\nthresholds: *a", "--- {}\n--- {}", "\x00", "a: !!python/object:os.x {}"]
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    """Other YAML, and what is no YAML, is an error of this file."""
    assert all(one.startswith("p.yaml:") for one in errors(text))


@given(st.text())
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    """Nothing but BadInputs comes out of a file that is no policy."""
    errors(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(["thresholds", "actions", "fusion", "limits", "version"]), JSON)
def test_any_value_compiles_to_a_policy_or_is_refused(name: str, value: Any) -> None:
    """What compiles can be read back; what can't is refused with its place."""
    text = yaml.safe_dump({**yaml.safe_load(DEFAULT), name: value})
    try:
        compiled = compile_policy(text, "p.yaml", KNOWN)
    except BadInputs as error:
        assert all(one.place.startswith("p.yaml:") for one in error.errors)
        return
    assert from_compiled(json.loads(canonical(compiled))).version


@pytest.mark.parametrize("doc", [{}, [], 5, None, {"version": "1"}, {"version": "1", "thresholds": 5}])
def test_what_is_no_compiled_policy_is_refused(doc: Any) -> None:
    """A compiled file that is something else says how to make it."""
    with pytest.raises(BadPolicy, match=r"policy build"):
        from_compiled(doc)


def test_no_hand_over_is_automatic() -> None:
    """Whatever would let the account set its own password or factor is approval only, for every kind."""
    found = load_policy(DEFAULT, "p.yaml", KNOWN)
    assert found.hands_over
    for actions in found.actions.values():
        assert not set(found.hands_over) & {*actions.restrict, *actions.revoke}
        assert all(KNOWN[name].least_tier < Tier.REVOKE for name in actions.restrict)
