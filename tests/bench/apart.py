"""Parts of the bench that are commands of their own: backtest and inventory sync, each a long computation in a process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Dict

SECONDS = 1200.0
"""The most that one of them may take, whatever the machine."""


def backtest(alerts: int) -> Dict[str, Any]:
    """What `python -m tests.bench.backtest` measured. Raises RuntimeError."""
    found: Dict[str, Any] = json.loads(_run("backtest", str(alerts)))
    return found


def inventory(people: int) -> Dict[str, Dict[str, Any]]:
    """What `python -m tests.bench.inventory` measured, by step. Raises RuntimeError."""
    lines = (line.partition(": ") for line in _run("inventory", "--people", str(people)).splitlines())
    return {step: json.loads(found) for step, _, found in lines}


def _run(name: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"tests.bench.{name}", *arguments]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{name} did not end within {SECONDS:.0f} s") from None
    if not made.stdout:  # a missed goal is an exit code too, and a figure
        raise RuntimeError(made.stderr[-2000:])
    return made.stdout
