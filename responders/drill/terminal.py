"""The drill on a terminal: a live line while something runs, then the timeline. Marks say it, colours repeat it."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections import Counter
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from responders.codec import to_json
from responders.drill.stage import Update
from responders.drill.wording import short
from responders.model import Outcome
from responders.surfaces.command_line.show_report import MARKS

_WIDEST, _PIPED = 110, 100
_KINDS: Dict[str, Tuple[str, str, str]] = {
    "detect": ("●", "detected", "magenta"),
    "also": ("○", "also fired", "dim"),
    "contain": ("■", "contained", "bold"),
    "decide": ("■", "decided", "bold"),
    "told": ("→", "escalated", ""),
    "open": ("!", "open", "yellow"),
    "note": ("·", "note", "dim"),
    "good": ("✓", "kept", "green"),
    "bad": ("✗", "NOT KEPT", "bold red"),
}
"""Kind to mark, word and style."""
_ORIGIN = {"real": "green", "real-shaped": "cyan", "synthetic": "yellow"}


class Terminal:
    """For people. Without a terminal, or on a dumb one, it writes plain lines and no control codes."""

    def __init__(self, console: Optional[Console] = None) -> None:
        self.console = console or Console(highlight=False)
        wide = self.console.width if self.console.is_terminal else _PIPED
        self.console.width = min(wide, _WIDEST)
        self._started = time.time()
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def scene(self, key: str, title: str, data: Sequence[Sequence[str]]) -> None:
        self.console.print()
        self.console.rule(Text(f"({key}) {title}", style="bold cyan"), align="left", style="cyan")
        for origin, what in data:
            self._row("", Text(origin, style=_ORIGIN.get(origin, "")), Text(what, style="dim"))

    def tell(self, kind: str, line: str) -> None:
        mark, word, style = _KINDS[kind]
        self._row(self._clock(), Text(f"{mark} {word}", style=style), Text(line, style=style))

    def outcomes(self, outcomes: Sequence[Outcome], since: float) -> None:
        """One line a vendor: what was done, and when its last step was proved."""
        lanes: Dict[str, List[Outcome]] = {}
        for outcome in outcomes:
            lanes.setdefault(outcome.step.account.vendor, []).append(outcome)
        for vendor, its in lanes.items():
            parts = [Text.assemble(MARKS[o.status], f" {_verb(o)}") for o in its]
            proved = [outcome.at.timestamp() - since for outcome in its if outcome.status.holds]
            done = f"proved {max(0.0, max(proved)):.2f} s" if len(proved) == len(its) else "NOT proved"
            for place, line in enumerate(_packed([*parts, Text.assemble((done, "dim"))], self.console.width - 22)):
                self._row("", Text("" if place else f"  {vendor}"), line)

    @contextlib.contextmanager
    def busy(self, text: str) -> Iterator[Update]:
        """A line that lives as long as the work: what, how far, calls per vendor, seconds."""
        state = {"at": ""}
        with self._lock:
            self._calls.clear()
        begun = time.time()

        def line() -> Text:
            with self._lock:
                calls = "  ".join(f"{vendor} {count}" for vendor, count in sorted(self._calls.items()))
            parts = [text, state["at"], f"calls: {calls}" if calls else "", f"{time.time() - begun:.1f} s"]
            return Text(" · ".join(part for part in parts if part), style="cyan", no_wrap=True, overflow="ellipsis")

        if not self.console.is_terminal or self.console.is_dumb_terminal:
            yield lambda where: None
            return
        spinner = Spinner("dots", style="cyan")
        with Live(
            console=self.console, transient=True, refresh_per_second=8, get_renderable=lambda: _beside(spinner, line())
        ):
            yield lambda where: state.update(at=where)

    def call(self, when: str, vendor: str, method: str, name: str) -> None:
        if when == "before":
            with self._lock:
                self._calls[vendor] += 1

    def say(self, line: str) -> None:
        self.console.print(line, markup=False, soft_wrap=True)

    def _clock(self) -> str:
        return f"{time.time() - self._started:5.1f}s"

    def _row(self, clock: str, label: Text, text: Text) -> None:
        grid = Table.grid(padding=(0, 1), expand=False)
        grid.add_column(width=6, justify="right", style="dim")
        grid.add_column(width=12, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(clock, label, text)
        self.console.print(grid)


def _verb(outcome: Outcome) -> str:
    return outcome.step.action.split(".")[1].replace("_", " ")


def _packed(parts: Sequence[Text], width: int) -> List[Text]:
    """Lines that hold as many parts as fit, none broken in two."""
    lines: List[Text] = []
    for part in parts:
        if lines and lines[-1].cell_len + 3 + part.cell_len <= width:
            lines[-1].append("   ").append_text(part)
        else:
            lines.append(part.copy())
    return lines


def _beside(spinner: Spinner, line: Text) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(spinner, line)
    return grid


class Lines:
    """For machines: one JSON object a line. Kinds besides the stage's: scene, step."""

    def __init__(self) -> None:
        self._started, self._scene = time.time(), ""

    def scene(self, key: str, title: str, data: Sequence[Sequence[str]]) -> None:
        self._scene = key
        self.put("scene", title=title, data=[{"origin": origin, "what": what} for origin, what in data])

    def tell(self, kind: str, line: str) -> None:
        self.put(kind, line=line)

    def outcomes(self, outcomes: Sequence[Outcome], since: float) -> None:
        for outcome in outcomes:
            self.put(
                "step",
                action=outcome.step.action,
                account=outcome.step.account.key,
                status=outcome.status.value,
                proof=short(outcome.proof),
                seconds=round(outcome.at.timestamp() - since, 3),
            )

    @contextlib.contextmanager
    def busy(self, text: str) -> Iterator[Update]:
        yield lambda where: None

    def call(self, when: str, vendor: str, method: str, name: str) -> None:
        pass

    def put(self, kind: str, **more: Any) -> None:
        row = {"at": round(time.time() - self._started, 3), "kind": kind, "scene": self._scene, **to_json(more)}
        sys.stdout.write(json.dumps(row, sort_keys=True) + "\n")
        sys.stdout.flush()
