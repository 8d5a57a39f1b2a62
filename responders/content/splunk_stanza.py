"""What all generated conf files share: the header, and how a stanza is written."""

from __future__ import annotations

import json
import re
from typing import Iterable, List, Sequence, Tuple

HEADER = "Generated from detections/ by `tourniquet detections build`. Do not edit: change local/ or the detection."
Settings = List[Tuple[str, str]]
ONCE_FOR_ALL_ROWS: Settings = [
    ("counttype", "number of events"),
    ("relation", "greater than"),
    ("quantity", "0"),
    ("alert.track", "1"),
    ("alert.digest_mode", "1"),
]
"""A search that found something is one alert, of all its rows."""


def stanza(name: str, settings: Settings) -> str:
    """One stanza."""
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings)


def conf(parts: Iterable[str]) -> str:
    """A whole file of stanzas."""
    return "\n".join([f"# {HEADER}\n", *parts])


def line(text: str) -> str:
    """A search on one line: a conf value ends with its line."""
    return " ".join(text.split("\n")).strip()


def quoted(text: str) -> str:
    """The text between double quotes, as a search wants it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def json_line(value: object) -> str:
    """JSON on one line, always the same."""
    return json.dumps(value, sort_keys=True)


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a lookup file has them."""
    return "".join(",".join(_cell(cell) for cell in row) + "\n" for row in rows)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",\n]', text) else text
