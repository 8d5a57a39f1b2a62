"""The compiled policy: thresholds, actions by kind and tier, guard limits, fusion weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Tuple

from responders.errors import BadPolicy
from responders.model import Identity, Tier

CLASSES = (
    "human",
    "privileged_human",
    "agent",
    "service_non_production",
    "service_production",
    "service_production_dependents",
)
"""The rows of the threshold table; each identity falls into exactly one."""


@dataclass(frozen=True)
class Thresholds:
    """Confidence from which a tier is taken. `revoke_by_approval`: revoke waits for a person whatever the score."""

    restrict: int
    revoke: int
    revoke_by_approval: bool = False


@dataclass(frozen=True)
class Fusion:
    """Weights of further alerts. `window_hours` back; halved after `half_after_hours`; see confidence.py."""

    window_hours: float = 24.0
    independent: float = 0.5
    related: float = 0.2
    half_after_hours: float = 6.0
    lone_alert_for_revoke: int = 70


@dataclass(frozen=True)
class Limits:
    """The blast radius. Counts are uses in an hour; `population_share` a part of the identities; see guards.py."""

    revokes: int = 10
    restricts: int = 30
    population_share: float = 0.005
    never_under: int = 3
    guarded: int = 2
    detection_share: float = 0.4
    kept_for_clicks: float = 0.3
    kept_for_automation: float = 0.3


@dataclass(frozen=True)
class Actions:
    """Action names of one kind: done without asking at each tier, and those that wait for a person."""

    restrict: Tuple[str, ...]
    revoke: Tuple[str, ...]
    approval: Tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A policy, by version. `thresholds` by class, `actions` by kind; `hands_over` never run without a person."""

    version: str
    thresholds: Mapping[str, Thresholds]
    actions: Mapping[str, Actions]
    fusion: Fusion
    limits: Limits
    hands_over: Tuple[str, ...] = ()
    require_backtest: bool = False
    """A policy takes this one's place, or is this one, only with a record of its backtest (proof.py)."""

    def class_of(self, identity: Identity) -> str:
        """The row of the threshold table."""
        if identity.kind == "human":
            return "privileged_human" if identity.privileged else "human"
        if identity.kind == "agent":
            return "agent"
        if not identity.production:
            return "service_non_production"
        return "service_production_dependents" if identity.dependents else "service_production"

    def names(self, identity: Identity, tier: Tier) -> Tuple[str, ...]:
        """Actions done without asking at a tier."""
        actions = self.actions[identity.kind]
        return {Tier.REVOKE: actions.revoke, Tier.RESTRICT: actions.restrict, Tier.OBSERVE: ()}[tier]


def from_compiled(doc: Mapping[str, Any]) -> Policy:
    """A policy from its compiled JSON form. Raises BadPolicy when it is not one."""
    try:
        return Policy(
            version=str(doc["version"]),
            thresholds={name: Thresholds(**doc["thresholds"][name]) for name in CLASSES},
            actions={
                kind: Actions(**{tier: tuple(names) for tier, names in found.items()})
                for kind, found in doc["actions"].items()
            },
            fusion=Fusion(**doc["fusion"]),
            limits=Limits(**doc["limits"]),
            hands_over=tuple(doc["hands_over"]),
            require_backtest=doc.get("require_backtest") is True,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadPolicy(
            f"not a compiled policy ({error})", place="policy", remedy="compile it with `tourniquet policy build`"
        ) from None
