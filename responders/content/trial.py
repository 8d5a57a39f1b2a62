"""Runs each example of each detection, as it is or renamed and shifted, and says where the result differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from responders.content.detection import Detection, Example
from responders.content.rename import rename
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
    played = play(example, turn=1 if renamed else 0)
    hits = run_detections([detection], played.events, lookups=played.lookups)
    return Trial(detection.slug, example.name, compare(hits, played))


@dataclass(frozen=True)
class Played:
    """What of an example goes into an engine, and the accounts, and the confidence if any, that must come out."""

    events: Tuple[Tuple[str, Any], ...]
    fires: Tuple[str, ...]
    lookups: Mapping[str, Sequence[Mapping[str, str]]]
    confidence: Optional[int]


def play(example: Example, *, turn: int = 0) -> Played:
    """An example as it is, or renamed and shifted: otherwise with each `turn`, 1 to TURNS of rename."""
    if not turn:
        return Played(example.events, example.fires, example.lookups, example.confidence)
    events, fires, lookups = rename(example.events, example.fires, dict(example.lookups), turn)
    return Played(tuple((source, event) for source, event in events), tuple(fires), lookups, example.confidence)


def compare(hits: Sequence[Hit], played: Played) -> str:
    """ "" when exactly the accounts came out that must, with the confidence that they must have, else both sides."""
    found, wanted = sorted({hit.account for hit in hits}), sorted(set(played.fires))
    if found != wanted:
        return f"gave {found or 'nothing'}, expected {wanted or 'nothing'}"
    given = sorted({hit.confidence for hit in hits})
    if played.confidence is not None and given != [played.confidence]:
        return f"gave a confidence of {given}, expected {played.confidence}"
    return ""


def without_source(example: Example) -> List[Tuple[str, List[Tuple[str, Any]]]]:
    """The example with each of its sources absent in turn: (source left out, what is left)."""
    sources: Dict[str, None] = dict.fromkeys(source for source, _ in example.events)
    return [(gone, [item for item in example.events if item[0] != gone]) for gone in sources]
