"""A run over raw logs: what the detections find becomes the signals that correlations read."""

from __future__ import annotations

from functools import partial
from typing import Any, List, Sequence, Tuple

import pytest

from responders.content.chain import Search, run_chain
from responders.content.detection import Detection
from responders.content.elastic import run_elastic
from responders.content.loader import load_detections
from responders.content.run import run_detections

WANTED = ("okta/session_replay", "cyberark/bulk_retrieval", "correlation/okta_hijack_then_checkout")
DETECTIONS = [detection for detection in load_detections() if detection.slug in WANTED]
ACCOUNTS = (
    {"tq_account": "okta:default:00uA", "tq_identity": "alice", "tq_kind": "human"},
    {"tq_account": "cyberark:default:asmith", "tq_identity": "alice", "tq_kind": "human"},
)


def story() -> List[Tuple[str, Any]]:
    """A hijacked Okta session (synthetic, of the detection's own example), then a checkout under another name."""
    replay = next(d for d in DETECTIONS if d.slug == "okta/session_replay")
    hijack = next(example for example in replay.examples if example.fires == ("okta:default:00uA",))
    last = max(event["published"] for _, event in hijack.events)
    record = {"MessageID": "295", "Desc": "Retrieve password", "IsoTimestamp": last}
    record.update(Issuer="asmith", Safe="Linux", File="Root\\os-1", Station="10.0.0.5")
    return [*hijack.events, ("cyberark", {"syslog": {"audit_record": record}})]


def slugs(search: Search, detections: Sequence[Detection], events: Sequence[Tuple[str, Any]]) -> List[str]:
    return [f"{hit.detection.slug} {hit.account}" for hit in run_chain(search, detections, events)]


EXPECTED = [
    "correlation/okta_hijack_then_checkout cyberark:default:asmith",
    "okta/session_replay okta:default:00uA",
]


def test_a_hit_is_the_first_hop_of_a_correlation() -> None:
    """Raw Okta and CyberArk logs alone raise the correlation; without the Okta part, or its detection, nothing."""
    search = partial(run_detections, accounts=ACCOUNTS)
    assert slugs(search, DETECTIONS, story()) == EXPECTED
    assert slugs(search, DETECTIONS, story()[-1:]) == []
    alone = [detection for detection in DETECTIONS if detection.slug != "okta/session_replay"]
    assert slugs(search, alone, story()) == []


@pytest.mark.engine("elasticsearch")
def test_both_engines_chain_alike(elasticsearch_url: str) -> None:
    """The same in Elasticsearch."""
    assert slugs(partial(run_elastic, elasticsearch_url, accounts=ACCOUNTS), DETECTIONS, story()) == EXPECTED
