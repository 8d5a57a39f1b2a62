"""CloudTrail: whose account each shape of userIdentity gives, the customer's egress list, and floods, in both engines."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, Dict, List, Tuple

import pytest

from responders.content.detection import Detection
from responders.content.elastic import run_elastic
from responders.content.elastic.trial import apart
from responders.content.run import run_detections
from tests import shipped

BY_SLUG = {detection.slug: detection for detection in shipped.detections()}
HOME = "111122223333"
ISSUER = {"type": "Role", "principalId": "AROAQ", "arn": f"arn:aws:iam::{HOME}:role/dev", "accountId": HOME}
USER_ISSUER = {"type": "IAMUser", "principalId": "AIDAX", "arn": f"arn:aws:iam::{HOME}:user/alice", "accountId": HOME}
SHAPES: List[Tuple[Dict[str, Any], str]] = [
    ({"type": "IAMUser", "principalId": "AIDAX", "arn": f"arn:aws:iam::{HOME}:user/a", "accountId": HOME}, "AIDAX"),
    ({"type": "Root", "principalId": HOME, "arn": f"arn:aws:iam::{HOME}:root", "accountId": HOME}, "root"),
    (
        {"type": "AssumedRole", "principalId": "AROAQ:s", "arn": f"arn:aws:sts::{HOME}:assumed-role/dev/s",
         "accountId": HOME, "sessionContext": {"sessionIssuer": ISSUER}},
        "AROAQ",
    ),
    ({"type": "AssumedRole", "principalId": "AROAQ:s", "accountId": HOME}, "AROAQ"),
    (
        {"type": "FederatedUser", "principalId": f"{HOME}:ops", "arn": f"arn:aws:sts::{HOME}:federated-user/ops",
         "accountId": HOME, "sessionContext": {"sessionIssuer": USER_ISSUER}},
        "AIDAX",
    ),
    (
        {"type": "FederatedUser", "principalId": f"{HOME}:ops", "accountId": HOME,
         "sessionContext": {"sessionIssuer": {"type": "Root", "principalId": HOME, "accountId": HOME}}},
        "root",
    ),
    ({"type": "AWSAccount", "principalId": "AROAP:s", "accountId": HOME}, "AROAP"),
    (
        {"type": "WebIdentityUser", "principalId": "idp.example:app:user7", "userName": "user7"},
        "idp.example:app:user7",
    ),
    ({"type": "SAMLUser", "principalId": "qualifier=:bob@corp.example", "userName": "bob"}, "qualifier=:bob@corp.example"),
    ({"type": "IdentityCenterUser", "accountId": HOME, "onBehalfOf": {"userId": "9067-aa"}, "credentialId": "c"}, "9067-aa"),
    ({"type": "AWSService", "invokedBy": "controltower.amazonaws.com"}, ""),
]  # fmt: skip


def stopped(identity: Dict[str, Any], key: str = "e1") -> Tuple[str, Dict[str, Any]]:
    """A trail that this identity stopped."""
    record = {
        "eventID": key, "eventTime": "2026-03-01T10:00:00Z", "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging", "sourceIPAddress": "203.0.113.9", "recipientAccountId": HOME,
        "requestParameters": {"name": "main"}, "userIdentity": identity,
    }  # fmt: skip
    return "aws_cloudtrail", record


@pytest.mark.engine("elasticsearch")
def test_each_shape_of_user_identity_gives_the_account_to_contain(elasticsearch_url: str) -> None:
    """The same accounts from both engines; of AWS's own services none."""
    detection = BY_SLUG["aws/trail_stopped"]
    events = [stopped(identity, f"e{place}") for place, (identity, _) in enumerate(SHAPES)]
    splunk = run_detections([detection], events)
    found = {hit.row["tq_events"]: hit.account for hit in splunk}
    assert found == {f"e{place}": f"aws:{HOME}:{name}" for place, (_, name) in enumerate(SHAPES) if name}
    assert apart(run_elastic(elasticsearch_url, [detection], events), splunk) == ""


def with_egress_list(detection: Detection) -> Detection:
    """The detection as a customer has it who lists 198.51.100.0/24 as all of their egress addresses."""
    listed = '("198.51.100.0/24"'
    splunk = detection.splunk.replace("`tourniquet_aws_egress`", f"cidrmatch{listed}, tq_ip)")
    query = detection.elastic.query.replace("${aws_egress}", 'CIDR_MATCH(source.ip, "198.51.100.0/24")')
    elastic = replace(detection.elastic, query=query.replace("${aws_egress_listed}", "1"))
    return replace(detection, splunk=splunk.replace("`tourniquet_aws_egress_listed`", "1"), elastic=elastic)


@pytest.mark.engine("elasticsearch")
def test_a_listed_egress_address_is_quiet_and_another_is_sure(elasticsearch_url: str) -> None:
    """With a complete list, instance credentials from an address in it are normal, from any other one stolen."""
    detection = with_egress_list(BY_SLUG["aws/instance_credentials_elsewhere"])
    identity = {**SHAPES[2][0], "principalId": "AROAQ:i-0a1b2c3d4e5f60718"}
    events = []
    for key, address in (("listed", "198.51.100.7"), ("other", "203.0.113.9")):
        source, record = stopped(identity, key)
        events.append((source, {**record, "sourceIPAddress": address}))
    splunk = run_detections([detection], events)
    assert [(hit.row["tq_events"], hit.row["tq_confidence"]) for hit in splunk] == [("other", 80)]
    assert apart(run_elastic(elasticsearch_url, [detection], events), splunk) == ""


@pytest.mark.engine("elasticsearch")
def test_one_role_that_floods_hides_nobody(elasticsearch_url: str) -> None:
    """20,000 reads of one role's three secrets: who reads twenty others is found, by the same events as by the SPL."""
    detection = BY_SLUG["aws/secrets_read_in_bulk"]
    example = next(one for one in detection.examples if one.name.startswith("synthetic: fifteen secrets"))
    flood = []
    for number in range(20_000):
        other = copy.deepcopy(example.events[0][1])
        other["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] = "AROAFLOOD"
        other["requestParameters"]["secretId"] = f"own-{number % 3}"
        other["eventID"] = f"f{number}"
        flood.append(("aws_cloudtrail", other))
    hits = run_elastic(elasticsearch_url, [detection], [*flood, *example.events])
    assert [hit.account for hit in hits] == list(example.fires)
    assert apart(hits, run_detections([detection], example.events)) == ""
