"""Play the whole path on this machine: detect, decide, contain, prove, report. No SIEM, no vendor account."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import Union

from responders.drill.html import write_report
from responders.drill.story import play
from responders.drill.terminal import Lines, Terminal
from responders.surfaces.command_line import show


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", metavar="FOLDER", default="drill-report", help="default: drill-report")
    show.add_common(parser, settings=False)


def run(options: argparse.Namespace) -> int:
    started = time.time()
    folder = Path(options.output).resolve()
    if (folder / "journal.db").exists():
        shutil.rmtree(folder)  # an earlier drill's, recognised by its journal
    folder.mkdir(parents=True, exist_ok=True)
    stage: Union[Lines, Terminal] = Lines() if options.json else Terminal()
    scenes, findings, journal = play(folder, stage)
    seconds = time.time() - started
    page = write_report(folder / "report.html", scenes, findings, seconds)
    kept = sum(scene.kept for scene in scenes)
    good = kept == len(scenes) and not findings
    whole = "the journal verifies clean" if not findings else "the journal is BROKEN"
    if isinstance(stage, Lines):
        stage.put("result", kept=kept, scenes=len(scenes), good=good, findings=findings, seconds=round(seconds, 1),
                  report=str(page), journal=str(journal))  # fmt: skip
        return 0 if good else 1
    stage.say("")
    for finding in findings:
        stage.tell("bad", finding)
    stage.tell("good" if good else "bad", f"{kept} of {len(scenes)} scenes as promised in {seconds:.1f} s; {whole}")
    stage.say("Recheck delays were shortened: what is due after 10 s is done at once.")
    stage.say(f"report   {page}\njournal  {journal}")
    return 0 if good else 1
