"""The drill's report as one self-contained page, for a manager to read and for whoever must act next."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Sequence

from responders.drill import by_hand, timeline
from responders.drill.cast import Scene
from responders.drill.figures import sight
from responders.report_page import page


def write_report(path: Path, scenes: Sequence[Scene], findings: Sequence[str], seconds: float) -> Path:
    """Write the page; its path."""
    path.write_text(render(scenes, findings, seconds), encoding="utf-8")
    return path


def render(scenes: Sequence[Scene], findings: Sequence[str], seconds: float) -> str:
    """The page. Every text is escaped; it loads nothing, and its policy lets it load nothing."""
    end = max(scene.ended for scene in scenes)
    sights = [sight(scene, end - seconds) for scene in scenes]
    answered = [s for s in sights if s.complete and s.detect is not None and s.contained is not None]
    slowest = max(((s.detect or 0.0) + (s.contained or 0.0) for s in answered), default=0.0)
    return page(
        Path(__file__).with_name("report.html"),
        made=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}Z",
        seconds=seconds,
        scenes=sights,
        findings=findings,
        kept=sum(s.kept for s in sights),
        whole=timeline.of_drill(sights, seconds),
        drawings={s.key: timeline.of_scene(s) for s in sights},
        manual=by_hand,
        hand=timeline.of_manual(slowest / 60),
        slowest=slowest,
    )
