"""Runs the examples of a detection through its ES|QL, and says where the result differs from the file or from the SPL."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from responders.content.detection import Detection
from responders.content.elastic.runner import ElasticRun
from responders.content.run import LOOKUPS, Hit, run_detections
from responders.content.trial import Played, Trial, compare, play
from responders.content.watch import watched

BOTH = ", as it is with renamed and shifted"
Tried = Tuple[str, Played, Sequence[Played]]
"""A name, what is searched at once, and the parts of it."""


def try_elastic(run: ElasticRun, detection: Detection) -> Iterator[Trial]:
    """Every example, as it is and also renamed and shifted: in one search where they do not touch each other.

    Both engines must name exactly the declared accounts, with the same confidence, completing time and events.
    """
    played: List[Tried] = []
    for example in detection.examples:
        both = play(example), play(example, turn=1)
        one = together(detection, both)
        if one is not None:
            played.append((example.name + BOTH, one, both))
        else:
            names = example.name, f"{example.name}, renamed and shifted"
            played += [(name, each, (each,)) for name, each in zip(names, both)]
    # A lookup is one for the whole namespace, so examples with equal ones are searched together.
    played.sort(key=lambda item: _lookups(item[1]))
    for _, group in groupby(played, key=lambda item: _lookups(item[1])):
        yield from _try(run, detection, list(group))


def together(detection: Detection, parts: Sequence[Played]) -> Optional[Played]:
    """All in one, for one search in place of several, each of which takes the server long to plan.

    None where that would prove less: where they fire for the same account, or the SPL gives something else for all at once
    than for each (one is another's evidence or baseline).
    """
    lookups: Dict[str, List[Mapping[str, str]]] = {}
    for part in parts:
        for name, rows in part.lookups.items():
            held = lookups.setdefault(name, [])
            held += [row for row in rows if row not in held]
    events = tuple(event for part in parts for event in part.events)
    fires = tuple(account for part in parts for account in set(part.fires))
    one = Played(events, fires, lookups, parts[0].confidence)
    apart_found: Set[Tuple[Any, ...]] = set().union(*(_essence(_by_spl(detection, part)) for part in parts))
    if len(set(fires)) < len(fires):
        return None
    return one if _essence(_by_spl(detection, one)) == apart_found else None


def _by_spl(detection: Detection, played: Played) -> List[Hit]:
    return run_detections([detection], played.events, lookups=played.lookups)


def lookups_of(played: Played) -> Dict[str, Any]:
    """Rows of every lookup: the example's own, and the watch list that its signals make."""
    given = {name: list(rows) for name, rows in played.lookups.items()}
    return {**dict.fromkeys(LOOKUPS, ()), "tourniquet_watch": watched(played.events), **given}


def _lookups(played: Played) -> str:
    return json.dumps(lookups_of(played), sort_keys=True)


def _try(run: ElasticRun, detection: Detection, group: Sequence[Tried]) -> Iterator[Trial]:
    run.set_lookups(lookups_of(group[0][1]))
    batches = run.add_all([[part.events for part in parts] for *_, parts in group])
    for (name, played, _), batch in zip(group, batches):
        hits = run.hits(detection, batch)
        difference = compare(hits, played)
        if not difference:
            difference = apart(hits, _by_spl(detection, played))
        yield Trial(detection.slug, name, difference)


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
