"""The result of a validation in the journal, whose mirror tells it to the SIEM, and to people when something is wrong.

Each run has a chain of its own, `v-…`: entry `validation` (`valid`, and of each check its name, `ok` (true, false, null for
not checked) and its problems), an entry `check` for each one that failed or ended otherwise than last time, and `ended`,
with what the next run must know. So a run reads one document, however many there were before it.

People are told when what is wrong is not what they were told last, and once a day.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from responders.containment.compose import Note, without_containment
from responders.containment.notify import escalate
from responders.containment.responder import Responder
from responders.errors import TourniquetError
from responders.escalation.report import Channel, Report
from responders.escalation.send import send
from responders.journal.chain import Entry
from responders.journal.newest import document, newest

WORDS: Mapping[Optional[bool], str] = {True: "sound", False: "FAILED", None: "not checked"}
AGAIN = timedelta(days=1)
_PREFIX = "validated/"
_SHOWN = 50
"""Problems of one check that are journaled; the rest is counted."""
_SECONDS = 10.0


@dataclass(frozen=True)
class Check:
    """One check. `ok` is None when it could not be made, which `note` explains; `note` also sums up what was looked at.

    `to_do` says to whoever is woken by the problems what to do about them. `carry` is what the same check of later runs must
    know, None when that is as it was.
    """

    name: str
    ok: Optional[bool]
    problems: Tuple[str, ...] = ()
    note: str = ""
    to_do: Tuple[str, ...] = ()
    carry: Optional[bool] = None


@dataclass(frozen=True)
class Known:
    """What earlier runs left: `ok` by check; what people were `told` is wrong, and when, None once all was sound since;
    what was carried, by check."""

    results: Mapping[str, Optional[bool]] = field(default_factory=dict)
    told: Sequence[Any] = ()
    told_at: Optional[datetime] = None
    carried: Mapping[str, bool] = field(default_factory=dict)


def valid(checks: Sequence[Check]) -> bool:
    """True when no check failed."""
    return all(check.ok is not False for check in checks)


def known(responder: Responder) -> Known:
    """What the last run left. Raises JournalError."""
    found = newest(responder.journal, _PREFIX)
    if found is None:
        return Known()
    at = datetime.fromisoformat(str(found["told_at"])) if found["told_at"] else None
    return Known(found["results"], found["told"], at, found["carried"])


def write_validation(responder: Responder, checks: Sequence[Check]) -> Tuple[Entry, ...]:
    """Journal the checks, escalate what is wrong and new, and return what the SIEM is told. Raises JournalError."""
    journal, rows, before = responder.journal, [_row(check) for check in checks], known(responder)
    good, wrong = valid(checks), _wrong(rows)
    chain = f"v-{responder.now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    entries = [journal.append(chain, "validation", {"valid": good, "checks": rows, "title": title(checks)})]
    entries += [
        journal.append(chain, "check", {**row, "result": WORDS[row["ok"]]})
        for row in rows
        if row["ok"] is False or row["check"] not in before.results or before.results[row["check"]] != row["ok"]
    ]
    told, told_at = (before.told, before.told_at) if wrong else ((), None)
    if wrong and (told_at is None or list(told) != wrong or responder.now() - told_at >= AGAIN):
        escalate(responder, without_containment(journal, chain, None, None, _note(title(checks), rows)), chain)
        told, told_at = wrong, responder.now()
    state = {
        "results": {row["check"]: row["ok"] for row in rows},
        "told": told, "told_at": told_at.isoformat() if told_at else "",
        "carried": {**before.carried, **{check.name: check.carry for check in checks if check.carry is not None}},
    }  # fmt: skip
    journal.append(chain, "ended", {"valid": good}, [document(_PREFIX, responder.now(), state)])
    return tuple(entries)


def tell_unwritten(responder: Responder, checks: Sequence[Check], error: TourniquetError) -> Check:
    """People are told of a run that no journal took, each time: nobody can know what they were told before."""
    lost = Check("told", False, (f"the result could not be journaled, so the SIEM may lack it: {error}",))
    found = (*checks, lost)
    note = _note(title(found), [_row(check) for check in found])
    return Check(lost.name, False, (*lost.problems, *tell_people(responder.channels, note, responder.now())))


def tell_people(channels: Sequence[Channel], note: Note, at: datetime) -> Tuple[str, ...]:
    """Past the journal, which can't be used. A line for each channel that did not take it."""
    report = Report("", note.title, True, None, None, None, (), note.open_items, (), (), "", "", at)
    return tuple(f"people were not told by {name}: {why}" for name, why in send(channels, report, _SECONDS))


def title(checks: Sequence[Check]) -> str:
    """One line: what failed, or that nothing did."""
    failed = [check.name for check in checks if check.ok is False]
    return f"validation FAILED: {', '.join(failed)}" if failed else "validation: everything checked is sound"


def _note(words: str, rows: Sequence[Mapping[str, Any]]) -> Note:
    return Note(words, True, tuple(f"{row['check']}: {problem}" for row in rows for problem in row["problems"]))


def _wrong(rows: Sequence[Mapping[str, Any]]) -> List[List[Any]]:
    """What people are told; how much was looked at may change from run to run."""
    return [[row["check"], row["problems"]] for row in rows if row["ok"] is False]


def _row(check: Check) -> Dict[str, Any]:
    more = len(check.problems) - _SHOWN
    problems = [*check.problems[:_SHOWN], *((f"and {more} more",) if more > 0 else ())]
    return {"check": check.name, "ok": check.ok, "problems": [*problems, *check.to_do], "note": check.note}
