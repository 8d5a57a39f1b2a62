"""Confidence to tier to actions, guards last. Pure: the same input always gives the same decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Mapping, Sequence, Tuple

from responders.model import Alert, Decision, Facts, Identity, Reason, Tier
from responders.policy.confidence import Score, fuse
from responders.policy.guards import Case, apply_guards
from responders.policy.policy import Policy


@dataclass(frozen=True)
class Provisional:
    """What would be done if no guard spoke. `fallback` are the actions that a guard may lower it to."""

    tier: Tier
    score: Score
    reasons: Tuple[Reason, ...]
    candidates: Tuple[str, ...]
    fallback: Tuple[str, ...] = ()


def provisional(alerts: Sequence[Alert], identity: Identity, policy: Policy, now: datetime) -> Provisional:
    """Tier by confidence alone, and every action that it or a lower tier might take.

    `alerts` are those of the identity, the one at hand last.
    """
    score = fuse(alerts, policy.fusion, now)
    tier, reasons = _tier(score, identity, policy)
    asked = alerts[-1]
    names = policy.names(identity, tier)
    if asked.source in ("click", "drill") and asked.requested:
        tier = _requested_tier(asked, tier)
        wanted = tuple(name for name in asked.requested if "." in name and "=" not in name)
        names = tuple(dict.fromkeys((*policy.names(identity, tier), *_permitted(wanted, identity, policy))))
        who = next((name[3:] for name in asked.requested if name.startswith("by=")), "an analyst")
        reasons.append(Reason(f"{who} asked for tier {tier.label}"))
        strange = sorted(set(wanted) - set(_permitted(wanted, identity, policy)))
        reasons += [
            Reason(f"{name} was asked for, and the policy does not know it for a {identity.kind}") for name in strange
        ]
    lower = policy.names(identity, Tier.RESTRICT) if tier is Tier.REVOKE else ()
    return Provisional(tier, score, (*score.reasons, *reasons), names, lower)


def decide(
    alerts: Sequence[Alert],
    identity: Identity,
    facts: Facts,
    policy: Policy,
    catalogue: Mapping[str, Any],
    now: datetime,
) -> Decision:
    """The decision with every reason. Guards may lower the tier or refuse steps; they never drop the alert."""
    first = provisional(alerts, identity, policy, now)
    case = Case(alerts, identity, facts, policy, catalogue, now, first.score)
    tier, reasons, refused = apply_guards(case, first.tier, first.candidates)
    allowed = policy.names(identity, tier)
    if alerts[-1].source == "click":
        allowed = tuple(name for name in first.candidates if tier is first.tier or name in allowed)
    actions = tuple(sorted(name for name in allowed if name not in policy.hands_over or alerts[-1].source == "click"))
    known = policy.actions[identity.kind]
    # A person may take a restricted identity to revoke: for a production service with dependents that is the rule.
    approval = tuple(sorted({*known.revoke, *known.approval} - set(actions)))
    if tier is Tier.OBSERVE:
        actions = approval = ()
    return Decision(
        identity,
        tier,
        first.score.points,
        actions,
        (*first.reasons, *reasons),
        policy.version,
        approval,
        tuple(refused),
    )


def _tier(score: Score, identity: Identity, policy: Policy) -> Tuple[Tier, List[Reason]]:
    row = policy.class_of(identity)
    limits = policy.thresholds[row]
    words = f"{row.replace('_', ' ')}: restrict from {limits.restrict}, revoke from {limits.revoke}"
    if score.points >= limits.revoke:
        lone = policy.fusion.lone_alert_for_revoke
        if score.strongest >= lone:
            return Tier.REVOKE, [Reason(f"{score.points} reaches revoke ({words})")]
        return Tier.RESTRICT, [Reason(f"{score.points} reaches revoke ({words}), but no alert alone reaches {lone}")]
    if score.points >= limits.restrict:
        return Tier.RESTRICT, [Reason(f"{score.points} reaches restrict ({words})")]
    return Tier.OBSERVE, [Reason(f"{score.points} reaches observe only ({words})")]


def _requested_tier(alert: Alert, tier: Tier) -> Tier:
    asked = [Tier[name.upper()] for name in alert.requested if name.upper() in Tier.__members__]
    return max([*asked, tier]) if asked else tier


def _permitted(wanted: Tuple[str, ...], identity: Identity, policy: Policy) -> Tuple[str, ...]:
    """Actions a click may add: those the policy knows for this kind, approval-only ones among them."""
    known = policy.actions[identity.kind]
    return tuple(name for name in wanted if name in {*known.restrict, *known.revoke, *known.approval})
