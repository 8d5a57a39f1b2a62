"""Play the whole path on this machine: detect, decide, contain, prove, report. No SIEM, no vendor account."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from rich.text import Text

from responders.drill.html import write_report
from responders.drill.story import play
from responders.surfaces.command_line import show

_STYLE = {
    "scene": "bold cyan",
    "detect": "magenta",
    "contain": "bold",
    "prove": "dim",
    "open": "yellow",
    "good": "green",
    "bad": "bold red",
}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", metavar="FOLDER", default="drill-report", help="default: drill-report")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    started = time.time()
    folder = Path(options.output).resolve()
    if (folder / "journal.db").exists():
        shutil.rmtree(folder)  # an earlier drill's, recognised by its journal
    folder.mkdir(parents=True, exist_ok=True)

    def tell(kind: str, line: str) -> None:
        if options.json:
            show.as_json({"at": round(time.time() - started, 3), "kind": kind, "line": line})
            return
        mark = {"good": "✓ ", "bad": "✗ NOT KEPT: ", "open": "! "}.get(kind, "")
        indent = "" if kind == "scene" else "   "
        show.OUT.print(Text(f"{time.time() - started:6.2f}s {indent}{mark}{line}", style=_STYLE.get(kind, "")))

    scenes, findings, journal = play(folder, tell)
    seconds = time.time() - started
    page = write_report(folder / "report.html", scenes, findings, seconds)
    for finding in findings:
        tell("bad", finding)
    kept = all(scene.kept for scene in scenes) and not findings
    tell("good" if kept else "bad", f"{sum(s.kept for s in scenes)} of {len(scenes)} scenes kept, in {seconds:.1f} s")
    if not options.json:
        show.OUT.print(f"report: {page}\njournal: {journal}", markup=False)
    return 0 if kept else 1
