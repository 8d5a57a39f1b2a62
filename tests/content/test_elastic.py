"""Every detection's ES|QL in a real Elasticsearch: over its examples, as they are and renamed and shifted."""

from __future__ import annotations

from typing import Iterator

import pytest

from responders.content.detection import Detection
from responders.content.elastic import ElasticRun, try_elastic
from responders.content.loader import load_detections

pytestmark = pytest.mark.engine("elasticsearch")

DETECTIONS = [detection for detection in load_detections() if detection.elastic]


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
