"""Words for the terminal and the report: ids shortened, open items gathered, who must do what next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, List, Tuple

from responders.escalation.report import Report
from responders.escalation.words import clean
from responders.model import Outcome

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-([0-9a-f]{12})")


def short(text: str) -> str:
    """A text from a log in one safe line, its uuids cut down to their ends."""
    return _UUID.sub(lambda match: "…" + match.group(1)[-6:], clean(text))


def open_in_short(report: Report) -> Tuple[str, ...]:
    """What is open, one line for each vendor and reason instead of one for each step."""
    unsupported = report.plan.unsupported if report.plan else ()
    lines = [f"{account.key}: no responder for {account.vendor}: contain it by hand" for account in unsupported]
    failed: Dict[Tuple[str, str], List[Outcome]] = {}
    for outcome in report.outcomes:
        if not outcome.status.holds:
            failed.setdefault((outcome.step.account.vendor, outcome.status.value), []).append(outcome)
    for (vendor, status), outcomes in failed.items():
        names = ", ".join(outcome.step.action.split(".")[1] for outcome in outcomes)
        lines.append(f"{vendor}: {names}: {status}: {short(outcomes[0].proof)}")
    if report.decision:
        what = {"*": "everything"}
        lines.extend(f"{what.get(action, action)}: refused by guard {guard}" for action, guard in report.decision.refused)
    lines.extend(short(item) for item in report.open_items if item.startswith("sweep of "))
    return tuple(lines)


@dataclass(frozen=True)
class Task:
    """Who must do what, and the command for it. `now` when an attacker may still be in."""

    who: str
    what: str
    command: str = ""
    now: bool = False


def who_next(report: Report) -> Tuple[Task, ...]:
    """Who must do what next, from one report."""
    decision = report.decision
    if decision is None:
        return ()
    name = short(decision.identity.id)
    owner = decision.identity.owner or "whoever owns the inventory"
    found: List[Task] = []
    for account in report.plan.unsupported if report.plan else ():
        what = f"contain {account.key} by hand: Tourniquet has no responder for {account.vendor}"
        found.append(Task(owner, what, now=True))
    for action, guard in decision.refused:
        what = "everything" if action == "*" else action
        found.append(Task(owner, f"decide on {name} by hand: the guard {guard} refused {what}", now=True))
    vendors = sorted({o.step.account.vendor for o in report.outcomes if not o.status.holds})
    if vendors:
        what = f"see that {', '.join(vendors)} is finished: Tourniquet keeps trying, the report has the steps by hand"
        found.append(Task("whoever is on call", what, now=True))
    if report.created:
        things = ", ".join(f"{made.vendor} {made.thing}" for made in report.created)
        found.append(Task(owner, f"look at what {name} made since the compromise: {short(things)}", now=True))
    if report.containment and decision.approval:
        what = f"approve or leave the {len(decision.approval)} actions on {name} that the policy keeps for a person"
        found.append(Task(owner, what, f"tourniquet approve {report.containment} ACTION --by YOUR-ID --reason WHY"))
    if report.containment:
        new = "a new password and new factors" if decision.identity.kind == "human" else "new credentials"
        found.append(Task(owner, f"find the cause, give {name} {new}, then undo", report.undo))
    return tuple(found)
