"""The result of a validation in the journal, whose mirror tells it to the SIEM, and to people when something is wrong.

Chain `validation`, entry `validation`: `valid`, and of each check its name, `ok` (true, false, null for not checked) and its
problems. People are told when what is wrong is not what they were told last, and once a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Mapping, Optional, Sequence, Tuple

from responders.containment.compose import Note, without_containment
from responders.containment.notify import escalate
from responders.containment.responder import Responder
from responders.journal.chain import Entry

CHAIN = KIND = "validation"
AGAIN = timedelta(days=1)
_SHOWN = 50
"""Problems of one check that are journaled; the rest is counted."""


@dataclass(frozen=True)
class Check:
    """One check. `ok` is None when it could not be made, which `note` explains; `note` also sums up what was looked at."""

    name: str
    ok: Optional[bool]
    problems: Tuple[str, ...] = ()
    note: str = ""


def valid(checks: Sequence[Check]) -> bool:
    """True when no check failed."""
    return all(check.ok is not False for check in checks)


def write_validation(responder: Responder, checks: Sequence[Check]) -> Entry:
    """Journal the checks, and escalate what is wrong and new. Raises JournalError."""
    journal, shown = responder.journal, [_row(check) for check in checks]
    last = _last_told(responder)
    good = valid(checks)
    entry = journal.append(CHAIN, KIND, {"valid": good, "checks": shown, "title": title(checks)})
    if good or (last is not None and _wrong(last.body["checks"]) == _wrong(shown) and responder.now() - last.at < AGAIN):
        return entry
    items = tuple(f"{check.name}: {problem}" for check in checks for problem in check.problems)
    escalate(responder, without_containment(journal, CHAIN, None, None, Note(title(checks), True, items)), CHAIN)
    journal.append(CHAIN, "told", {"checks": shown})
    return entry


def title(checks: Sequence[Check]) -> str:
    """One line: what failed, or that nothing did."""
    failed = [check.name for check in checks if check.ok is False]
    return f"validation FAILED: {', '.join(failed)}" if failed else "validation: everything checked is sound"


def _wrong(rows: Sequence[Mapping[str, Any]]) -> Sequence[Tuple[Any, Any]]:
    """What people are told; how much was looked at may change from run to run."""
    return [(row["check"], row["problems"]) for row in rows if row["ok"] is False]


def _row(check: Check) -> dict[str, object]:
    more = len(check.problems) - _SHOWN
    problems = [*check.problems[:_SHOWN], *((f"and {more} more",) if more > 0 else ())]
    return {"check": check.name, "ok": check.ok, "problems": problems, "note": check.note}


def _last_told(responder: Responder) -> Optional[Entry]:
    """What people were told last, None once all was sound again since."""
    told: Optional[Entry] = None
    for entry in responder.journal.entries(CHAIN):
        if entry.kind == "told":
            told = entry
        elif entry.kind == KIND and entry.body["valid"]:
            told = None
    return told
