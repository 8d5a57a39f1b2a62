"""Takes up what is due: interrupted alerts, open lanes, rechecks, half-done restores, undelivered reports."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Callable, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from responders.containment import canary, due, standing, tampering
from responders.containment.execute import execute
from responders.containment.intake import handled
from responders.containment.notify import deliver_again
from responders.containment.own_watch import watch
from responders.containment.recheck import recheck
from responders.containment.record import load, with_blocks
from responders.containment.responder import Responder
from responders.containment.restore import restore
from responders.containment.sweep import DUE as DUE_SWEEP
from responders.containment.sweep import sweep_later
from responders.errors import Halted, Refused, TourniquetError
from responders.escalation.report import Report

ContainRaw = Callable[[Mapping[str, Any], Responder], Report]
SignalAgain = Callable[[Mapping[str, Any], Responder, str], None]
_KNOWN = frozenset({"alert", "signal", "resume", "recheck", standing.DUE, DUE_SWEEP, "restore", "escalate", canary.DUE})


def resume(
    responder: Responder,
    contain_raw: ContainRaw,
    signal_again: SignalAgain,
    until: Optional[datetime] = None,
    *,
    leave: FrozenSet[str] = frozenset(),
    items: Optional[Sequence[due.Due]] = None,
) -> Tuple[str, ...]:
    """Do all that is due by `until` (default now); a line of what was done for each. An error stops no other.

    What others see to stays due: kinds named in `leave`, and those that only a service beside a SIEM knows. `items` are what
    is pending, where the caller has looked already.
    """
    # First of all: what the watch of our own credentials finds may halt what follows.
    lines: List[str] = list(watch(responder))
    pending = tampering.pending(responder, until or responder.now()) if items is None else items
    for item in pending:
        if item.what in leave or item.what not in _KNOWN:
            continue
        claimed = due.claim(responder.journal, "due-" + item.key.rpartition("/")[2], responder.timing.claim)
        if claimed is None:
            continue
        if due.finished(responder.journal, item):  # by one who ended between our list and our claim
            due.release(responder.journal, claimed)
            continue
        try:
            how = _do(item, responder, contain_raw, signal_again)
        except Halted:
            continue  # stays due until automation runs again
        except Refused as error:
            if item.what == "alert":  # who has it may die over it: it is done when its chain says so
                continue
            how = f"refused: {error}"
        except TourniquetError as error:
            # Stays due: the next one who runs tries again.
            lines.append(f"{item.what} {item.about}: {error}")
            continue
        except Exception as error:  # a mistake of ours in one entry must not keep every other one from being done
            lines.append(f"{item.what} {item.about}: internal error {type(error).__name__}: {error}. It stays due")
            continue
        finally:
            due.release(responder.journal, claimed)
        due.finish(responder.journal, item, how)
        lines.append(f"{item.what} {item.about}: {how}")
    due.close_days(responder.journal)
    return tuple(lines)


def _do(item: due.Due, responder: Responder, contain_raw: ContainRaw, signal_again: SignalAgain) -> str:
    if item.what == "alert":
        title = contain_raw(item.raw or {}, responder).title
        if handled(responder.journal, item.about) is None:
            raise Halted(f"put off: {title}")
        return f"taken up again: {title}"
    if item.what == "signal":
        entry = next(iter(responder.journal.entries(item.about)))
        signal_again(entry.body["raw"], responder, item.about)
        return "written or put off"
    if item.what == "resume":
        return _finish_lanes(responder, item.about)
    if item.what == "recheck":
        outcomes = recheck(responder, item.about, item.note)
        return f"{sum(o.status.holds for o in outcomes)} of {len(outcomes)} steps hold"
    if item.what == standing.DUE:
        standing.tell_standing(responder, item.about)
        return "written or put off"
    if item.what == canary.DUE:
        return canary.finish(responder, item)
    if item.what == DUE_SWEEP:
        return sweep_later(responder, item.about, item.note)
    if item.what == "restore":
        return _finish_restore(responder, item.about)
    deliver_again(responder, item)
    return "delivered or put off"


def _finish_lanes(responder: Responder, containment: str) -> str:
    record = load(responder.journal, containment)
    steps = record.due_steps()
    if not record.open or record.plan is None or not steps or record.restoring is not None:
        return "nothing open"
    deadline = time.monotonic() + responder.timing.deadline
    outcomes = execute(responder, record.plan, with_blocks(record, steps), record, {}, deadline)
    left = [o for o in outcomes if not o.status.holds]
    if left:
        again = due.add(responder.journal, "resume", containment, responder.later(responder.timing.retry_due))
        responder.journal.append(containment, "still open", {"steps": [o.step.id for o in left], "side": [again]})
    standing.tell_standing(responder, containment)
    return f"{len(outcomes) - len(left)} of {len(outcomes)} open steps done"


def _finish_restore(responder: Responder, containment: str) -> str:
    record = load(responder.journal, containment)
    if not record.open or record.restoring is None:
        return "nothing open"
    asked = record.restoring.body
    restore(
        responder, containment, by=str(asked["by"]), reason=str(asked["reason"]),
        approved_by=str(asked["approved_by"]) or None,
    )  # fmt: skip
    return "restore taken up again"
