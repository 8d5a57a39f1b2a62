"""From the policy file to the compiled policy, with every error of the file at once, each with file and line."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.errors import BadInput, BadInputs, BadPolicy
from responders.model import Tier
from responders.policy.policy import CLASSES, Fusion, Limits
from responders.source import Path, Source

KINDS = ("human", "service", "agent")
_TIERS = ("restrict", "revoke", "approval")
_MOST = {"window_hours": 720, "half_after_hours": 720, "lone_alert_for_revoke": 100}
"""The greatest value of a number; parts of a whole go up to 1."""
_TOP = ("version", "thresholds", "actions", "fusion", "limits", "require_backtest")


@dataclass(frozen=True)
class ActionFacts:
    """What the compiler must know of an action; policy code imports no action."""

    least_tier: Tier
    hands_over: bool


def compile_source(source: Source, known: Mapping[str, ActionFacts]) -> Dict[str, Any]:
    """The compiled form (JSON-able, canonical) of a parsed policy. `known` are the actions there are. Raises BadInputs."""
    checker = _Checker(source, known)
    checker.run()
    if checker.errors:
        raise BadInputs(checker.errors)
    value = source.value
    return {
        "version": str(value["version"]),
        "thresholds": {name: dict(value["thresholds"][name]) for name in CLASSES},
        "actions": {kind: {tier: list(value["actions"][kind].get(tier) or ()) for tier in _TIERS} for kind in KINDS},
        "fusion": {**dataclasses.asdict(Fusion()), **(value.get("fusion") or {})},
        "limits": {**dataclasses.asdict(Limits()), **(value.get("limits") or {})},
        "require_backtest": value.get("require_backtest", False),
        "hands_over": sorted(name for name, facts in known.items() if facts.hands_over),
    }


def canonical(compiled: Mapping[str, Any]) -> str:
    """The compiled policy as the file that the alert process reads: the same policy gives the same bytes."""
    return json.dumps(compiled, indent=1, sort_keys=True) + "\n"


class _Checker:
    def __init__(self, source: Source, known: Mapping[str, ActionFacts]) -> None:
        self.source, self.known = source, known
        self.errors: List[BadInput] = [
            BadPolicy(what, place=f"{source.name}:{line}", remedy="correct the file") for line, what in source.problems
        ]

    def run(self) -> None:
        value = self.source.value
        if not isinstance(value, dict):
            if not self.errors:
                self.error((), "is no mapping", "start from `tourniquet policy show --default`")
            return
        self.keys((), value, _TOP)
        for name in ("version", "thresholds", "actions"):
            if name not in value:
                self.error((), f"{name} is missing", "add it")
        if not isinstance(value.get("version"), str) or not str(value.get("version")).strip():
            self.error(("version",), "version must be text", 'quote it, e.g. "2026-11-1"')
        if not isinstance(value.get("require_backtest", False), bool):
            self.error(("require_backtest",), "require_backtest must be true or false", "correct it")
        self.thresholds(value.get("thresholds"))
        self.actions(value.get("actions"))
        self.numbers("fusion", value.get("fusion"), dataclasses.asdict(Fusion()))
        self.numbers("limits", value.get("limits"), dataclasses.asdict(Limits()))

    def error(self, path: Path, what: str, remedy: str) -> None:
        self.errors.append(BadPolicy(what, place=self.source.place(path), remedy=remedy))

    def keys(self, path: Path, value: Mapping[Any, Any], known: Sequence[str]) -> None:
        for key in value:
            if key not in known:
                self.error((*path, key), f"unknown key {key!r}", f"the keys are {', '.join(known)}")

    def thresholds(self, value: Any) -> None:
        if not isinstance(value, dict):
            return self.error(("thresholds",), "thresholds must be a mapping", "one entry a class")
        self.keys(("thresholds",), value, CLASSES)
        for name in CLASSES:
            path: Path = ("thresholds", name)
            entry = value.get(name)
            if not isinstance(entry, dict):
                self.error(path, f"{name} is missing", "give restrict and revoke")
                continue
            self.keys(path, entry, ("restrict", "revoke", "revoke_by_approval"))
            both = [self.percent((*path, key), entry.get(key)) for key in ("restrict", "revoke")]
            if None not in both and both[0] > both[1]:  # type: ignore[operator]
                self.error((*path, "restrict"), f"restrict {both[0]} is above revoke {both[1]}", "swap or correct them")
            if not isinstance(entry.get("revoke_by_approval", False), bool):
                self.error((*path, "revoke_by_approval"), "must be true or false", "correct it")
        return None

    def percent(self, path: Path, value: Any) -> Optional[int]:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
            self.error(path, f"{path[-1]} {value!r} is no whole number from 0 to 100", "correct it")
            return None
        return value

    def actions(self, value: Any) -> None:
        if not isinstance(value, dict):
            return self.error(("actions",), "actions must be a mapping", "one entry a kind")
        self.keys(("actions",), value, KINDS)
        for kind in KINDS:
            entry = value.get(kind)
            if not isinstance(entry, dict):
                self.error(("actions", kind), f"{kind} is missing", "give restrict, revoke and approval")
                continue
            self.keys(("actions", kind), entry, _TIERS)
            automatic: Dict[str, Tuple[str, int]] = {}
            for tier in _TIERS:
                self.names(kind, tier, [] if entry.get(tier) is None else entry[tier], automatic)
        return None

    def names(self, kind: str, tier: str, listed: Any, automatic: Dict[str, Tuple[str, int]]) -> None:
        path: Path = ("actions", kind, tier)
        if not isinstance(listed, list):
            return self.error(path, f"{tier} must be a list of action names", "correct it")
        for place, name in enumerate(listed):
            here: Path = (*path, place)
            if name in listed[:place]:
                self.error(here, f"{name} is listed twice", "keep one of them")
                continue
            facts = self.known.get(name) if isinstance(name, str) else None
            if facts is None:
                close = ", ".join(sorted(n for n in self.known if str(name).partition(".")[0] == n.partition(".")[0]))
                self.error(here, f"there is no action {name!r}", f"the actions there are: {close or 'see docs/actions.md'}")
                continue
            if tier == "approval":
                if name in automatic:
                    self.error(here, f"{name} is both automatic and approval only for {kind}", "keep one of them")
                continue
            automatic[name] = (tier, place)
            if facts.hands_over:
                self.error(here, f"{name} could hand the account over, so it is never automatic", "list it under approval")
            if tier == "restrict" and facts.least_tier is Tier.REVOKE:
                self.error(here, f"{name} needs tier revoke", "list it under revoke or approval")
        return None

    def numbers(self, name: str, value: Any, known: Mapping[str, Any]) -> None:
        if value is None:
            return None
        if not isinstance(value, dict):
            return self.error((name,), f"{name} must be a mapping", "correct it")
        self.keys((name,), value, tuple(known))
        for key, given in value.items():
            if key not in known:
                continue
            whole = isinstance(known[key], int)
            right = isinstance(given, int if whole else (int, float)) and not isinstance(given, bool)
            if not right or not math.isfinite(given) or given < 0:
                self.error((name, key), f"{key} {given!r} is no {'whole ' if whole else ''}number >= 0", "correct it")
            elif given > _MOST.get(key, 1_000_000 if whole else 1):
                self.error(
                    (name, key), f"{key} {given!r} is above {_MOST.get(key, 1_000_000 if whole else 1)}", "correct it"
                )
        return None
