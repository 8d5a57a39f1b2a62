"""Raw alerts from a file or stdin, and the responder that handles them."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, List, Mapping

from responders.containment.responder import Responder
from responders.errors import BadAlert
from responders.inventory.files import read_inventory
from responders.surfaces.assemble import open_responder, settings_path

MAX_INPUT = 64 * 1024 * 1024


def responder_of(options: argparse.Namespace) -> Responder:
    """The responder that --settings names."""
    return open_responder(options.settings or settings_path(), read_inventory=read_inventory)


def rows(path: str) -> List[Mapping[str, Any]]:
    """Raw alerts, one JSON object a line ("-" reads stdin). What can't be read becomes a raw alert of its own.

    Nothing is dropped: a broken line is kept as `{"unreadable": line}` for the journal to hold and escalate.
    Raises BadAlert for a file that can't be opened or is empty.
    """
    try:
        if path == "-":
            text = sys.stdin.read(MAX_INPUT)
        else:
            with open(path, encoding="utf-8", errors="replace") as handle:
                text = handle.read(MAX_INPUT)
    except OSError as error:
        raise BadAlert(f"{error.strerror}", place=path, remedy="name a file with one alert a line") from None
    found: List[Mapping[str, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        found.append(value if isinstance(value, dict) else {"unreadable": line[:65536], "place": f"{path}:{number}"})
    if not found:
        raise BadAlert("holds no alert", place=path, remedy="give one JSON object a line")
    return found


def strongest_first(found: List[Mapping[str, Any]]) -> List[Mapping[str, Any]]:
    """By confidence, the highest first: decoys must not use up the blast radius. Unreadable ones come last."""
    return sorted(found, key=_confidence, reverse=True)


def _confidence(row: Mapping[str, Any]) -> float:
    try:
        return float(str(row.get("tq_confidence")))
    except ValueError:
        return -1.0
