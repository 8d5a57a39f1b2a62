"""What the report says of each scene, worked out from what was seen. Pure. Seconds count from the alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

from responders.drill.cast import Promise, Scene
from responders.drill.search_clock import Found
from responders.drill.watcher import Way
from responders.drill.wording import Task, open_in_short, short
from responders.escalation.report import Report
from responders.model import Outcome, Reason

VENDORS = {"okta": "Okta", "entra": "Entra ID", "cyberark": "CyberArk", "vault": "Vault (OpenBao)", "aws": "AWS"}


@dataclass(frozen=True)
class StepLine:
    """One step: what, how it ended, when, and what was read back."""

    action: str
    status: str
    holds: bool
    seconds: float
    proof: str


@dataclass(frozen=True)
class WayLine:
    """One way in of the attacker. `last` and `refused` are seconds after the alert, below 0 before it, None: never."""

    name: str
    calls: int
    last: Optional[float]
    refused: Optional[float]


@dataclass(frozen=True)
class Lane:
    """One vendor in one scene. `proved` is None while a step does not hold."""

    vendor: str
    name: str
    steps: Tuple[StepLine, ...]
    ways: Tuple[WayLine, ...]
    proved: Optional[float]

    @property
    def last(self) -> Optional[float]:
        """The attacker's last successful call; None when there was none after the alert."""
        return max((way.last for way in self.ways if way.last is not None and way.last > 0), default=None)

    @property
    def refused(self) -> Optional[float]:
        """The attacker's first refused call at this vendor; None when nobody tried or nothing was refused."""
        return min((max(0.0, way.refused) for way in self.ways if way.refused is not None), default=None)

    @property
    def open_ways(self) -> Tuple[str, ...]:
        return tuple(way.name for way in self.ways if way.refused is None)


@dataclass(frozen=True)
class Sight:
    """One scene as the report shows it."""

    key: str
    title: str
    story: str
    data: Tuple[Tuple[str, str], ...]
    kept: bool
    promises: Tuple[Promise, ...]
    notes: Tuple[str, ...]
    found: Tuple[Found, ...]
    shown: Tuple[Found, ...]
    who: str
    owner: str
    tier: str
    done: str
    reasons: Tuple[Reason, ...]
    confidence: Optional[int]
    lanes: Tuple[Lane, ...]
    detect: Optional[float]
    contained: Optional[float]
    complete: bool
    told: Optional[float]
    refused: Optional[float]
    open: Tuple[str, ...]
    settled: bool
    next: Tuple[Task, ...]
    undo: str
    manual: Tuple[str, ...]
    residual: str
    started: float
    ended: float


def sight(scene: Scene, zero: float) -> Sight:
    """The scene's figures; `zero` is when the drill began."""
    report, since = scene.report, scene.alerted or scene.started
    lanes = _lanes(scene.outcomes, scene.ways, since)
    decision = report.decision if report else None
    held = [step.seconds for lane in lanes for step in lane.steps if step.holds]
    complete = bool(scene.outcomes) and all(outcome.status.holds for outcome in scene.outcomes)
    refusals = [lane.refused for lane in lanes if lane.refused is not None]
    return Sight(
        key=scene.key,
        title=scene.title,
        story=scene.story,
        data=scene.data,
        kept=scene.kept,
        promises=tuple(scene.seen),
        notes=tuple(scene.notes),
        found=tuple(scene.found),
        shown=tuple(scene.shown),
        who=short(decision.identity.id) if decision else "alice",
        owner=decision.identity.owner or "" if decision else "",
        tier=decision.tier.label if decision else "",
        done=scene.done or _done(scene, complete, lanes),
        reasons=decision.reasons if decision else (),
        confidence=decision.confidence if decision else None,
        lanes=lanes,
        detect=scene.found[-1].seconds if scene.found else None,
        contained=max(held, default=None),
        complete=complete,
        told=scene.told - since if scene.told else None,
        refused=min(refusals, default=None),
        open=open_in_short(report) if report else (),
        settled=_all_held(scene.settled),
        next=tuple(scene.next),
        undo=report.undo if report else "",
        manual=report.manual if report else (),
        residual=f"{report.residual_until:%H:%M}Z" if report and report.residual_until else "",
        started=scene.started - zero,
        ended=scene.ended - zero,
    )


def _all_held(report: Optional[Report]) -> bool:
    return report is not None and bool(report.outcomes) and all(outcome.status.holds for outcome in report.outcomes)


def _done(scene: Scene, complete: bool, lanes: Sequence[Lane]) -> str:
    """What was done, for somebody who reads one line."""
    if not scene.outcomes:
        return "Nothing was changed; people were told at once"
    where = ", ".join(VENDORS.get(lane.vendor, lane.vendor) for lane in lanes)
    tier = scene.report.decision.tier.label if scene.report and scene.report.decision else ""
    word = {"revoke": "Locked out", "restrict": "Restricted, not disabled"}.get(tier, "Watched")
    if complete:
        return f"{word} at {where}; every step proved"
    missing = ", ".join(lane.name for lane in lanes if lane.proved is None)
    later = "; finished and proved once it was back" if _all_held(scene.settled) else ""
    return f"{word} at {where}, except {missing}, which did not answer{later}"


def _lanes(outcomes: Sequence[Outcome], ways: Sequence[Way], since: float) -> Tuple[Lane, ...]:
    found: Dict[str, List[StepLine]] = {}
    for outcome in outcomes:
        seconds = max(0.0, outcome.at.timestamp() - since)
        line = StepLine(
            outcome.step.action.split(".")[1].replace("_", " "),
            outcome.status.value,
            outcome.status.holds,
            seconds,
            short(outcome.proof),
        )
        found.setdefault(outcome.step.account.vendor, []).append(line)
    lanes = []
    for vendor, steps in found.items():
        mine = tuple(_way(way, since) for way in ways if way.vendor == vendor)
        proved = max(step.seconds for step in steps) if all(step.holds for step in steps) else None
        lanes.append(Lane(vendor, VENDORS.get(vendor, vendor), tuple(steps), mine, proved))
    return tuple(lanes)


def _way(way: Way, since: float) -> WayLine:
    return WayLine(
        way.name.split(" ", 1)[1],
        way.calls,
        None if way.last_success is None else way.last_success - since,
        None if way.first_refusal is None else way.first_refusal - since,
    )
