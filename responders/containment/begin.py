"""Journal the plan, with its intent and pre-state, before the first change."""

from __future__ import annotations

from responders.codec import to_json
from responders.containment import due
from responders.containment.judge import Judgement
from responders.containment.record import Record, load, write_intent
from responders.containment.responder import Responder


def begin(judgement: Judgement, responder: Responder) -> Record:
    """Open the containment, or extend the open one, and return it as the journal now holds it.

    Two responders that open the same generation at once both write the same containment id: the second one's plan
    is a repeat of the first's, and the claims on each lane keep them off each other's steps.
    """
    plan, alert, journal = judgement.plan, judgement.alert, responder.journal
    identity = plan.decision.identity
    # Open marker, due resume, plan, intents, in this order: each one makes the next one findable after a crash.
    name = f"open/{plan.containment}"
    journal.put(name, {"containment": plan.containment, "identity": identity.id, "generation": plan.generation})
    resume = due.add(journal, "resume", plan.containment, responder.later(responder.timing.retry_due))
    side = [key for key in (name, resume, judgement.place) if key]
    body = {"plan": to_json(plan), "alert": to_json(alert), "side": side}
    restoring = judgement.current.restoring if judgement.current is not None else None
    journal.append(plan.containment, "plan", {**body, "over": restoring.seq} if restoring is not None else body)
    known = load(journal, plan.containment)
    fresh = {step.id: judgement.states[step.id] for step in plan.steps if step.id in judgement.states}
    fresh = {key: state for key, state in fresh.items() if key not in known.before}
    if fresh:
        write_intent(journal, plan.containment, fresh)
    return load(journal, plan.containment)
