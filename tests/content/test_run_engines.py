"""`detections run` over raw events: both engines give the same, whatever the events come wrapped in."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from responders.content.elastic import run_elastic
from responders.content.elastic.trial import apart
from responders.content.loader import ROOT
from responders.content.reading import read_events
from responders.content.run import run_detections
from responders.surfaces.command_line.main import main
from tests import shipped

DETECTIONS = shipped.detections()
BY_SLUG = {detection.slug: detection for detection in DETECTIONS}
SOURCES = {"aws_stratus": "aws_cloudtrail", "m365_audit": "m365_audit", "okta": "okta"}
SAMPLES = [path for path in sorted((ROOT / "samples").glob("*/*.json*")) if path.parent.name in SOURCES]


def read(text: str, source: str) -> List[Any]:
    """Events of a sample: JSON, or a line each."""
    try:
        lines = [json.dumps(json.loads(text))]
    except ValueError:
        lines = text.splitlines()
    return list(read_events(lines, source, "sample"))


@pytest.mark.engine("elasticsearch")
def test_both_engines_agree_over_all_real_samples_at_once(elasticsearch_url: str) -> None:
    """All real samples in one run through all detections: equal accounts, times and events."""
    events = [event for path in SAMPLES for event in read(path.read_text(encoding="utf-8"), SOURCES[path.parent.name])]
    assert len(events) > 30
    splunk = run_detections(DETECTIONS, events)
    assert {"aws/admin_policy_or_trust", "aws/key_created_for_another_user"} <= {hit.detection.slug for hit in splunk}
    assert apart(run_elastic(elasticsearch_url, DETECTIONS, events), splunk) == ""


@pytest.mark.engine("elasticsearch")
def test_one_identity_that_floods_hides_nobody_in_elasticsearch(elasticsearch_url: str) -> None:
    """20,000 reads of one Vault identity: the sweep by another is found, with the same events as by the SPL."""
    sweep = BY_SLUG["vault/secret_sweep"]
    example = next(one for one in sweep.examples if one.fires)
    model: Dict[str, Any] = example.events[0][1]
    flood = []
    for number in range(20_000):
        other = copy.deepcopy(model)
        other["auth"].update(entity_id="flooder", accessor="flood")
        other["request"].update(path=f"kv/data/{number % 3}", id=f"f{number}")
        flood.append(("vault", other))
    hits = run_elastic(elasticsearch_url, [sweep], [*flood, *example.events])
    assert [hit.account for hit in hits] == list(example.fires)
    assert apart(hits, run_detections([sweep], example.events)) == ""


@pytest.mark.engine("elasticsearch")
@pytest.mark.parametrize("engine", ["spl", "elastic"])
def test_the_command_prints_one_object_a_line(
    elasticsearch_url: str, engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Detection, id, name, confidence, account, events and time of each finding, alike from either engine."""
    sample = ROOT / "samples/aws_stratus/aws.persistence.iam-backdoor-user.json"
    file = tmp_path / "events.jsonl"
    lines = [{"source": "aws_cloudtrail", "event": event} for _, event in read(sample.read_text(), "aws_cloudtrail")]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code = main(["detections", "run", "--events", str(file), "--engine", engine, "--url", elasticsearch_url, "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [(row["detection"], row["account"]) for row in rows] == [
        ("aws/key_created_for_another_user", "aws:946986569305:AIDAKYRO1QIPZ5M62HCS")
    ]
    detection = BY_SLUG["aws/key_created_for_another_user"]
    assert (rows[0]["id"], rows[0]["name"]) == (detection.id, detection.name)
    assert rows[0]["confidence"] >= detection.confidence
    assert set(rows[0]["events"]) <= {line["event"]["eventID"] for line in lines}
    assert rows[0]["completed_at"] in {line["event"]["eventTime"].replace("Z", ".000Z") for line in lines}


OKTA = {"uuid": "u1", "published": "2026-03-01T10:00:00.000Z", "eventType": "user.session.start"}
AWS = {"eventID": "e1", "eventTime": "2026-03-01T10:00:00Z"}
CEF = "CEF:0|Cyber-Ark|Vault|12.6|295|Retrieve password|5|suser=asmith rt=2026-03-01T10:00:00Z"
GRAPH = {"id": "a1", "activityDateTime": "2026-03-01T10:00:00Z", "activityDisplayName": "Add user"}
HUB = {"time": "2026-03-01T10:00:00Z", "operationName": "Add user", "properties": {"id": "a1"}}
M365 = {"CreationTime": "2026-03-01T10:00:00", "Id": "m1", "Operation": "Add user."}
PAS = {"format": "elastic", "syslog": {"audit_record": {"MessageID": "295", "IsoTimestamp": "2026-03-01T10:00:00Z"}}}


@pytest.mark.parametrize(
    ("source", "value", "events"),
    [
        ("okta", OKTA, [OKTA]),
        ("okta", {"about": "x", "matches": True, "event": OKTA}, [OKTA]),
        ("okta", [OKTA, OKTA], [OKTA, OKTA]),
        ("okta", {"_raw": json.dumps(OKTA), "published": "2026"}, [OKTA]),
        ("okta", {"@timestamp": "2026-03-01T10:00:00Z", "event": {"original": json.dumps(OKTA)}}, [OKTA]),
        ("aws_cloudtrail", {"Records": [AWS, AWS]}, [AWS, AWS]),
        ("aws_cloudtrail", {"detail-type": "AWS API Call via CloudTrail", "detail": AWS}, [AWS]),
        ("entra_audit", {"records": [HUB]}, [HUB]),
        ("entra_audit", {"value": [GRAPH, GRAPH]}, [GRAPH, GRAPH]),
        ("entra_audit", {"time": "1772359200", "event": GRAPH}, [GRAPH]),
        ("m365_audit", {"AuditData": json.dumps(M365)}, [M365]),
        ("cyberark", CEF, [CEF]),
        ("cyberark", {"event": CEF}, [CEF]),
        ("cyberark", {"event": PAS}, [PAS]),
        ("agent", {"time": "2026-03-01T10:00:00Z", "event": "call"}, [{"time": "2026-03-01T10:00:00Z", "event": "call"}]),
    ],
)
def test_an_event_is_found_in_what_it_comes_wrapped_in(source: str, value: Any, events: List[Any]) -> None:
    """Envelopes of the vendors, exports of a SIEM and bookkeeping around an event are taken off; an event itself stays."""
    line = value if isinstance(value, str) else json.dumps(value)
    assert [event for _, event in read_events([line], source, "f")] == events
    marked = {"source": source, "event": value}
    assert [event for _, event in read_events([json.dumps(marked)], "auto", "f")] == events


def test_an_event_without_a_time_is_searched_at_the_latest_of_the_others() -> None:
    """It is neither refused nor put in 1970: what comes with it says when."""
    detection = BY_SLUG["okta/admin_role_granted"]
    example = next(one for one in detection.examples if one.fires)
    untimed = copy.deepcopy(example.events[0][1])
    del untimed["published"]
    hits = run_detections([detection], [("okta", untimed), ("okta", {**OKTA, "published": "2026-03-02T00:00:00.000Z"})])
    assert [hit.to_json()["completed_at"] for hit in hits] == ["2026-03-02T00:00:00.000Z"]
