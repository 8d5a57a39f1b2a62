"""A person says yes to what the policy only does after approval, on a containment that is open. Guards still hold."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

from responders.codec import to_json
from responders.containment.begin import begin
from responders.containment.compose import of_containment
from responders.containment.execute import execute
from responders.containment.facts import begin_reading, candidate_steps, client_for, gather, places_taken, take_place
from responders.containment.judge import Judgement, guarded
from responders.containment.notify import escalate
from responders.containment.people import permitted
from responders.containment.recheck import schedule_rechecks
from responders.containment.record import load, with_blocks
from responders.containment.responder import Responder
from responders.errors import Refused
from responders.escalation.report import Report
from responders.model import Decision, Identity, Plan, Reason, Step, Tier, Use
from responders.policy.guards import Case, apply_guards


def approve(
    responder: Responder,
    containment: str,
    names: Sequence[str],
    *,
    by: str,
    reason: str,
    approved_by: Optional[str] = None,
) -> Report:
    """Carry out approval-only actions (`names`), or all of the revoke tier when `names` is ("revoke",).

    `by` and `approved_by` are identity ids of people. Raises Refused when they may not, when the policy does not know
    an action for this kind, when the alerts hold no evidence for it, or when a guard forbids it.
    """
    record = load(responder.journal, containment)
    identity = permitted(record, responder, "approve", by, reason, approved_by)
    if record.plan is None or record.restoring is not None:
        raise Refused(f"containment {containment} is being restored: nothing can be approved")
    wanted = _wanted(names, identity, responder)
    plan = record.plan
    alert = replace(record.alerts[-1], source="click", requested=(f"by={by}", *wanted))
    steps = candidate_steps(wanted, identity, record.alerts, plan.since or alert.started_at, plan.generation)
    steps = tuple(step for step in steps if client_for(responder, identity, step.account) is not None)
    without = sorted(set(wanted) - {step.action for step in steps})
    if without and names != ("revoke",):
        raise Refused(f"no account, or no evidence in the alerts, for {', '.join(without)}. Nothing was changed")
    deadline = time.monotonic() + responder.timing.deadline
    ours = begin_reading(responder)
    facts, states, running = gather(responder, identity, (*record.alerts, alert), steps, deadline, ours)
    others = replace(facts, uses=tuple(use for use in facts.uses if use.identity != identity.id))
    case = Case((*record.alerts, alert), identity, others, responder.policy, responder.catalogue, responder.now())
    tier, spoke, refused = apply_guards(case, Tier.REVOKE, wanted)
    if tier < Tier.REVOKE:
        why = "; ".join(f"{item.guard}: {item.text}" for item in spoke)
        raise Refused(f"a guard forbids it: {why}. Nothing was changed")
    use = Use(identity.id, Tier.REVOKE, alert.detection, responder.now(), guarded(identity), True)
    places = places_taken(responder.journal, use.at)
    if len(places) != len(facts.uses) or take_place(responder.journal, use, places) is None:
        raise Refused("another containment began at the same moment. Nothing was changed; approve again")
    steps = tuple(s for s in steps if f"{s.action}|{s.account.key}" not in dict(refused))
    said = f"{by} approved {', '.join(wanted)}: {reason}" + (f" (with {approved_by})" if approved_by else "")
    decision = _extended(plan.decision, steps, [Reason(said), *spoke], refused)
    extended = replace(plan, decision=decision, steps=tuple({s.id: s for s in (*record.steps.values(), *steps)}.values()))
    responder.journal.append(
        containment,
        "approved",
        {"by": by, "approved_by": approved_by or "", "reason": reason, "steps": [to_json(s.id) for s in steps]},
    )
    # What the new steps hang on is checked again with them: a rotation waits for a confirmed block of its account.
    todo = with_blocks(record, steps)
    return _carry_out(responder, Judgement(alert, extended, facts, states, record, running=running), todo, deadline)


def _carry_out(responder: Responder, judgement: Judgement, steps: Tuple[Step, ...], deadline: float) -> Report:
    plan: Plan = judgement.plan
    record = begin(judgement, responder)
    outcomes = execute(responder, plan, steps, record, judgement.states, deadline, running=judgement.running, asked=True)
    schedule_rechecks(responder, plan.containment)
    record = load(responder.journal, plan.containment)
    return escalate(responder, of_containment(responder.journal, record, outcomes), plan.containment)


def _wanted(names: Sequence[str], identity: Identity, responder: Responder) -> Tuple[str, ...]:
    known = responder.policy.actions[identity.kind]
    if tuple(names) == ("revoke",):
        return known.revoke
    allowed = {*known.revoke, *known.approval}
    unknown = sorted(set(names) - allowed)
    if unknown or not names:
        raise Refused(
            f"the policy knows no {', '.join(unknown) or 'such action'} for a {identity.kind}. "
            f"May be approved: {', '.join(sorted(allowed))}; or `revoke` for the whole tier"
        )
    return tuple(dict.fromkeys(names))


def _extended(before: Decision, steps: Tuple[Step, ...], reasons: List[Reason], refused: List[Tuple[str, str]]) -> Decision:
    added = {step.action for step in steps}
    return replace(
        before,
        tier=Tier.REVOKE,
        actions=tuple(sorted({*before.actions, *added})),
        approval=tuple(name for name in before.approval if name not in added),
        reasons=(*before.reasons, *reasons),
        refused=tuple(dict.fromkeys((*before.refused, *refused))),
    )
