"""Who uses what, from a file of a vendor's own events, one a line: by the question for Splunk, run here by its evaluator.

Some thousand events at a time, so that a file of any length needs little memory. For a large log of Vault's audit device
`vault_audit` is faster, and goes on where it was.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, List

from responders.content.forms import to_splunk
from responders.content.spl import Context, parse, run
from responders.content.usage import Question
from responders.errors import BadInput
from responders.inventory.sync.usage import Usage, added, usage_of

_AT_ONCE = 5000
_LINE = 1024 * 1024


@dataclass
class Lines:
    """How many lines were read, and how many of them were no event."""

    read: int = 0
    bad: int = 0


def from_events(path: Path, question: Question, lines: Lines) -> Iterator[Usage]:
    """What the events of a file (gzipped or not) show. Raises BadInput when it can't be read."""
    search = parse(question.spl)
    (source, *_) = question.events

    def parts() -> Iterator[Usage]:
        for events in _parts(path, lines):
            # The time of each counts: a file has no time at which it came to a SIEM.
            rows = [to_splunk(source, event, 0.0) for event in events]
            found = run(search, [{**row, "_indextime": row["_time"]} for row in rows], Context({}, {}, 0.0))
            yield from (use for use in map(usage_of, found) if use is not None)

    yield from added(parts())


def _parts(path: Path, lines: Lines) -> Iterator[List[Any]]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            events: List[Any] = []
            for line in iter(lambda: file.readline(_LINE), b""):
                if not line.strip():
                    continue
                lines.read += 1
                event = _event(line)
                if event is None:
                    lines.bad += 1
                    continue
                events.append(event)
                if len(events) == _AT_ONCE:
                    yield events
                    events = []
            yield events
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadInput(f"{why}", place=str(path), remedy="name a file of a vendor's events, one a line") from None


def _event(line: bytes) -> Any:
    """A JSON object, or a line of CEF; None for anything else."""
    text = line.decode("utf-8", "replace").strip()
    if "CEF:" in text[:300] and not text.startswith("{"):
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
