"""Journal the plan before the first change."""

from __future__ import annotations

from responders.codec import to_json
from responders.containment import due
from responders.containment.judge import Judgement
from responders.containment.record import Record, followed, load
from responders.containment.responder import Responder


def begin(judgement: Judgement, responder: Responder) -> Record:
    """Open the containment, or extend the open one, and return it as the journal now holds it.

    Two responders that open the same generation at once both write the same containment id: the second one's plan
    is a repeat of the first's, and the claims on each lane keep them off each other's steps.
    """
    plan, alert, journal = judgement.plan, judgement.alert, responder.journal
    body = {"plan": to_json(plan), "alert": to_json(alert), "side": [judgement.place] if judgement.place else []}
    known = judgement.current or Record(plan.containment)
    if known.restoring is not None:
        body["over"] = known.restoring.seq
    # Open marker, due resume, plan, in this order: each one makes the next one findable after a crash.
    about = {"containment": plan.containment, "identity": plan.decision.identity.id, "generation": plan.generation}
    resume = due.document(journal, "resume", plan.containment, responder.later(responder.timing.retry_due))
    entry = journal.append(plan.containment, "plan", body, [(f"open/{plan.containment}", about), resume])
    if entry.seq == known.last + 1:
        return followed(known, [entry])
    return load(journal, plan.containment)
