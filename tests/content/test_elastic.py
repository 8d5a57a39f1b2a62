"""Every detection's ES|QL in a real Elasticsearch: over its examples, with sources absent, and with fields missing."""

from __future__ import annotations

import copy
from typing import Any, Iterator, List, Tuple

import pytest

from responders.content.detection import Detection, Example
from responders.content.elastic import ElasticRun, run_elastic, try_elastic
from responders.content.elastic.trial import apart, lookups_of
from responders.content.forms import CEF_KEYS, TIMES
from responders.content.loader import load_macros
from responders.content.run import run_detections
from responders.content.trial import play, without_source
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
    concerned = [
        (detection, example, left)
        for detection in DETECTIONS
        for example in detection.examples
        for source, left in without_source(example)
        if source == gone and left and example.fires
    ]
    with ElasticRun(elasticsearch_url, DETECTIONS) as run:
        assert all(not index.startswith(run.stream(gone)) for index in run.made)
        for detection, example, left in concerned:
            lookups = lookups_of(play(example, renamed=False))
            run.set_lookups(lookups)
            found = run.hits(detection, run.add(left))
            assert apart(found, run_detections([detection], left, lookups=lookups)) == "", (detection.slug, example.name)
        assert all(not index.startswith(run.stream(gone)) for index in run.made)


@pytest.mark.parametrize("detection", DETECTIONS, ids=lambda d: d.slug)
def test_an_event_that_lacks_a_field_is_no_error_and_both_engines_agree(run: ElasticRun, detection: Detection) -> None:
    """Each field of the first example that fires is taken away from all its events, one field at a time."""
    example = next(example for example in detection.examples if example.fires)
    poorer = list(_poorer(detection, example))
    assert poorer
    lookups = lookups_of(play(example, renamed=False))
    run.set_lookups(lookups)
    for (name, events), batch in zip(poorer, run.add_all([events for _, events in poorer])):
        expected = run_detections([detection], events, lookups=lookups)
        assert [hit.account for hit in run.hits(detection, batch)] == [hit.account for hit in expected], name


def _poorer(detection: Detection, example: Example) -> Iterator[Tuple[str, List[Tuple[str, Any]]]]:
    """The example without one field each, of those that the search names; times apart, which no log goes without."""
    named = detection.splunk + " ".join(
        macro.definition for name, macro in load_macros().items() if name.partition("(")[0] in detection.splunk
    )
    names = {(source, name): None for source, event in example.events for name in _names(event)}
    for source, name in names:
        if name.rpartition(".")[2] not in named and CEF.get(name.rpartition(".")[2], "?") not in named:
            continue
        events = copy.deepcopy(list(example.events))
        for own, event in events:
            if own == source:
                _drop(event, name)
        yield f"{source} without {name}", events


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
