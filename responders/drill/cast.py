"""Who plays in the drill, and what every scene does: begin, detect, contain, say what was seen."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from responders import pipeline
from responders.containment.compose import of_containment
from responders.containment.record import load
from responders.containment.responder import Responder
from responders.content.detection import Detection
from responders.drill.events import as_list
from responders.drill.openbao import OpenBao
from responders.drill.search_clock import Found, search
from responders.drill.stage import Stage
from responders.drill.watcher import Way
from responders.drill.wording import Task, open_in_short, short
from responders.drill.world import Person, World
from responders.escalation.report import Report
from responders.inventory.files import accounts_rows
from responders.inventory.resolve import Inventory
from responders.model import Outcome

REAL, SHAPED, SYNTHETIC = "real", "real-shaped", "synthetic"
Events = List[Tuple[str, Any]]


@dataclass(frozen=True)
class Promise:
    """What a scene promised, and whether it was seen to be so."""

    text: str
    kept: bool


@dataclass
class Scene:
    """One scene: what happened, what was promised, what was seen. Times are time.time().

    `data` says of each part whether it is real, real-shaped or synthetic. `shown` are findings that nobody acted on.
    `outcomes` are what the timeline draws: the first containment's, a recheck's or a restore's.
    """

    key: str
    title: str
    story: str
    data: Tuple[Tuple[str, str], ...]
    found: List[Found] = field(default_factory=list)
    shown: List[Found] = field(default_factory=list)
    report: Optional[Report] = None
    settled: Optional[Report] = None
    """The same report as it stood when the scene ended, None when nothing changed."""
    outcomes: Tuple[Outcome, ...] = ()
    ways: List[Way] = field(default_factory=list)
    seen: List[Promise] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)
    next: List[Task] = field(default_factory=list)
    done: str = ""
    """What was done, where the report does not say it."""
    started: float = 0.0
    ended: float = 0.0
    alerted: Optional[float] = None
    told: Optional[float] = None
    """When the escalation was out."""

    @property
    def kept(self) -> bool:
        return bool(self.seen) and all(promise.kept for promise in self.seen)


@dataclass
class Cast:
    """Everybody in it, the responder, and the journal of scenes."""

    world: World
    bao: OpenBao
    responder: Responder
    inventory: Inventory
    people: Dict[str, Person]
    stage: Stage
    detections: Sequence[Detection]
    scenes: List[Scene] = field(default_factory=list)
    findings: Set[str] = field(default_factory=set)

    def check(self, scene: Scene, promise: str, kept: bool) -> None:
        """Say whether a promise was kept."""
        scene.seen.append(Promise(promise, kept))
        self.stage.tell("good" if kept else "bad", promise)

    def note(self, scene: Scene, text: str) -> None:
        """Say something that belongs to the scene and is no promise."""
        scene.notes.append(text)
        self.stage.tell("note", text)

    def signals(self, identity: str) -> Events:
        """What the responder itself wrote for the SIEM of one identity's alerts."""
        return self._written("signal", "signals.jsonl", identity)

    def standing(self, identity: str) -> Events:
        """What it wrote of its containment: since when each account is contained."""
        return self._written("journal", "journal.jsonl", identity)

    def _written(self, source: str, name: str, identity: str) -> Events:
        path = self.world.folder / "signals" / name
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        return [(source, row) for row in rows if row["tq_identity"] == identity]

    def settle(self, scene: Scene, containment: str) -> Report:
        """The containment's report as the journal has it now."""
        scene.settled = of_containment(self.responder.journal, load(self.responder.journal, containment), ())
        return scene.settled


def begin(cast: Cast, key: str, title: str, story: str, *data: Tuple[str, str]) -> Scene:
    scene = Scene(key, title, story, data, started=time.time())
    cast.scenes.append(scene)
    cast.stage.scene(key, title, data)
    return scene


def stream(cast: Cast, events: Events) -> List[Found]:
    """Every finding of every search over the events, on the simulated one-minute clock."""
    with cast.stage.busy(f"{len(cast.detections)} searches over {len(events)} events") as update:
        rows = accounts_rows(cast.inventory)
        return search(cast.detections, events, accounts=rows, tick=lambda n, of: update(f"simulated minute {n} of {of}"))


def detect(cast: Cast, scene: Scene, events: Events, slug: str, identity: str) -> Found:
    """Stream the events, take the finding of one detection on one identity, and show everything else that fired.

    A finding that an earlier scene had is not shown again: the responder acts once per finding.
    """
    found = stream(cast, events)
    chosen = next((item for item in found if item.slug == slug and item.identity == identity), None)
    if chosen is None:
        raise RuntimeError(f"the drill's {slug} did not fire: run `tourniquet detections test`")
    scene.found.append(chosen)
    cast.stage.tell(
        "detect",
        f"{slug} at confidence {chosen.confidence}: {identity}, {chosen.seconds:.0f} s after the completing event "
        f"(simulated clock; {len(cast.detections)} searches, {len(events)} events)",
    )
    others: Dict[str, List[str]] = {}
    for item in found:
        finding = str(item.hit.row.get("tq_finding"))
        if item is not chosen and finding not in cast.findings:
            scene.shown.append(item)
            names = others.setdefault(item.slug, [])
            names.extend(name for name in [short(item.identity)] if name not in names)
        cast.findings.add(finding)
    for slug, names in others.items():
        cast.stage.tell("also", f"{slug}, shown and not acted on: {', '.join(names)}")
    return chosen


def contain_found(cast: Cast, scene: Scene, found: Found, more: Tuple[str, ...] = ()) -> Report:
    """Hand the finding to the pipeline, as the SIEM would; `more` is evidence that the inventory's owner adds."""
    row = dict(found.hit.row)
    row["tq_evidence"] = [*as_list(row.get("tq_evidence")), *more]
    with cast.stage.busy(f"containing {found.identity}"):
        started = scene.alerted = time.time()
        report = pipeline.contain(row, cast.responder)
        scene.told = time.time()
    scene.report, scene.outcomes = report, report.outcomes
    held = sum(outcome.status.holds for outcome in report.outcomes)
    tier = report.decision.tier.label if report.decision else "none"
    if report.outcomes:
        last = max(outcome.at.timestamp() for outcome in report.outcomes if outcome.status.holds)
        line = f"{held} of {len(report.outcomes)} steps proved, the last {max(0.0, last - started):.2f} s after the alert"
    else:
        line = "no step: nothing is changed at any vendor"
    cast.stage.tell("contain" if report.outcomes else "decide", f"tier {tier}: {line}")
    cast.stage.outcomes(report.outcomes, started)
    for item in open_in_short(report):
        cast.stage.tell("open", item)
    cast.stage.tell("told", f"people were told {scene.told - started:.2f} s after the alert")
    return report
