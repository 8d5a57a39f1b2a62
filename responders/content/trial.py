"""Runs each example of each detection, as it is or renamed and shifted, and says where the result differs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Tuple

from responders.content.detection import Detection, Example
from responders.content.run import Hit, run_detections


@dataclass(frozen=True)
class Trial:
    """One example run; `difference` is "" when exactly the declared accounts came out."""

    slug: str
    example: str
    difference: str


def try_examples(detections: Iterable[Detection], *, renamed: bool = False) -> Iterator[Trial]:
    """Every example by the SPL evaluator; with `renamed`, all principals, ids and addresses renamed, times shifted."""
    for detection in detections:
        for example in detection.examples:
            yield try_one(detection, example, renamed=renamed)


def try_one(detection: Detection, example: Example, *, renamed: bool = False) -> Trial:
    """One example."""
    played = play(example, renamed=renamed)
    hits = run_detections([detection], played.events, lookups=played.lookups)
    return Trial(detection.slug, example.name, compare(hits, played.fires))


@dataclass(frozen=True)
class Played:
    """What of an example goes into an engine, and the accounts that must come out."""

    events: Tuple[Tuple[str, Any], ...]
    fires: Tuple[str, ...]
    lookups: Mapping[str, Sequence[Mapping[str, str]]]


def play(example: Example, *, renamed: bool) -> Played:
    """An example as it is, or renamed and shifted."""
    if not renamed:
        return Played(example.events, example.fires, example.lookups)
    events, fires, lookups = json.loads(rename(json.dumps([example.events, example.fires, dict(example.lookups)])))
    return Played(tuple((source, event) for source, event in events), tuple(fires), lookups)


def compare(hits: Iterable[Hit], fires: Iterable[str]) -> str:
    """ "" when exactly these accounts came out, else both sides."""
    found, wanted = sorted({hit.account for hit in hits}), sorted(set(fires))
    return "" if found == wanted else f"gave {found or 'nothing'}, expected {wanted or 'nothing'}"


_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)")
_ADDRESS = re.compile(r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b")
_GUID = re.compile(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F-])")
_AWS_ACCOUNT = re.compile(r"(?<![\d-])\d{12}(?!\d)")
_AWS_ID = re.compile(r"\b(AKIA|ASIA|AIDA|AROA)([A-Z0-9]+)\b")
_NAMES = {
    "00uA": "00uZq1", "00uB": "00uZq2", "00uC": "00uZq3", "00uX": "00uZq4", "00uAdmin": "00uZq5", "alice": "zelda",
    "asmith": "zqsmith", "bob": "quentin", "ent-1": "ent-zz9", "acc1": "zacc1", "accR": "zaccR", "christophe": "quincy",
}  # fmt: skip
_KEPT = ("62e90394-69f5-4237-9190-012177145e10",)


def rename(text: str) -> str:
    """JSON text with principals, ids and addresses renamed alike everywhere, and every time ten days and an hour later."""
    for old, new in _NAMES.items():
        text = re.sub(rf"\b{re.escape(old)}\b", new, text)
    text = _GUID.sub(lambda m: m[0] if m[0].lower() in _KEPT else _shift_hex(m[0]), text)
    text = _AWS_ID.sub(lambda m: m[1] + m[2][::-1] + "Q", text)
    text = _AWS_ACCOUNT.sub(lambda m: "".join(str((int(c) + 3) % 10) for c in m[0]), text)
    text = _ADDRESS.sub(lambda m: f"{(int(m[1]) + 7) % 200 + 1}.{m[3]}.{m[2]}.{(int(m[4]) + 11) % 250}", text)
    return _TIME.sub(_later, text)


def _shift_hex(text: str) -> str:
    return "".join(f"{(int(c, 16) + 5) % 16:x}" if c != "-" else c for c in text)


def _later(match: re.Match[str]) -> str:
    at = datetime.strptime(match[0], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return (at + timedelta(days=10, hours=1)).strftime("%Y-%m-%dT%H:%M:%S")


def without_source(example: Example) -> List[Tuple[str, List[Tuple[str, Any]]]]:
    """The example with each of its sources absent in turn: (source left out, what is left)."""
    sources: Dict[str, None] = dict.fromkeys(source for source, _ in example.events)
    return [(gone, [item for item in example.events if item[0] != gone]) for gone in sources]
