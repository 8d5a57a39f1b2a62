"""Raw vendor events from JSON lines."""

from __future__ import annotations

import json
from typing import Any, Iterable, Iterator, Tuple

from responders.content.forms import SOURCETYPES
from responders.content.unwrap import unwrap
from responders.errors import BadInput


def read_events(lines: Iterable[str], source: str, name: str) -> Iterator[Tuple[str, Any]]:
    """(source, event) of each line. With source `auto` each line says its own: {"source": …, "event": {…}}.

    What an event comes wrapped in (unwrap.py) is taken off, and an envelope of several gives each.

    A line that is a text in quotes is taken as a raw line (CyberArk's CEF). Raises BadInput with file:line.
    """
    if source != "auto" and source not in SOURCETYPES:
        raise _bad(name, f"unknown source {source!r}", f"use auto or one of {', '.join(sorted(SOURCETYPES))}")
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text:
            continue
        place = f"{name}:{number}"
        if source == "cyberark" and not text.startswith(("{", '"')):
            yield source, text
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _bad(place, f"not JSON: {error}", "give one JSON object a line") from None
        own = source
        if source == "auto":
            named = value.get("source") if isinstance(value, dict) else None
            if not isinstance(named, str) or named not in SOURCETYPES:
                raise _bad(place, f"unknown source {named!r}", f"set source to one of {', '.join(sorted(SOURCETYPES))}")
            own = named
            rest = {key: item for key, item in value.items() if key != "source"}
            value = rest["event"] if set(rest) == {"event"} else rest
        for event in unwrap(own, value):
            if not isinstance(event, dict) and not (own == "cyberark" and isinstance(event, str)):
                raise _bad(place, "no JSON object", "give one event a line")
            yield own, event


def _bad(place: str, what: str, remedy: str) -> BadInput:
    return BadInput(what, place=place, remedy=remedy)
