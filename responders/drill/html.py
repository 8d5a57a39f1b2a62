"""The drill's report as one self-contained page, for a manager to read."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Sequence

import jinja2

from responders.drill.cast import Scene
from responders.model import Status

_TEMPLATE = Path(__file__).with_name("report.html")
MANUAL = (
    ("the hourly search that would have found it runs", 60),
    ("an analyst opens the alert", 15),
    ("the accounts at four vendors are looked up by hand", 20),
    ("a manager agrees to the disable", 20),
    ("four consoles, one after another", 25),
)
"""What a manual response looks like by the clock: minutes, assumed, and labelled so."""


def write_report(path: Path, scenes: Sequence[Scene], findings: Sequence[str], seconds: float) -> Path:
    """Write the page; its path."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    start = min(scene.started for scene in scenes)
    page = template.render(
        made=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}Z",
        seconds=seconds,
        scenes=[_scene(scene, start, seconds) for scene in scenes],
        findings=findings,
        kept=sum(scene.kept for scene in scenes),
        manual=MANUAL,
        manual_total=sum(minutes for _, minutes in MANUAL),
    )
    path.write_text(page, encoding="utf-8")
    return path


def _scene(scene: Scene, start: float, total: float) -> Dict[str, Any]:
    report = scene.report
    outcomes = report.outcomes if report else ()
    ways = [way for way in scene.ways if way.last_success is not None]
    cut = [way.first_refusal for way in ways if way.first_refusal is not None]
    last = max((o.at.timestamp() for o in outcomes if o.status.holds), default=None)
    begun = scene.alerted or scene.started
    return {
        "key": scene.key,
        "title": scene.title,
        "data": scene.data,
        "kept": scene.kept,
        "seen": scene.seen,
        "left": 100 * (scene.started - start) / max(total, 0.1),
        "width": max(0.6, 100 * (scene.ended - scene.started) / max(total, 0.1)),
        "detection": scene.found.hit.detection.name if scene.found else "",
        "confidence": scene.found.hit.row.get("tq_confidence") if scene.found else "",
        "to_detect": scene.found.seconds if scene.found else None,
        "to_contain": None if last is None else max(0.0, last - begun),
        "complete": bool(outcomes) and all(o.status.holds for o in outcomes),
        "to_refusal": None if not cut else max(0.0, min(cut) - begun),
        "last_access": max((max(0.0, (way.last_success or 0) - begun) for way in ways), default=None) if cut else None,
        "marks": _marks(scene, start, total),
        "tier": report.decision.tier.label if report and report.decision else "",
        "identity": report.decision.identity.id if report and report.decision else "",
        "reasons": report.decision.reasons if report and report.decision else (),
        "vendors": _vendors(scene),
        "open": report.open_items if report else (),
        "undo": report.undo if report else "",
        "residual": report.residual_until if report else None,
    }


def _marks(scene: Scene, start: float, total: float) -> List[Dict[str, Any]]:
    """Marks on the timeline: the alert, each proof, the attacker's first refusal at each way in."""
    outcomes = scene.report.outcomes if scene.report else ()
    marks = [
        *([("alert", scene.alerted, "alert")] if scene.alerted else []),
        *(("proof", o.at.timestamp(), f"{o.step.action} proved") for o in outcomes if o.status.holds),
        *(("refused", w.first_refusal, f"attacker refused: {w.name}") for w in scene.ways if w.first_refusal is not None),
    ]
    inside = [(kind, at, text) for kind, at, text in marks if scene.started <= at <= scene.ended]
    return [{"kind": kind, "left": 100 * (at - start) / max(total, 0.1), "text": text} for kind, at, text in inside]


def _vendors(scene: Scene) -> List[Dict[str, Any]]:
    if scene.report is None:
        return []
    found: Dict[str, Dict[str, Any]] = {}
    for outcome in scene.report.outcomes:
        vendor = outcome.step.account.vendor
        entry = found.setdefault(vendor, {"name": vendor, "steps": [], "ways": []})
        entry["steps"].append(
            {
                "action": outcome.step.action,
                "status": outcome.status.value,
                "good": outcome.status in (Status.CONFIRMED, Status.ALREADY),
                "proof": outcome.proof,
                "at": f"{outcome.at:%H:%M:%S.%f}"[:-3],
            }
        )
    for way in scene.ways:
        if way.vendor in found:
            text = "still in" if way.first_refusal is None else f"refused at {_clock(way.first_refusal)}"
            found[way.vendor]["ways"].append({"name": way.name, "text": text, "calls": way.calls})
    return list(found.values())


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%H:%M:%S.%f}"[:-3]
