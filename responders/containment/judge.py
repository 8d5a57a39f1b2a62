"""Facts, then policy, then steps: what one alert means for one identity. Writes only its place in the blast radius."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Iterable, Iterator, Mapping, Optional, Tuple

from responders.actions import registry
from responders.alerts.canary import SOURCE
from responders.containment import record as records
from responders.containment.facts import begin_reading, candidate_steps, client_for, gather, places_taken, take_place, uses
from responders.containment.intake import recent_alerts
from responders.containment.record import Record
from responders.containment.responder import Responder
from responders.model import Account, Alert, Decision, Facts, Identity, Plan, State, Step, Tier, Use, containment_id
from responders.parallel import Running, finish_all
from responders.policy.decide import decide, provisional
from responders.policy.guards import MOST
from responders.vendors.budget import calling_for


@dataclass(frozen=True)
class Judgement:
    """What is to be done: a plan (not yet journaled), the state of its blocks by step id, and the facts behind it.

    `running` are the reads of the other steps, not over yet. `current` is the open containment that this extends;
    `outdated` says why an old alert must not contain again. `place` is the key of the place it took in the blast radius.
    """

    alert: Alert
    plan: Plan
    facts: Facts
    states: Mapping[str, State]
    current: Optional[Record] = None
    outdated: str = ""
    running: Mapping[str, Running[State]] = field(default_factory=dict)
    place: str = ""

    @property
    def decision(self) -> Decision:
        return self.plan.decision

    @property
    def writes(self) -> bool:
        """True when something is to be done at a vendor, or should be and nobody can."""
        acts = bool(self.plan.steps or self.plan.unsupported or self.current or self.decision.approval)
        return self.decision.tier > Tier.OBSERVE and acts and not self.outdated


def judge(
    alert: Alert, identity: Identity, responder: Responder, deadline: float, *, dry_run: bool, note: str = ""
) -> Judgement:
    """Read the facts, let the policy decide, and take a place in the blast radius.

    `deadline` is a time.monotonic() value for the reads; `note` the key under which the alert is noted for later ones. With
    `dry_run` no place is taken.
    """
    now = responder.now()
    # What our own stores say is read side by side: each read is a round trip, where the journal is far away.
    ours, before = begin_reading(responder), Running(partial(_generation, alert, identity, responder))
    alerts = telling(recent_alerts(responder.journal, identity.id, now, alert, note))
    generation, since, current, outdated = before.value()
    first = provisional(alerts, identity, responder.policy, now)
    likely = candidate_steps(first.candidates, identity, alerts, since, generation)
    spare = candidate_steps(first.fallback, identity, alerts, since, generation)
    candidates = tuple({step.id: step for step in (*likely, *spare)}.values())
    known = tuple(current.steps.values()) if current is not None else ()
    wanted = tuple({s.id: s for s in (*likely, *known)}.values())
    with calling_for(first.tier):
        facts, states, running = gather(responder, identity, alerts, wanted, deadline, ours)
    place, places, at_first = "", ours.value().places, facts.uses
    while True:
        # Who took a place since the facts were read is being contained right now, and can't restore anybody.
        newly = {use.identity for use in facts.uses if use not in at_first and use.tier > Tier.OBSERVE} - {identity.id}
        others = tuple(use for use in facts.uses if use.identity != identity.id)
        known_now = replace(facts, uses=others, restorers=facts.restorers - newly)
        decision = decide(alerts, identity, known_now, responder.policy, responder.catalogue, now)
        reached = max((use.tier for use in facts.uses if use.identity == identity.id), default=Tier.OBSERVE)
        reachable = any(client_for(responder, identity, s.account) is not None for s in chosen(decision, candidates))
        # A drill takes no place from real incidents: it has a bound of its own.
        if dry_run or outdated or decision.tier <= reached or not reachable or alert.source == SOURCE:
            break
        use = Use(identity.id, decision.tier, alert.detection, now, guarded(identity), alert.source == "click")
        taken = take_place(responder.journal, use, places)
        place, alone = taken or place, len(places) + 1
        places = places_taken(responder.journal, now)
        facts = replace(facts, uses=uses(places))
        if taken and len(places) == alone:
            break
    decision, steps = _with_current(decision, chosen(decision, candidates), current)
    plan = Plan(
        containment_id(identity.id, generation),
        generation,
        decision,
        tuple(step for step in steps if client_for(responder, identity, step.account) is not None),
        _unreachable(responder, decision),
        since,
    )
    judgement = Judgement(alert, plan, facts, states, current, outdated, running, place)
    if dry_run or not judgement.writes:
        finish_all(running, deadline)  # nobody will wait for these reads: none is left behind to call a closed client
    return judgement


def telling(alerts: Tuple[Alert, ...]) -> Tuple[Alert, ...]:
    """The alert at hand, and the earlier ones that count beside it.

    Not those of people who may only go so far: the row may be of their own making, and would let the next faint alert do
    what they may not.
    """
    earlier = (item for item in alerts[:-1] if not any(name.startswith(MOST) for name in item.requested))
    return (*earlier, alerts[-1])


def _generation(alert: Alert, identity: Identity, responder: Responder) -> Tuple[int, datetime, Optional[Record], str]:
    """Generation, start of the compromise, the open containment if there is one, and why the alert is outdated."""
    found = records.latest(responder.journal, identity.id)
    if found is None:
        return 1, alert.started_at, None, ""
    generation, record = found
    if record.open:
        if record.restoring is not None and alert.completed_at <= record.restoring.at:
            why = f"its completing event is older than the restore of {record.containment} that is under way"
            return generation, alert.started_at, record, why
        since = record.plan.since if record.plan and record.plan.since else alert.started_at
        return generation, since, record, ""
    if record.ended is not None and alert.completed_at <= record.ended.at:
        why = f"its completing event is older than the end of containment {record.containment} at {record.ended.at}"
        return generation + 1, alert.started_at, None, why
    return generation + 1, alert.started_at, None, ""


def chosen(decision: Decision, candidates: Iterable[Step]) -> Tuple[Step, ...]:
    return tuple(each_chosen(decision, candidates))


def each_chosen(decision: Decision, candidates: Iterable[Step]) -> Iterator[Step]:
    """Of these steps those that the decision takes and no guard refused, one after another."""
    refused = {name for name, _ in decision.refused}
    return (
        step for step in candidates if step.action in decision.actions and f"{step.action}|{step.account.key}" not in refused
    )


UNTOUCHABLE = frozenset({"break-glass", "protected", "own credentials"})
"""Guards that also hold back what an open containment once did: the identity may have come under them since."""


def _with_current(
    decision: Decision, steps: Tuple[Step, ...], current: Optional[Record]
) -> Tuple[Decision, Tuple[Step, ...]]:
    """A repeated alert checks every step again and may raise the tier; it never lowers it."""
    if current is None or current.plan is None or {reason.guard for reason in decision.reasons} & UNTOUCHABLE:
        return decision, steps
    before = current.plan.decision
    if before.tier > decision.tier:
        actions = tuple(sorted({*before.actions, *decision.actions}))
        decision = replace(before, actions=actions, confidence=max(before.confidence, decision.confidence))
    merged = {**current.steps, **{step.id: step for step in steps}}
    return decision, tuple(merged.values())


def _unreachable(responder: Responder, decision: Decision) -> Tuple[Account, ...]:
    """Accounts nobody can reach: no responder for their vendor, or none configured for their tenant."""
    if decision.tier is Tier.OBSERVE:
        return ()
    identity = decision.identity
    return tuple(
        account
        for account in identity.accounts
        if account.vendor not in registry.VENDORS or client_for(responder, identity, account) is None
    )


def guarded(identity: Identity) -> bool:
    """True for those whom the smaller blast radius counts: privileged identities and production services."""
    """True for those whom the smaller blast radius counts: privileged identities and production services."""
    return identity.privileged or (identity.kind == "service" and identity.production)
