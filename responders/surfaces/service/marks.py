"""What an alert is marked with: acknowledged only where nobody has to look at it any more.

Who works from the open alerts of Elastic Security must not lose one that contained nobody although it should have, or one
whose containment does not hold yet. Texts are ours alone: a note is shown as Markdown, and an alert's own texts are an
attacker's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from responders.containment.intake import handled
from responders.containment.record import load
from responders.journal.chain import Journal

CONTAINED, OPEN = "tourniquet:contained", "tourniquet:open"
OBSERVED, LEFT = "tourniquet:observed", "tourniquet:not-contained"
STATES = (CONTAINED, OPEN, OBSERVED, LEFT)


@dataclass(frozen=True)
class Mark:
    """`tags` to add, whether to acknowledge, the note, and whether it will stay so (else look again later)."""

    tags: Tuple[str, ...]
    acknowledge: bool
    note: str
    containment: str = ""
    final: bool = True


def mark_of(journal: Journal, chain: str) -> Mark:
    """The mark of an alert that was dealt with. Raises JournalError."""
    containment = handled(journal, chain) or ""
    if containment:
        return _of_containment(journal, containment)
    if any(entry.kind == "escalated" and entry.body["report"]["loud"] for entry in journal.entries(chain)):
        return Mark(
            (LEFT,), False,
            "Tourniquet contained NOBODY for this alert, and people were told why: ambiguous, unreadable, or refused by a "
            "guard. Its report and journal say more. The alert stays open until somebody decides.",
        )  # fmt: skip
    said = "Tourniquet observes this identity: nothing was changed at any vendor. Its journal and report say why."
    return Mark((OBSERVED,), True, said)


def _of_containment(journal: Journal, containment: str) -> Mark:
    record = load(journal, containment)
    held = {name for name, outcome in record.outcomes.items() if outcome.status.holds}
    whole = record.plan is not None and not record.plan.unsupported and bool(record.steps) and held >= set(record.steps)
    ways = (
        f"`tourniquet status {containment}` shows what was done and is open, `tourniquet restore {containment}` undoes it."
    )
    if whole or not record.open:
        said = f"Tourniquet contained the identity behind this alert: containment {containment}. {ways}"
        return Mark((CONTAINED, containment), True, said, containment)
    said = f"Tourniquet has NOT fully contained the identity behind this alert yet: containment {containment}. {ways}"
    return Mark((OPEN, containment), False, said, containment, final=False)
