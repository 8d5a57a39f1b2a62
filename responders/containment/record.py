"""What the journal knows of one containment, read back from its chain: enough to resume, recheck and restore it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.alerts.canary import DETECTION, SOURCE
from responders.codec import from_json, to_json
from responders.errors import Refused
from responders.journal.chain import Entry, Journal
from responders.model import Alert, Outcome, Phase, Plan, State, Status, Step, containment_id

_AT_ONCE = 32


@dataclass
class Record:
    """One containment as its chain tells it.

    `before` is each step's pre-state, the first one recorded in the generation; `outcomes` the latest of each step;
    `left` the steps that were put back as often as they may be: they wait for a person, or for a new alert.
    """

    containment: str
    entries: List[Entry] = field(default_factory=list)
    plan: Optional[Plan] = None
    alerts: List[Alert] = field(default_factory=list)
    before: Dict[str, State] = field(default_factory=dict)
    steps: Dict[str, Step] = field(default_factory=dict)
    outcomes: Dict[str, Outcome] = field(default_factory=dict)
    put_back: int = 0
    left: FrozenSet[str] = frozenset()
    restoring: Optional[Entry] = None
    ended: Optional[Entry] = None

    @property
    def last(self) -> int:
        """Place in the chain of the last entry that is known, -1 when there is none."""
        return self.entries[-1].seq if self.entries else -1

    @property
    def open(self) -> bool:
        return self.ended is None

    @property
    def opened_at(self) -> Optional[datetime]:
        return self.entries[0].at if self.entries else None

    @property
    def contained_at(self) -> Optional[datetime]:
        """When the last step that now holds was first confirmed; None while any step does not hold."""
        if not self.outcomes or not all(outcome.status.holds for outcome in self.outcomes.values()):
            return None
        return max(outcome.at for outcome in self.outcomes.values())

    @property
    def going_on(self) -> bool:
        """True while nobody ended it, or began to."""
        return self.open and self.restoring is None

    def due_steps(self) -> Tuple[Step, ...]:
        """Steps that do not hold yet, are not refused and not left to a person: to be done again."""
        keep = (Status.FAILED, Status.UNKNOWN, Status.ACCEPTED)
        return tuple(
            step
            for step in self.steps.values()
            if step.id not in self.left and (step.id not in self.outcomes or self.outcomes[step.id].status in keep)
        )


def with_blocks(record: Record, steps: Sequence[Step]) -> Tuple[Step, ...]:
    """The steps, after the blocks of their accounts: a step that could hand over waits for a block confirmed with it."""
    accounts = {step.account for step in steps}
    known = record.steps.values()
    blocks = [s for s in known if s.phase is Phase.BLOCK and s.account in accounts and s.id not in record.left]
    return tuple({step.id: step for step in (*blocks, *steps)}.values())


def is_drill(record: Record) -> bool:
    """True for a containment that a canary drill opened and nothing else joined: no detection, no person."""
    mine = [alert.detection == DETECTION and alert.source != "click" for alert in record.alerts]
    return bool(mine) and all(mine) and record.alerts[0].source == SOURCE


def load(journal: Journal, containment: str) -> Record:
    """Read a containment. Raises Refused when there is none of that id, Tampered when its chain does not fit."""
    record = Record(containment)
    for entry in journal.entries(containment):
        record.entries.append(entry)
        _take(record, entry)
    if not record.entries:
        raise Refused(f"there is no containment {containment}. `tourniquet status` lists them")
    return record


def load_all(journal: Journal, containments: Sequence[str]) -> Iterator[Record]:
    """Read many containments; one that is only just beginning has no plan yet, and is left out."""
    for start in range(0, len(containments), _AT_ONCE):
        for containment, entries in journal.tails(dict.fromkeys(containments[start : start + _AT_ONCE], -1)).items():
            if entries:
                yield followed(Record(containment), entries)


def follow(journal: Journal, record: Record) -> Record:
    """The record, with what came since it was read."""
    return followed(record, journal.tails({record.containment: record.last})[record.containment])


def followed(record: Record, entries: Sequence[Entry]) -> Record:
    """The record with these entries, which come next in its chain."""
    found = replace(
        record, entries=[*record.entries, *entries], alerts=[*record.alerts], before={**record.before},
        steps={**record.steps}, outcomes={**record.outcomes},
    )  # fmt: skip
    for entry in entries:
        _take(found, entry)
    return found


def _take_end(record: Record, entry: Entry) -> None:
    if entry.kind == "restoring":
        record.restoring = entry
    elif entry.kind in ("restored", "closed"):
        record.ended = entry
    elif entry.kind == "plan" and record.restoring is not None and entry.body.get("over") == record.restoring.seq:
        # A newer alert came while a restore was half-way. A plan that did not know of the restore never lifts it.
        record.restoring = None


def _take(record: Record, entry: Entry) -> None:
    body = entry.body
    _take_end(record, entry)
    if entry.kind == "plan":
        record.left = frozenset()
        record.plan = from_json(Plan, body["plan"])
        record.alerts.append(from_json(Alert, body["alert"]))
        for step in record.plan.steps:
            record.steps.setdefault(step.id, step)
    elif entry.kind == "intent":
        for step_id, state in body["before"].items():
            record.before.setdefault(step_id, from_json(State, state))
    elif entry.kind == "outcome":
        for item in body["outcomes"]:
            outcome = from_json(Outcome, item)
            record.outcomes[outcome.step.id] = outcome
    elif entry.kind == "put back":
        record.put_back += 1
    elif entry.kind == "left to a person":
        record.left |= frozenset(body["steps"])


def latest(journal: Journal, identity: str) -> Optional[Tuple[int, Record]]:
    """The last generation of an identity, None when it never was contained."""
    last, beyond = 0, 1
    while journal.head(containment_id(identity, beyond)) is not None:
        last, beyond = beyond, 2 * beyond
    while beyond - last > 1:  # generations have no gap, and a canary has thousands
        middle = (last + beyond) // 2
        there = journal.head(containment_id(identity, middle)) is not None
        last, beyond = (middle, beyond) if there else (last, middle)
    return (last, load(journal, containment_id(identity, last))) if last else None


def all_containments(journal: Journal) -> Iterator[Tuple[str, Mapping[str, str]]]:
    """(containment id, {identity, generation}) of every containment, in the order in which they were opened."""
    for _, doc in journal.side("open/"):
        yield str(doc["containment"]), {"identity": str(doc["identity"]), "generation": str(doc["generation"])}


def write_intent(journal: Journal, containment: str, states: Mapping[str, State]) -> None:
    """Record what is about to be changed, with the state before: the write ahead of every change."""
    journal.append_joined(containment, "intent", {"before": {step: to_json(state) for step, state in states.items()}})


def write_outcomes(journal: Journal, containment: str, outcomes: Tuple[Outcome, ...]) -> None:
    """Record what became of steps; lanes that end at one time share an entry."""
    if outcomes:
        journal.append_joined(containment, "outcome", {"outcomes": [to_json(outcome) for outcome in outcomes]})
