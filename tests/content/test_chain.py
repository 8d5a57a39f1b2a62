"""A run over raw logs: what the detections find becomes the signals that correlations read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, List, Mapping, Sequence, Set, Tuple

import pytest

from responders.containment.signals import standing_row
from responders.content.chain import Search, run_chain
from responders.content.detection import Detection
from responders.content.elastic import run_elastic
from responders.content.elastic.query import load_elastic_macros
from responders.content.loader import load_macros
from responders.content.run import run_detections
from responders.model import Standing
from tests import shipped

ALL = shipped.detections()
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


# -- correlations that no signal begins: raw logs and the inventory, raw logs and the journal --------------------------


def okta(at: str, user: str, kind: str = "user.authentication.sso") -> Tuple[str, Any]:
    event = {"uuid": f"o-{user}-{at}", "published": at, "eventType": kind, "outcome": {"result": "SUCCESS"}}
    return "okta", {**event, "actor": {"id": user, "type": "User"}, "client": {"ipAddress": "203.0.113.9"}, "target": []}


def console(at: str, name: str = "alice@corp") -> Tuple[str, Any]:
    more = {"eventType": "AwsConsoleSignIn", "responseElements": {"ConsoleLogin": "Success"}}
    source, event = aws(at, "ConsoleLogin", f"AROASHARED:{name}", **more)
    return source, {**event, "eventSource": "signin.amazonaws.com"}


BOB = known_as("bob", "human", "okta:default:00uB", "vault:default:ent-2")
NOON = [okta("2026-03-01T12:30:00Z", "00uB"), console("2026-03-01T12:00:00Z")]


@dataclass(frozen=True)
class Case:
    """Raw events, and the accounts and confidences that one correlation gives of them, and of them without their last."""

    name: str
    slug: str
    events: Events
    expected: Tuple[str, ...]
    less: Tuple[str, ...]


def standing(kind: str, account: str, since: str, residual: str = "") -> Tuple[str, Any]:
    """What the responder writes into the SIEM's journal."""
    at = datetime.fromisoformat(since.replace("Z", "+00:00"))
    left = datetime.fromisoformat(residual.replace("Z", "+00:00")) if residual else None
    return "journal", dict(standing_row(Standing(kind, "c-1", "alice", account, at, left)))


def contained(*then: Tuple[str, Any], until: str = "") -> Events:
    """A stolen session, and the containment of both accounts that followed."""
    stolen = example("okta/session_replay", "okta:default:00uA")
    last = later(max(event["published"] for _, event in stolen), 1)
    both = [standing("contained", account, last, until) for account in ("okta:default:00uA", "vault:default:ent-1")]
    return [*stolen, *both, *then]


THEFT = max(event["published"] for _, event in example("okta/session_replay", "okta:default:00uA"))
SSO, AFTER = "correlation/login_without_sso", "correlation/activity_after_containment"
CASES = [
    Case("into the console past Okta, whose log goes on", SSO, NOON[::-1],
         (f"{SSO} aws:111122223333:AROASHARED:alice@corp 80",), (f"{SSO} aws:111122223333:AROASHARED:alice@corp 40",)),
    Case("the same, but she had signed in", SSO, [okta("2026-03-01T11:30:00Z", "00uA"), *NOON], (), ()),
    Case("a sign-in of somebody else explains nothing", SSO,
         [read("2026-03-01T12:01:00Z", "ent-1"), okta("2026-03-01T11:30:00Z", "00uB"), *NOON],
         (f"{SSO} aws:111122223333:AROASHARED:alice@corp 80",), ()),
    Case("back at Okta after the containment", AFTER, contained(okta(later(THEFT, 3), "00uA", "user.session.start")),
         (f"{AFTER} okta:default:00uA 95",), ()),
    Case("her entity reads in Vault after the containment", AFTER, contained(read(later(THEFT, 9), "ent-1")),
         (f"{AFTER} vault:default:ent-1 90",), ()),
    Case("while a token that nobody could revoke still lives", AFTER,
         contained(read(later(THEFT, 9), "ent-1"), until=later(THEFT, 30)), (), ()),
    Case("given back before", AFTER,
         contained(standing("restored", "vault:default:ent-1", later(THEFT, 5)), read(later(THEFT, 9), "ent-1")), (), ()),
    Case("somebody else's activity", AFTER, contained(read(later(THEFT, 9), "ent-2")), (), ()),
]  # fmt: skip


def chained(search: Search, case: Case) -> Tuple[Tuple[str, ...], Tuple[str, ...]]:
    """What comes of the raw events by the whole chain: first layer, its signals, and the correlation."""
    wanted = [detection for detection in ALL if detection.slug in (case.slug, "okta/session_replay")]
    return found(search, wanted, case.events), found(search, wanted, case.events[:-1])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_raw_logs_with_inventory_or_journal_raise_the_correlation(case: Case) -> None:
    """A login that no sign-in explains, and activity after the containment that the journal tells; nothing without it."""
    search = partial(run_detections, accounts=[*ALICE, *BOB])
    assert chained(search, case) == (case.expected, case.less)
    without = [event for event in case.events if event[0] != "journal"]
    if case.slug == AFTER:
        assert chained(search, replace(case, events=without)) == ((), ())
    else:
        assert chained(run_detections, case) == ((), ())


@pytest.mark.engine("elasticsearch")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_engines_raise_them_alike(case: Case, elasticsearch_url: str) -> None:
    """The same accounts with the same confidence in Elasticsearch."""
    search = partial(run_elastic, elasticsearch_url, accounts=[*ALICE, *BOB])
    assert chained(search, case) == (case.expected, case.less)


def test_a_correlation_knows_what_an_outsider_can_cause() -> None:
    """Each detection whose evidence an outsider can forge is in the macro of both engines, and no other."""
    slugs = sorted(detection.slug for detection in ALL if detection.forgery.by == "outsider")
    for text in (load_macros()["tourniquet_forgeable"].definition, load_elastic_macros()["forgeable"]):
        assert sorted(part.strip(' "') for part in text.split(",")) == slugs


@pytest.mark.parametrize(
    ("name", "started"),
    [
        ("leaks", {"aws/key_quarantined_by_aws", "github/leaked_secret_used"}),
        ("injections", {"agent/injection_then_privileged_call", "agent/tool_definition_changed"}),
    ],
)
def test_the_detections_that_start_a_correlation_exist(name: str, started: Set[str]) -> None:
    """The expression that picks them matches these detections, in both engines alike; a renamed one would start nothing,
    and a correlation that starts itself would never end."""
    splunk = re.compile(load_macros()[f"tourniquet_{name}"].definition.strip('"'))
    elastic = re.compile(load_elastic_macros()[name].strip('"'))
    assert {one.slug for one in ALL if splunk.search(one.slug)} == started
    assert {one.slug for one in ALL if elastic.fullmatch(one.slug)} == started
