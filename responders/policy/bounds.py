"""What no policy may say, however its editor came to it: thresholds and blast limits far from any use.

A policy that revokes at a faint suspicion, or without limit, locks a company out; one that never acts hides an attacker.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from responders.errors import BadInput, BadPolicy
from responders.policy.policy import CLASSES

_RESTRICT: Tuple[float, float] = (20, 90)
_REVOKE: Tuple[float, float] = (50, 100)
"""Least and most confidence from which a tier is taken."""
_LIMITS: Mapping[str, Tuple[float, float]] = {
    "revokes": (1, 200),
    "restricts": (1, 600),
    "population_share": (0.0001, 0.1),
    "never_under": (1, 20),
    "guarded": (1, 20),
    "detection_share": (0.1, 0.8),
    "kept_for_clicks": (0.1, 0.8),
    "kept_for_automation": (0.1, 0.8),
}
_FUSION: Mapping[str, Tuple[float, float]] = {
    "lone_alert_for_revoke": (50, 95),
    "window_hours": (1, 168),
    "independent": (0.1, 0.8),
    "related": (0.0, 0.5),
}


def out_of_bounds(compiled: Mapping[str, Any], place: str) -> List[BadInput]:
    """Every value that is out of its bounds."""
    found: List[BadInput] = []
    for name in CLASSES:
        for tier, bounds in (("restrict", _RESTRICT), ("revoke", _REVOKE)):
            _check(found, f"{place}.thresholds.{name}.{tier}", compiled["thresholds"][name][tier], bounds)
    for part, known in (("limits", _LIMITS), ("fusion", _FUSION)):
        for name, bounds in known.items():
            _check(found, f"{place}.{part}.{name}", compiled[part][name], bounds)
    for kind in compiled["actions"]:
        if not compiled["actions"][kind]["revoke"] or not compiled["actions"][kind]["restrict"]:
            where = f"{place}.actions.{kind}"
            found.append(BadPolicy("names no action for a tier", place=where, remedy="name at least one in each"))
    return found


def _check(found: List[BadInput], place: str, value: float, bounds: Tuple[float, float]) -> None:
    if not bounds[0] <= value <= bounds[1]:
        what = f"{value:g} is out of bounds"
        found.append(BadPolicy(what, place=place, remedy=f"use {bounds[0]:g} to {bounds[1]:g}"))
