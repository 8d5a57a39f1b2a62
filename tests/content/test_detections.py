"""Every detection over its examples: as they are, renamed and shifted, with sources absent and fields missing."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.content.detection import Detection
from responders.content.forms import SOURCETYPES, parse_time, read_cef, to_splunk
from responders.content.loader import ROOT, read_detection
from responders.content.reading import read_events
from responders.content.rename import ROLES, literals
from responders.content.run import run_detections
from responders.content.trial import try_one, without_source
from responders.errors import BadInput, BadInputs
from tests import shipped

DETECTIONS = shipped.detections()
EXAMPLES = [(detection, example) for detection in DETECTIONS for example in detection.examples]
IDS = [f"{detection.slug}: {example.name}" for detection, example in EXAMPLES]


@pytest.mark.parametrize(("detection", "example"), EXAMPLES, ids=IDS)
def test_gives_exactly_the_declared_identities(detection: Detection, example: Any) -> None:
    """The SPL names the accounts of the example, no more and no fewer; renamed and shifted in time too."""
    assert try_one(detection, example).difference == ""
    assert try_one(detection, example, renamed=True).difference == ""


@pytest.mark.parametrize("detection", DETECTIONS, ids=lambda d: d.slug)
def test_absent_sources_and_fields_are_no_error(detection: Detection) -> None:
    """With each source absent, and with each top-level field of an event missing, a search gives rows or none."""
    for example in detection.examples[:3]:
        for _, left in without_source(example):
            run_detections([detection], left, lookups=example.lookups)
        for source, event in example.events[:2]:
            for key in list(event) if isinstance(event, dict) else ():
                poorer = copy.deepcopy(event)
                del poorer[key]
                run_detections([detection], [(source, poorer)], lookups=example.lookups)


def test_identities_are_unique_and_declared() -> None:
    """Ids are unique; each file has two that fire, two that stay quiet, a near miss, and a known framework id."""
    known = json.loads((Path(__file__).parents[2] / "responders/content/frameworks.json").read_text())
    assert len({d.id for d in DETECTIONS}) == len(DETECTIONS) >= 13
    for detection in DETECTIONS:
        fires = [e for e in detection.examples if e.fires]
        quiet = [e for e in detection.examples if not e.fires]
        assert len(fires) >= 2, detection.slug
        assert len(quiet) >= 2, detection.slug
        assert any("near miss" in e.name for e in quiet), detection.slug
        assert all(e.real or "synthetic" in e.name or not e.fires for e in detection.examples if "real" in e.name)
        for framework, ids in detection.frameworks.items():
            assert set(ids) <= set(known[framework]), (detection.slug, framework)


def test_no_literal_of_an_example_is_in_a_search() -> None:
    """A search generalises from the attack: no address, id, key, account number or name of its examples stands in it, in
    neither engine; but vendors' constants of macros.yaml, and words that say what somebody is."""
    said = {*ROLES, "admin", "ms-pim"}
    for detection in DETECTIONS:
        baseline = detection.baseline
        searches = "\n".join(
            [detection.splunk, detection.elastic.query, *([baseline.splunk, baseline.elastic] if baseline else [])]
        )
        for example in detection.examples:
            for literal in literals(example):
                if literal.lower() not in said:
                    assert not re.search(rf"(?<!\w){re.escape(literal)}(?!\w)", searches), (detection.slug, example.name)


def test_one_identity_that_floods_does_not_hide_another() -> None:
    """20,000 reads of one Vault identity keep a sweep by another from nobody."""
    sweep = next(d for d in DETECTIONS if d.slug == "vault/secret_sweep")
    example = next(e for e in sweep.examples if e.fires)
    event = example.events[0][1]
    flood = []
    for number in range(20_000):
        other = copy.deepcopy(event)
        other["auth"].update(entity_id="flooder", accessor="flood")
        other["request"].update(path="kv/data/one", id=f"f{number}")
        flood.append(("vault", other))
    hits = run_detections([sweep], [*flood, *example.events])
    assert [hit.account for hit in hits] == list(example.fires)


def test_generated_files_are_up_to_date() -> None:
    """What ships was generated from detections/ as it stands."""
    for name, content in shipped.built().items():
        path = ROOT.parent / name
        assert path.read_text(encoding="utf-8") == content, f"{name}: run `make build`"


def test_every_row_can_be_read_by_the_responder() -> None:
    """Each row that fires is an alert to the responder: nothing that the build compiled is unknown to it."""
    from datetime import datetime, timezone

    from responders.alerts.row import alert_from_row
    from responders.surfaces.assemble import read_catalogue

    catalogue = read_catalogue()
    count = 0
    for detection in DETECTIONS:
        for example in detection.examples:
            for hit in run_detections([detection], example.events, lookups=example.lookups):
                alert = alert_from_row(hit.row, catalogue, datetime.now(timezone.utc))
                assert alert.detection == detection.slug
                assert alert.events
                count += 1
    assert count > 20


def test_a_broken_file_names_every_place() -> None:
    """Unknown key, missing key and bad value come back together, each with file and line."""
    text = (ROOT / "aws" / "admin_policy_or_trust.yaml").read_text()
    broken = re.sub(r"version: [\d.]+", "version: one\nflavour: sweet", text, count=1)
    broken = broken.replace("layer: cloud", "layer: weather")
    with pytest.raises(BadInputs) as caught:
        read_detection(broken, "x.yaml", "aws/x")
    places = [error.place for error in caught.value.errors]
    assert len(places) >= 3
    assert all(place.startswith("x.yaml:") for place in places)


@given(st.text(max_size=400))
def test_hostile_yaml_is_only_ever_bad_input(text: str) -> None:
    """Whatever the text, the loader answers with BadInputs."""
    with pytest.raises(BadInputs):
        read_detection(text, "x.yaml", "aws/x")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=12), JSON, max_size=6), st.sampled_from(sorted(SOURCETYPES)))
def test_any_event_can_be_indexed_and_searched(event: Any, source: str) -> None:
    """An event of any shape is indexed and searched without an error."""
    found = to_splunk(source, event, 1_700_000_000.0)
    assert isinstance(found["_raw"], str)
    assert isinstance(found["_time"], float)


@given(st.binary(max_size=200))
def test_reading_refuses_what_is_no_event(data: bytes) -> None:
    """Lines that are no JSON object are refused with file and line, or are events."""
    try:
        for _, event in read_events([data.decode("latin-1")], "okta", "f.jsonl"):
            assert isinstance(event, dict)
    except BadInput as error:
        assert error.place.startswith("f.jsonl:")


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("2022-06-22 18:18:29.015", 1655921909.015),
        ("2024-11-27T03:31:26.7088498Z", 1732678286.7088498),
        ("2023-11-21T23:44:05", 1700610245.0),
        ("2026-03-01T11:00:00+01:00", 1772359200.0),
        (1700000000000, 1700000000.0),
        ("no time", None),
        (True, None),
    ],
)
def test_times_of_every_dialect(text: Any, epoch: Any) -> None:
    """Okta's, Entra's, Microsoft 365's and epoch times are read alike."""
    found = parse_time(text)
    assert found == epoch if epoch is None else abs(found - epoch) < 0.001


@given(st.dictionaries(st.sampled_from(["suser", "cs2", "fname", "reason"]), st.text(max_size=30), min_size=1))
def test_cef_survives_a_round_trip(fields: dict[str, str]) -> None:
    """A value with pipes, equals signs and backslashes is read as it was written."""
    names = {"suser": "Issuer", "cs2": "Safe", "fname": "File", "reason": "Reason"}
    given_fields = {key: " ".join(value.split()) for key, value in fields.items()}
    record = {"MessageID": "295", **{names[key]: value for key, value in given_fields.items() if value}}
    read = to_splunk("cyberark", {"syslog": {"audit_record": record}}, 0.0)
    for key, value in given_fields.items():
        if value and not any(f" {other}=" in f" {value}" for other in ("x",)):
            assert read.get(key, "") == value or "=" in value or " " in value
    assert read["cef_signature"] == "295"
    assert read_cef("no cef at all") == {}
