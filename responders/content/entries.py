"""The events of an example: written out, from a file of real ones, or like a named one with a few things changed."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Mapping, Tuple, Union

from responders.content.forms import TIMES


def expand_entry(entry: Mapping[str, Any], given: Mapping[str, Any], samples: Path) -> List[Tuple[str, Any]]:
    """The (source, event) pairs that one entry of an example stands for.

    `{source, event}` is an event; `{source, file}` those of a file below `samples`; `{like: NAME}` a copy of the event that
    the detection's `given` has under NAME. Of each, `at` sets the time, `set` gives values to dotted names (a number is a
    place in a list), `unset` takes names away; `times` makes that many, `every` seconds apart, with -0, -1 … behind the
    values that `vary` names. Raises KeyError, IndexError, TypeError or ValueError for what does not fit, OSError for a file.
    """
    if "file" in entry:
        read = json.loads((samples / entry["file"]).read_text(encoding="utf-8"))
        found = [(str(entry["source"]), event) for event in (read if isinstance(read, list) else [read])]
    elif "like" in entry:
        model = given[entry["like"]]
        found = [(str(model["source"]), model["event"])]
    else:
        found = [(str(entry["source"]), entry["event"])]
    return [made for source, event in found for made in _copies(entry, source, event)]


def _copies(entry: Mapping[str, Any], source: str, event: Any) -> List[Tuple[str, Any]]:
    made: List[Tuple[str, Any]] = []
    for number in range(int(entry.get("times", 1))):
        copied = copy.deepcopy(event)
        for name in entry.get("unset") or ():
            _drop(copied, name)
        for name, value in (entry.get("set") or {}).items():
            put(copied, name, copy.deepcopy(value))
        if "at" in entry:
            later = timedelta(seconds=number * float(entry.get("every", 0)))
            _set_time(copied, source, (_moment(str(entry["at"])) + later))
        for name in entry.get("vary") or ():
            put(copied, name, f"{get(copied, name)}-{number}")
        made.append((source, copied))
    return made


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)


def _set_time(event: Any, source: str, at: datetime) -> None:
    """Every time field of the source that the event has already, in the form ISO 8601 with milliseconds."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    inner = event["syslog"]["audit_record"] if source == "cyberark" and "syslog" in event else event
    present = [name for name in TIMES[source] if name in inner]
    for name in present or TIMES[source][:1]:
        inner[name] = stamp


def get(event: Any, name: str) -> Any:
    """The value at a dotted name. Raises KeyError, IndexError or TypeError."""
    for part in name.split("."):
        event = event[_key(event, part)]
    return event


def put(event: Any, name: str, value: Any) -> None:
    """Set the value at a dotted name; objects on the way are made where they are missing."""
    *parents, last = name.split(".")
    for part in parents:
        event = event.setdefault(part, {}) if isinstance(event, dict) else event[int(part)]
    event[_key(event, last)] = value


def _drop(event: Any, name: str) -> None:
    *parents, last = name.split(".")
    holder: Union[Dict[str, Any], List[Any]] = get(event, ".".join(parents)) if parents else event
    del holder[_key(holder, last)]


def _key(holder: Any, part: str) -> Any:
    return int(part) if isinstance(holder, list) else part
