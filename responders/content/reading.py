"""Raw vendor events from JSON lines."""

from __future__ import annotations

import json
from typing import Any, Iterable, Iterator, Tuple

from responders.content.forms import SOURCETYPES
from responders.errors import BadInput


def read_events(lines: Iterable[str], source: str, name: str) -> Iterator[Tuple[str, Any]]:
    """(source, event) of each line. With source `auto` each line says its own: {"source": …, "event": {…}}.

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
        if source != "auto":
            if not isinstance(value, dict) and not (source == "cyberark" and isinstance(value, str)):
                raise _bad(place, "no JSON object", "give one event a line")
            yield source, value
            continue
        own = value.get("source") if isinstance(value, dict) else None
        if own not in SOURCETYPES:
            raise _bad(place, f"unknown source {own!r}", f"set source to one of {', '.join(sorted(SOURCETYPES))}")
        rest = {key: item for key, item in value.items() if key != "source"}
        yield own, value.get("event", rest)


def _bad(place: str, what: str, remedy: str) -> BadInput:
    return BadInput(what, place=place, remedy=remedy)
