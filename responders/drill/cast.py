"""Who plays in the drill, and what every scene does: begin, detect, contain, say what was seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Tuple

from responders import pipeline
from responders.containment.responder import Responder
from responders.content.loader import load_detections
from responders.drill.events import as_list
from responders.drill.openbao import OpenBao
from responders.drill.search_clock import Found, search
from responders.drill.watcher import Way
from responders.drill.world import Person, World
from responders.escalation.report import Report
from responders.inventory.files import accounts_rows
from responders.inventory.resolve import Inventory

Tell = Callable[[str, str], None]
"""Takes a kind (scene, event, detect, contain, prove, open, good, bad) and a line."""


@dataclass
class Scene:
    """One scene: what was promised, what was seen. `kept` is False when it was not. Times are time.time()."""

    key: str
    title: str
    data: str
    found: Optional[Found] = None
    report: Optional[Report] = None
    ways: List[Way] = field(default_factory=list)
    seen: List[str] = field(default_factory=list)
    kept: bool = True
    started: float = 0.0
    ended: float = 0.0
    alerted: Optional[float] = None


@dataclass
class Cast:
    """Everybody in it, the responder, and the journal of scenes."""

    world: World
    bao: OpenBao
    responder: Responder
    inventory: Inventory
    people: Dict[str, Person]
    tell: Tell
    scenes: List[Scene] = field(default_factory=list)

    def check(self, scene: Scene, promise: str, kept: bool) -> None:
        """Say whether a promise was kept."""
        scene.seen.append(("kept: " if kept else "NOT KEPT: ") + promise)
        scene.kept = scene.kept and kept
        self.tell("good" if kept else "bad", promise)


def begin(cast: Cast, key: str, title: str, data: str) -> Scene:
    scene = Scene(key, title, data)
    cast.scenes.append(scene)
    cast.tell("scene", f"({key}) {title}   [{data}]")
    return scene


def detect(cast: Cast, scene: Scene, events: List[Tuple[str, Any]], slug: str) -> Found:
    """Run the whole bundle over the events on the simulated clock, and take the finding of one detection."""
    found = search(load_detections(), events, accounts=accounts_rows(cast.inventory), only=slug)
    if not found:
        raise RuntimeError(f"the drill's {slug} did not fire: run `tourniquet detections test`")
    scene.found = found[0]
    row = found[0].hit.row
    cast.tell(
        "detect",
        f"{slug} at {row['tq_confidence']}: {row['tq_identity']}, {found[0].seconds:.0f} s after the completing event "
        "(simulated one-minute clock)",
    )
    return found[0]


def contain_found(cast: Cast, scene: Scene, found: Found, more: Tuple[str, ...] = ()) -> Report:
    row = dict(found.hit.row)
    row["tq_evidence"] = [*as_list(row.get("tq_evidence")), *more]
    started = scene.alerted = time.time()
    report = pipeline.contain(row, cast.responder)
    scene.report = report
    held = sum(outcome.status.holds for outcome in report.outcomes)
    tier = report.decision.tier.label if report.decision else "none"
    cast.tell("contain", f"tier {tier}: {held} of {len(report.outcomes)} steps proved in {time.time() - started:.2f} s")
    for outcome in report.outcomes:
        mark = "✓" if outcome.status.holds else "✗"
        cast.tell("prove", f"{mark} {outcome.step.action}: {outcome.proof}")
    for item in report.open_items:
        cast.tell("open", item)
    return report
