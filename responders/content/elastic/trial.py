"""Runs the examples of a detection through its ES|QL, and says where the result differs from the file or from the SPL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from responders.content.detection import Detection
from responders.content.elastic.runner import ElasticRun
from responders.content.run import LOOKUPS, Hit, run_detections
from responders.content.trial import Played, Trial, compare, play
from responders.content.watch import watched


@dataclass(frozen=True)
class Tried:
    """What is searched at once: named `parts`, the `played` that they are together, and what the SPL finds in it."""

    parts: Sequence[Tuple[str, Played]]
    played: Played
    splunk: Sequence[Hit]

    @property
    def name(self) -> str:
        return "; ".join(name for name, _ in self.parts)

    @property
    def lots(self) -> Sequence[Sequence[Tuple[str, Any]]]:
        """The events of each part, as ElasticRun takes them."""
        return [part.events for _, part in self.parts]


def try_elastic(run: ElasticRun, detection: Detection) -> Iterator[Trial]:
    """Every example, as it is and then renamed and shifted: both in one search where they do not touch each other.

    Both engines must name exactly the declared accounts, with the same confidence, completing time and events.
    """
    tried: List[Tried] = []
    for example in detection.examples:
        both = (example.name, play(example)), (f"{example.name}, renamed and shifted", play(example, turn=1))
        tried += at_once(detection, both)
    # A lookup is one for the whole namespace, so examples with equal ones are searched together.
    tried.sort(key=_lookups)
    for _, group in groupby(tried, key=_lookups):
        yield from _try(run, detection, list(group))


def at_once(detection: Detection, given: Sequence[Tuple[str, Played]]) -> List[Tried]:
    """All in one, for one search in place of several, each of which takes the server long to plan.

    Each alone where that would prove less: where they fire for the same account, or the SPL gives something else for all at
    once than for each (one is another's evidence or baseline).
    """
    alone = [Tried([named], named[1], _by_spl(detection, named[1])) for named in given]
    one = _united([part for _, part in given])
    if len(set(one.fires)) < len(one.fires):
        return alone
    found = _by_spl(detection, one)
    each: Set[Tuple[Any, ...]] = set().union(*(_essence(tried.splunk) for tried in alone))
    return [Tried(given, one, found)] if _essence(found) == each else alone


def _united(parts: Sequence[Played]) -> Played:
    lookups: Dict[str, List[Mapping[str, str]]] = {}
    for part in parts:
        for name, rows in part.lookups.items():
            held = lookups.setdefault(name, [])
            held += [row for row in rows if row not in held]
    events = tuple(event for part in parts for event in part.events)
    return Played(events, tuple(account for part in parts for account in set(part.fires)), lookups, parts[0].confidence)


def _by_spl(detection: Detection, played: Played) -> List[Hit]:
    return run_detections([detection], played.events, lookups=played.lookups)


def lookups_of(played: Played) -> Dict[str, Any]:
    """Rows of every lookup: the example's own, and the watch list that its signals make."""
    given = {name: list(rows) for name, rows in played.lookups.items()}
    return {**dict.fromkeys(LOOKUPS, ()), "tourniquet_watch": watched(played.events), **given}


def _lookups(tried: Tried) -> str:
    return json.dumps(lookups_of(tried.played), sort_keys=True)


def _try(run: ElasticRun, detection: Detection, group: Sequence[Tried]) -> Iterator[Trial]:
    run.set_lookups(lookups_of(group[0].played))
    for tried, batch in zip(group, run.add_all([tried.lots for tried in group])):
        hits = run.hits(detection, batch)
        difference = compare(hits, tried.played) or apart(hits, tried.splunk)
        yield from (Trial(detection.slug, name, difference) for name, _ in tried.parts)


def apart(elastic: Sequence[Hit], splunk: Sequence[Hit]) -> str:
    """Where two engines' hits differ in account, confidence, completing time or events; "" where they don't."""
    one, other = _essence(elastic), _essence(splunk)
    if one == other:
        return ""
    return f"ES|QL alone gave {sorted(one - other)}, the SPL alone {sorted(other - one)}"


def _essence(hits: Sequence[Hit]) -> Set[Tuple[Any, ...]]:
    rows = [hit.to_json() for hit in hits]
    names = ("detection", "account", "confidence", "completed_at")
    return {(*(row[name] for name in names), tuple(sorted(row["events"]))) for row in rows}
