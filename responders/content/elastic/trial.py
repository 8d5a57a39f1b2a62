"""Runs the examples of a detection through its ES|QL, and says where the result differs from the file or from the SPL."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any, Dict, Iterator, List, Sequence, Set, Tuple

from responders.content.detection import Detection
from responders.content.elastic.runner import ElasticRun
from responders.content.run import LOOKUPS, Hit, run_detections
from responders.content.trial import Played, Trial, compare, play
from responders.content.watch import watched


def try_elastic(run: ElasticRun, detection: Detection) -> Iterator[Trial]:
    """Every example, as it is and then renamed and shifted.

    Both engines must name exactly the declared accounts, with the same confidence, completing time and events.
    """
    played: List[Tuple[str, Played]] = [
        (example.name + (", renamed and shifted" if renamed else ""), play(example, renamed=renamed))
        for renamed in (False, True)
        for example in detection.examples
    ]
    # A lookup is one for the whole namespace, so examples with equal ones are searched together.
    played.sort(key=lambda item: _lookups(item[1]))
    for _, group in groupby(played, key=lambda item: _lookups(item[1])):
        yield from _try(run, detection, list(group))


def lookups_of(played: Played) -> Dict[str, Any]:
    """Rows of every lookup: the example's own, and the watch list that its signals make."""
    given = {name: list(rows) for name, rows in played.lookups.items()}
    return {**dict.fromkeys(LOOKUPS, ()), "tourniquet_watch": watched(played.events), **given}


def _lookups(played: Played) -> str:
    return json.dumps(lookups_of(played), sort_keys=True)


def _try(run: ElasticRun, detection: Detection, group: Sequence[Tuple[str, Played]]) -> Iterator[Trial]:
    run.set_lookups(lookups_of(group[0][1]))
    batches = run.add_all([played.events for _, played in group])
    for (name, played), batch in zip(group, batches):
        hits = run.hits(detection, batch)
        difference = compare(hits, played)
        if not difference:
            difference = apart(hits, run_detections([detection], played.events, lookups=played.lookups))
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
