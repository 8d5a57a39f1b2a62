"""Every detection's ES|QL in a real Elasticsearch: over its examples, with sources absent, and with fields missing."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, Iterator, Sequence, Tuple

import pytest

from responders.content.detection import Detection, Example
from responders.content.elastic import ElasticRun, run_elastic, try_elastic
from responders.content.elastic.server import ElasticError, Server
from responders.content.elastic.trial import Tried, apart, at_once, lookups_of
from responders.content.forms import CEF_KEYS, TIMES
from responders.content.loader import load_macros
from responders.content.rename import TURNS
from responders.content.run import Hit
from responders.content.trial import Played, play, without_source
from responders.errors import BadInput
from tests import shipped

pytestmark = pytest.mark.engine("elasticsearch")

DETECTIONS = shipped.detections()


@pytest.fixture(scope="module")
def run(elasticsearch_url: str) -> Iterator[ElasticRun]:
    """One namespace for all detections: each example is searched apart from all others."""
    with ElasticRun(elasticsearch_url, DETECTIONS) as found:
        yield found


@pytest.mark.parametrize("detection", DETECTIONS, ids=lambda d: d.slug)
def test_gives_exactly_the_declared_identities(run: ElasticRun, detection: Detection) -> None:
    """Both engines name the accounts of each example, no more and no fewer, with equal times and events."""
    trials = list(try_elastic(run, detection))
    assert len(trials) == 2 * len(detection.examples)
    assert all(any(trial.example.startswith(example.name) for trial in trials) for example in detection.examples)
    assert [f"{trial.example}: {trial.difference}" for trial in trials if trial.difference] == []


def test_without_any_source_every_query_gives_no_rows(elasticsearch_url: str) -> None:
    """With no data stream at all, only the schema index and empty lookups, no query is refused."""
    with ElasticRun(elasticsearch_url, DETECTIONS) as alone:
        batch = alone.add([])
        assert [hit for detection in DETECTIONS for hit in alone.hits(detection, batch)] == []


SOURCES = sorted(
    {
        gone
        for detection in DETECTIONS
        for example in detection.examples
        for gone, left in without_source(example)
        if left and example.fires
    }
)


@pytest.mark.parametrize("gone", SOURCES)
def test_with_one_source_absent_both_engines_still_agree(elasticsearch_url: str, gone: str) -> None:
    """A customer without one source: its data stream does not exist. What is left gives the same as the SPL does; where
    nothing is left the test above holds."""
    with ElasticRun(elasticsearch_url, DETECTIONS) as run:
        assert all(not index.startswith(run.stream(gone)) for index in run.made)
        for detection in DETECTIONS:
            concerned = [
                example
                for example in detection.examples
                if example.fires and any(source == gone and left for source, left in without_source(example))
            ]
            lacking = [(example.name, _lacking(play(example, turn=_turn(n)), gone)) for n, example in enumerate(concerned)]
            for tried in _at_once(detection, lacking):
                assert apart(_found(run, detection, tried), tried.splunk) == "", (detection.slug, tried.name)
        assert all(not index.startswith(run.stream(gone)) for index in run.made)


def _turn(number: int) -> int:
    """Everybody of the first is called as in the file, of each of the next otherwise."""
    return number % (TURNS + 1)


def _at_once(detection: Detection, given: Sequence[Tuple[str, Played]]) -> Iterator[Tried]:
    """So many in one search as have different names."""
    for start in range(0, len(given), TURNS + 1):
        yield from at_once(detection, given[start : start + TURNS + 1])


def _found(run: ElasticRun, detection: Detection, tried: Tried) -> Sequence[Hit]:
    """What Elasticsearch finds."""
    run.set_lookups(lookups_of(tried.played))
    return run.hits(detection, run.add_all([tried.lots])[0])


def _lacking(played: Played, source: str) -> Played:
    return dataclasses.replace(played, events=tuple(item for item in played.events if item[0] != source))


@pytest.mark.parametrize("detection", DETECTIONS, ids=lambda d: d.slug)
def test_an_event_that_lacks_a_field_is_no_error_and_both_engines_agree(run: ElasticRun, detection: Detection) -> None:
    """Each field of the first example that fires is taken away from all its events, one field at a time.

    Where the search takes them apart, it sees several at once, each with everybody renamed in another way.
    """
    example = next(example for example in detection.examples if example.fires)
    named = list(_named(detection, example))
    assert named
    poorer = [
        (f"{source} without {name}", _without(play(example, turn=_turn(number)), source, name))
        for number, (source, name) in enumerate(named)
    ]
    for tried in _at_once(detection, poorer):
        found = _found(run, detection, tried)
        assert sorted(hit.account for hit in found) == sorted(hit.account for hit in tried.splunk), tried.name


def _named(detection: Detection, example: Example) -> Iterator[Tuple[str, str]]:
    """Source and name of each field of the example's events that the search names, but for times, which no log lacks."""
    named = detection.splunk + " ".join(
        macro.definition for name, macro in load_macros().items() if name.partition("(")[0] in detection.splunk
    )
    for source, name in {(source, name): None for source, event in example.events for name in _names(event)}:
        if name.rpartition(".")[2] in named or CEF.get(name.rpartition(".")[2], "?") in named:
            yield source, name


def _without(played: Played, source: str, name: str) -> Played:
    events = copy.deepcopy(played.events)
    for own, event in events:
        if own == source:
            _drop(event, name)
    return dataclasses.replace(played, events=events)


CEF = {name: key for key, name in CEF_KEYS}


def _names(event: Any, prefix: str = "", depth: int = 2) -> Iterator[str]:
    for key, value in event.items() if isinstance(event, dict) else ():
        holder = key in ("syslog", "audit_record")
        if key in EVERY_TIME or "." in key:
            continue
        if not holder:
            yield prefix + key
        if depth > 1 or holder:
            yield from _names(value, f"{prefix}{key}.", depth if holder else depth - 1)


EVERY_TIME = {name for names in TIMES.values() for name in names} | {"IsoTimestamp"}


def _drop(event: Any, name: str) -> None:
    *parents, last = name.split(".")
    for part in parents:
        event = event.get(part) if isinstance(event, dict) else None
    if isinstance(event, dict):
        event.pop(last, None)


def test_an_unreachable_server_names_its_url() -> None:
    """No traceback: the URL, and what to check."""
    with pytest.raises(BadInput) as caught:
        run_elastic("http://127.0.0.1:9", DETECTIONS[:1], [])
    assert caught.value.place == "http://127.0.0.1:9"


def test_without_our_indices_the_error_names_the_command_that_makes_them(elasticsearch_url: str) -> None:
    """By a query and by a search; another index that is missing is the asker's."""
    with Server(elasticsearch_url) as server:
        for name, import_named in (("tourniquet-nobody-made-this", True), ("nobody-made-this", False)):
            with pytest.raises(ElasticError) as asked:
                server.esql(f"FROM {name} | LIMIT 1", {"match_all": {}})
            with pytest.raises(ElasticError) as searched:
                server.call("POST", f"/{name}/_search", {})
            said = ["elastic import" in str(caught.value) for caught in (asked, searched)]
            assert said == [import_named, import_named]
