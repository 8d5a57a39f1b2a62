"""A run over raw logs: what the detections find becomes the signals that correlations read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, List, Mapping, Sequence, Tuple

import pytest

from responders.content.chain import Search, run_chain
from responders.content.detection import Detection
from responders.content.elastic import run_elastic
from responders.content.elastic.query import load_elastic_macros
from responders.content.loader import load_detections, load_macros
from responders.content.run import run_detections

ALL = load_detections()
Events = List[Tuple[str, Any]]


@dataclass(frozen=True)
class Story:
    """Raw events of several sources (synthetic, some from the examples of the detections), and what must come of them.

    `wanted` are the detections that run; `first` is how many events the first layer's part has: without it no correlation.
    """

    name: str
    wanted: Tuple[str, ...]
    accounts: Tuple[Mapping[str, str], ...]
    events: Events
    first: int
    expected: Tuple[str, ...]

    @property
    def detections(self) -> List[Detection]:
        return [detection for detection in ALL if detection.slug in self.wanted]


def example(slug: str, account: str) -> Events:
    """Events of a detection's first example that names the account."""
    found = next(detection for detection in ALL if detection.slug == slug)
    return list(next(one.events for one in found.examples if one.fires == (account,)))


def known_as(identity: str, kind: str, *accounts: str) -> Tuple[Mapping[str, str], ...]:
    return tuple({"tq_account": account, "tq_identity": identity, "tq_kind": kind} for account in accounts)


def checkout(at: str, number: int = 1, safe: str = "Linux") -> Tuple[str, Any]:
    record = {"MessageID": "295", "Desc": "Retrieve password", "IsoTimestamp": at, "Issuer": "asmith", "Safe": safe}
    return "cyberark", {"syslog": {"audit_record": {**record, "File": f"Root\\os-{number}", "Station": "10.0.0.5"}}}


def read(at: str, entity: str) -> Tuple[str, Any]:
    auth = {"accessor": "acc1", "entity_id": entity, "display_name": "oidc", "policies": ["app"], "token_type": "service"}
    request = {"id": f"r-{at}", "operation": "read", "path": "kv/data/aws", "remote_address": "203.0.113.9"}
    return "vault", {"time": at, "type": "response", "auth": auth, "request": request}


def aws(at: str, name: str, principal: str, **more: Any) -> Tuple[str, Any]:
    arn = "arn:aws:sts::111122223333:assumed-role/dev/alice@corp"
    who = {"type": "AssumedRole", "principalId": principal, "arn": arn, "accountId": "111122223333", "accessKeyId": "ASIAQ"}
    event = {"eventID": f"a-{at}", "eventTime": at, "eventSource": "sts.amazonaws.com", "eventName": name}
    return "aws_cloudtrail", {**event, "sourceIPAddress": "203.0.113.9", "userIdentity": who, **more}


def later(text: str, minutes: int) -> str:
    at = datetime.fromisoformat(text.replace("Z", "+00:00")) + timedelta(minutes=minutes)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


ALICE = known_as(
    "alice", "human", "okta:default:00uA", "cyberark:default:asmith", "vault:default:ent-1",
    "aws:111122223333:AROASHARED:alice@corp",
)  # fmt: skip


def hijack() -> Story:
    """A stolen Okta session, then a checkout, a secret and a role, under another name at each vendor."""
    stolen = example("okta/session_replay", "okta:default:00uA")
    last = max(event["published"] for _, event in stolen)
    hops = [
        checkout(later(last, 5)),
        read(later(last, 10), "ent-1"),
        aws(later(last, 15), "AssumeRole", "AROASHARED:alice@corp"),
    ]
    wanted = ("okta/session_replay", "correlation/okta_hijack_then_checkout", "correlation/checkout_then_vault_read",
              "correlation/vault_read_then_assume_role", "correlation/okta_to_aws_chain")  # fmt: skip
    expected = (
        "correlation/checkout_then_vault_read vault:default:ent-1 80",
        "correlation/okta_hijack_then_checkout cyberark:default:asmith 90",
        "correlation/okta_to_aws_chain aws:111122223333:AROASHARED:alice@corp 95",
        "correlation/vault_read_then_assume_role aws:111122223333:AROASHARED:alice@corp 80",
    )
    return Story("hijack", wanted, ALICE, [*stolen, *hops], len(stolen), expected)


def leak() -> Story:
    """AWS puts a user in quarantine; the same identity's entity reads a secret in Vault."""
    leaked = example("aws/key_quarantined_by_aws", "aws:111122223333:deploy")
    accounts = known_as("deploy", "service", "aws:111122223333:deploy", "vault:default:ent-deploy")
    wanted = ("aws/key_quarantined_by_aws", "correlation/leaked_secret_then_use")
    expected = ("correlation/leaked_secret_then_use vault:default:ent-deploy 75",)
    return Story("leak", wanted, accounts, [*leaked, read("2026-03-01T13:00:00Z", "ent-deploy")], len(leaked), expected)


def injection() -> Story:
    """A marked document steers an agent, which is another account in Vault."""
    agent = "entra:0d6f7b52-1111-4222-8333-944455556666:7c1d2e3f-aaaa-4bbb-8ccc-9dddeeeeffff"
    steered = example("agent/injection_then_privileged_call", agent)
    accounts = known_as("helpdesk-agent", "agent", agent, "vault:default:ent-agent")
    wanted = ("agent/injection_then_privileged_call", "correlation/agent_injection_then_vault_read")
    expected = ("correlation/agent_injection_then_vault_read vault:default:ent-agent 80",)
    return Story(
        "injection", wanted, accounts, [*steered, read("2026-03-01T11:30:00Z", "ent-agent")], len(steered), expected
    )


def risk() -> Story:
    """A stolen Okta session, and two hours later a bulk retrieval in CyberArk: too late for a pair, but not for the risk."""
    stolen = example("okta/session_replay", "okta:default:00uA")
    last = max(event["published"] for _, event in stolen)
    bulk = [checkout(later(last, 120), number) for number in range(12)]
    wanted = ("okta/session_replay", "cyberark/bulk_retrieval", "correlation/okta_hijack_then_checkout",
              "correlation/risk_over_threshold")  # fmt: skip
    expected = ("correlation/risk_over_threshold cyberark:default:asmith 91",)
    return Story("risk", wanted, ALICE, [*stolen, *bulk], len(stolen), expected)


STORIES = [hijack(), leak(), injection(), risk()]


def found(search: Search, detections: Sequence[Detection], events: Events) -> Tuple[str, ...]:
    """The hits of correlations: detection, account, confidence."""
    hits = run_chain(search, detections, events)
    second = [hit for hit in hits if hit.detection.correlation]
    return tuple(sorted(f"{h.detection.slug} {h.account} {int(float(str(h.row['tq_confidence'])))}" for h in second))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_hit_is_the_first_hop_of_a_correlation(story: Story) -> None:
    """Raw logs alone raise the correlations; without the first part of them, its detection or the inventory, none."""
    search = partial(run_detections, accounts=story.accounts)
    assert found(search, story.detections, story.events) == story.expected
    assert found(search, story.detections, story.events[story.first :]) == ()
    second = [detection for detection in story.detections if detection.correlation]
    assert found(search, second, story.events) == ()
    assert found(run_detections, story.detections, story.events) == ()


@pytest.mark.engine("elasticsearch")
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_both_engines_chain_alike(story: Story, elasticsearch_url: str) -> None:
    """The same accounts with the same confidence in Elasticsearch."""
    search = partial(run_elastic, elasticsearch_url, accounts=story.accounts)
    assert found(search, story.detections, story.events) == story.expected


def test_a_correlation_knows_what_an_outsider_can_cause() -> None:
    """Each detection whose evidence an outsider can forge is in the macro of both engines, and no other."""
    slugs = sorted(detection.slug for detection in ALL if detection.forgery.by == "outsider")
    for text in (load_macros()["tourniquet_forgeable"].definition, load_elastic_macros()["forgeable"]):
        assert sorted(part.strip(' "') for part in text.split(",")) == slugs
