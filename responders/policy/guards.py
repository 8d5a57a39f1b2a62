"""Guards: limits that no confidence overrides. Each lowers the tier or refuses steps, and says why. None raises it."""

from __future__ import annotations

import math
from collections import Counter, abc
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Iterable, List, Mapping, Optional, Sequence, Tuple

from responders.model import Alert, Facts, Identity, Place, Reason, Tier, Use
from responders.policy.confidence import Score, fuse, strongest
from responders.policy.ids import immutable
from responders.policy.policy import Policy


@dataclass(frozen=True)
class Case:
    """All that a guard may look at."""

    alerts: Sequence[Alert]
    identity: Identity
    facts: Facts
    policy: Policy
    catalogue: Mapping[str, Any]
    now: datetime
    score: Optional[Score] = None
    """What the alerts come to when each of them may count whole, where that is known already."""

    @property
    def alert(self) -> Alert:
        """The alert at hand: the newest."""
        return self.alerts[-1]


@dataclass(frozen=True)
class Ruling:
    """What a guard says: no tier above `cap`, and these steps (`action|account key`, or an action) refused."""

    cap: Tier
    reason: Reason
    refused: Tuple[str, ...] = ()


MOST = "most="
"""Begins the item of `Alert.requested` that says how far who asked may go (`most=restrict`)."""
Guard = Callable[[Case, Tier, Tuple[str, ...]], Optional[Ruling]]


def _rule(guard: str, text: str, cap: Tier, refused: Tuple[str, ...] = ()) -> Ruling:
    return Ruling(cap, Reason(text, 0, guard), refused)


def protected(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """Protected identities and break-glass accounts are never touched. Their ids match exactly, in the inventory."""
    if case.identity.break_glass:
        return _rule("break-glass", f"{case.identity.id} is a break-glass identity: a person decides", Tier.OBSERVE)
    if case.identity.protected:
        return _rule("protected", f"{case.identity.id} is protected: a person decides", Tier.OBSERVE)
    return None


def halted(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """Halt stops every automatic write; an analyst's click is not automatic."""
    if case.facts.halted and case.alert.source != "click":
        return _rule("halt", f"automation is {case.facts.halted}", Tier.OBSERVE)
    return None


def shared_or_unmapped(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """Who shares an account, or belongs to no known identity, is restricted at most; named by no id, not at all."""
    if case.identity.shared:
        return _rule("shared account", "several people use it: restricted at most", Tier.RESTRICT)
    if not case.identity.unmapped:
        return None
    other = [account.key for account in case.identity.accounts if not immutable(account)]
    if other:
        text = f"{', '.join(other)} is no id as its vendor gives it, and may be a known account by another name"
        return _rule("unmapped account", text, Tier.OBSERVE)
    return _rule("unmapped account", "no inventory row claims it: restricted at most", Tier.RESTRICT)


def askers_right(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """Who asked may go so far and no further, whatever confidence the row they handed in claims."""
    most = [name[len(MOST) :] for name in case.alert.requested if name.startswith(MOST)]
    cap = min((Tier[name.upper()] for name in most if name.upper() in Tier.__members__), default=Tier.REVOKE)
    if cap < tier:
        who = next((name[3:] for name in case.alert.requested if name.startswith("by=")), "who asked")
        return _rule("asker's right", f"{who} may {cap.label} at most", cap)
    return None


def own_credentials(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """The responder never cuts off its own credentials."""
    own = [account.key for account in case.identity.accounts if account.key in case.facts.own]
    if own:
        return _rule("own credentials", f"the responder signs in as {', '.join(own)}: a person decides", Tier.OBSERVE)
    return None


def last_administrator(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """One usable administrator must stay at each vendor. Where they can't be counted now, the lane's gate counts them."""
    if tier < Tier.REVOKE:
        return None
    mine = {account.key for account in case.identity.accounts}
    for place, administrators in sorted(case.facts.administrators.items()):
        left = [who for who in administrators if f"{place}:{who}" not in mine]
        if len(left) < len(administrators) and not left:
            return _rule("last administrator", f"{place} would have no usable administrator left", Tier.RESTRICT)
    return None


def last_restorer(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """Somebody must be left who can restore."""
    if tier > Tier.OBSERVE and case.facts.restorers == frozenset({case.identity.id}):
        return _rule("last restorer", "nobody else would be left who can restore", Tier.OBSERVE)
    return None


def dependents(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """A production service with dependents is revoked only above its own threshold, or after approval."""
    found = case.policy.thresholds[case.policy.class_of(case.identity)]
    if tier is Tier.REVOKE and case.identity.dependents and found.revoke_by_approval and case.alert.source != "click":
        text = f"{', '.join(case.identity.dependents)} depend on it: revoke waits for approval"
        return _rule("dependents", text, Tier.RESTRICT)
    return None


def canary(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """A drill touches only who exists for it: marked in the inventory, and nobody whose absence would hurt."""
    if case.alert.source != "drill":
        return None
    who = case.identity
    mine = {account.key for account in who.accounts}
    rules = any(f"{place}:{one}" in mine for place, ones in case.facts.administrators.items() for one in ones)
    bound = who.unmapped or who.shared or who.privileged or bool(who.dependents) or who.id in case.facts.restorers
    if not who.canary or bound or rules:
        return _rule("canary", f"{who.id} is no canary: a drill leaves it alone", Tier.OBSERVE)
    return None


def forged_evidence(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """What an outsider can cause caps at observe by itself; each detection says who could forge its evidence."""
    if case.alert.source in ("click", "drill"):
        return None
    for reached in (Tier.REVOKE, Tier.RESTRICT):
        if reached <= tier and _carried(case, reached):
            break
    else:
        reached = Tier.OBSERVE
    if reached < tier:
        return _rule("forged evidence", f"the detections that allow more than {reached.label} do not carry it", reached)
    return None


def _carried(case: Case, tier: Tier, may: Callable[[Alert], bool] = lambda alert: True) -> bool:
    """True when the tier is reached with an alert counting whole whose own detection `may` reach it.

    Others corroborate: a loud alert that an outsider can cause must not borrow the right of a faint one.
    """
    policy, detections = case.policy, {alert.detection for alert in case.alerts}
    known = {detection: cap(case.catalogue.get(detection)) for detection in detections}

    def reaches(alert: Alert) -> bool:
        return known[alert.detection] >= tier and may(alert)

    limits = policy.thresholds[policy.class_of(case.identity)]
    points, least = limits.restrict, 1
    if tier is Tier.REVOKE:
        points, least = limits.revoke, max(1, policy.fusion.lone_alert_for_revoke)
    if case.score is not None and all(map(reaches, case.alerts)):
        return case.score.points >= points and case.score.strongest >= least
    # The strongest one alone decides most cases: no score is below it, and without it none is enough.
    alone = strongest(case.alerts, policy.fusion, case.now, reaches)
    return alone >= least and (alone >= points or fuse(case.alerts, policy.fusion, case.now, reaches).points >= points)


def unauthenticated_ingest(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """Events that anybody could have sent to the SIEM restrict at most, until the vendor's own log confirms one.

    They take nothing away from alerts of other sources: else who forges one about themselves would be safe from revoke.
    """
    confirmed = case.facts.confirmed_events or frozenset()
    if tier < Tier.REVOKE or case.alert.source in ("click", "drill") or not case.facts.unauthenticated:
        return None
    if _carried(
        case, tier, lambda alert: alert.detection not in case.facts.unauthenticated or bool(alert.events & confirmed)
    ):
        return None
    text = "; ".join(("the vendor's own log has not confirmed the event", *case.facts.unconfirmed))
    return _rule("unauthenticated ingest", text, Tier.RESTRICT)


def blast_radius(case: Case, tier: Tier, names: Tuple[str, ...]) -> Optional[Ruling]:
    """Bounds what an hour may take out, per detection too, and keeps a part for analysts and for the surest alerts.

    A drill takes no place here and needs none: there is one an hour (containment/canary.py).
    """
    if case.alert.source == "drill":
        return None
    while tier > Tier.OBSERVE:
        why = _over(case, tier)
        if why is None:
            return None
        lower = Tier(tier - 1)
        if lower is Tier.OBSERVE or _over(case, lower) is None:
            return _rule("blast radius", why, lower)
        tier = lower
    return None


def count(uses: Iterable[Use]) -> Mapping[Place, int]:
    """Identities by place: each at its highest tier."""
    return Counter(use.place for use in {use.identity: use for use in sorted(uses, key=lambda use: use.tier)}.values())


def _over(case: Case, tier: Tier) -> Optional[str]:
    limits = case.policy.limits
    places = count(case.facts.uses) if case.facts.places is None else case.facts.places

    def taken(which: Callable[[Place], bool] = lambda place: True) -> int:
        return sum(many for place, many in places.items() if place.tier >= tier and which(place))

    base = limits.revokes if tier is Tier.REVOKE else limits.restricts
    size = max(limits.never_under, min(base, math.floor(case.facts.population * limits.population_share)))
    if taken() >= size:
        return f"{taken()} of {size} places to {tier.label} are used this hour"
    click = case.alert.source == "click"
    guarded = case.identity.privileged or (case.identity.kind == "service" and case.identity.production)
    # Analysts have places of their own here too: two decoys must not keep them from the third, real one.
    if guarded and taken(lambda place: place.guarded and place.click == click) >= limits.guarded:
        return f"{limits.guarded} privileged identities or production services were taken this hour"
    if click:
        # A stolen session must not use the hour up with decoys, so that the real one is only restricted.
        clicks = taken(lambda place: place.click)
        room = max(1, size - math.ceil(size * limits.kept_for_automation))
        why = f"{clicks} of {room} places for clicks are used this hour; the rest is kept for automation"
        return why if clicks >= room else None
    automatic = taken(lambda place: not place.click)
    room = max(1, size - math.ceil(size * limits.kept_for_clicks))
    if automatic >= room:
        return f"{automatic} of {room} automatic places are used this hour; the rest is kept for analysts"
    share = max(1, math.floor(size * limits.detection_share))
    if taken(lambda place: not place.click and place.detection == case.alert.detection) >= share:
        return f"{case.alert.detection} has used its share of {share} places this hour"
    return None


def cap(entry: Any) -> Tier:
    """The tier a detection may reach by itself; one the catalogue does not know reaches none."""
    if not isinstance(entry, abc.Mapping):
        return Tier.OBSERVE
    cap = Tier[str(entry.get("max_tier", "observe")).upper()]
    return min(cap, Tier.OBSERVE) if entry.get("forgery") == "outsider" else cap


GUARDS: Tuple[Guard, ...] = (
    protected,
    halted,
    canary,
    askers_right,
    own_credentials,
    last_restorer,
    shared_or_unmapped,
    forged_evidence,
    unauthenticated_ingest,
    dependents,
    last_administrator,
    blast_radius,
)
"""In this order: the blast radius is judged last, on the tier that the others left."""


def apply_guards(case: Case, tier: Tier, names: Tuple[str, ...]) -> Tuple[Tier, List[Reason], List[Tuple[str, str]]]:
    """The tier that is left, the guards' reasons, and (step or action, guard) for what they refused."""
    reasons: List[Reason] = []
    refused: List[Tuple[str, str]] = []
    for guard in GUARDS:
        ruling = guard(case, tier, names)
        if ruling is None:
            continue
        reasons.append(ruling.reason)
        refused.extend((name, ruling.reason.guard) for name in ruling.refused)
        if ruling.cap < tier:
            refused.append((f"tier {tier.label}", ruling.reason.guard))
            tier = ruling.cap
    return tier, reasons, refused
