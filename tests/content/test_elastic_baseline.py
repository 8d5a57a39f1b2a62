"""What fills `tourniquet-seen`, in a real Elasticsearch: the same rows as Splunk's upkeep searches make of the events."""

from __future__ import annotations

import configparser
import copy
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, List, Mapping, Tuple

import pytest

from responders.content.detection import Detection
from responders.content.elastic import ElasticRun, baseline
from responders.content.elastic.baseline import Learned, learn
from responders.content.elastic.server import ElasticError, Server
from responders.content.forms import to_splunk
from responders.content.loader import ROOT, load_macros
from responders.content.run import run_detections
from responders.content.spl import Context, run
from responders.errors import BadInputs
from responders.surfaces.command_line.main import main
from tests import shipped

pytestmark = pytest.mark.engine("elasticsearch")

ALL = shipped.detections()
KEEPING = {one.baseline.what: one for one in ALL if one.baseline}
Events = List[Tuple[str, Any]]
Rows = Dict[str, Tuple[int, int]]


@pytest.fixture(scope="module")
def searches() -> configparser.RawConfigParser:
    """Splunk's searches as they ship."""
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    parser.read(ROOT.parent / "splunk_app" / "default" / "savedsearches.conf")
    return parser


@pytest.fixture
def elastic(elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tuple[ElasticRun, Server]]:
    """A namespace of its own, and a client to look into it. Weeks are learned in slices of two days: fewer queries."""
    monkeypatch.setattr(baseline, "_SLICE", timedelta(days=2))
    with ElasticRun(elasticsearch_url, ALL) as found, Server(elasticsearch_url) as server:
        yield found, server


def in_splunk(searches: Any, what: str, events: Events, lookups: Mapping[str, Any], now: float) -> Rows:
    """What the upkeep search makes of the events."""
    held: Dict[str, List[Dict[str, Any]]] = {"tourniquet_accounts": [], "tourniquet_watch": [], "tourniquet_seen": []}
    held.update({name: [dict(row) for row in rows] for name, rows in lookups.items()})
    indexed = [to_splunk(source, event, now) for source, event in events]
    run(searches[f"Tourniquet - baseline {what}"]["search"], indexed, Context(load_macros(), held, now))
    return {
        row["tq_seen"]: (int(float(row["tq_first_seen"])), int(float(row["tq_last_seen"])))
        for row in held["tourniquet_seen"]
    }


def rows_of(server: Server, namespace: str) -> Rows:
    """The lookup's rows, without those that say until when it learned."""
    body = {"size": 10_000, "query": {"exists": {"field": "tq_first_seen"}}}
    found = server.call("POST", f"/tourniquet-seen-{namespace}/_search", body)["hits"]["hits"]
    sources = [hit["_source"] for hit in found]
    assert len({source["tq_seen"] for source in sources}) == len(sources), "one key twice: every finding would be doubled"
    return {source["tq_seen"]: (source["tq_first_seen"], source["tq_last_seen"]) for source in sources}


def learned(server: Server, at: datetime, namespace: str, **more: Any) -> Dict[str, Learned]:
    return {one.what: one for one in learn(server, at, namespace=namespace, **more)}


def test_both_siems_learn_the_same(searches: Any, elastic: Tuple[ElasticRun, Server]) -> None:
    """The events of all examples of each detection with a baseline, of three days, give equal rows in both."""
    found, server = elastic
    end = datetime(2026, 3, 2, tzinfo=timezone.utc)
    began, ended = end.timestamp() - 3 * 86400, end.timestamp() - 1200
    examples: List[Events] = [
        [one for one in example.events if began < float(to_splunk(*one, 0.0)["_time"]) < ended]
        for detection in KEEPING.values()
        for example in detection.examples
    ]
    # One id is used by several examples, so each is indexed apart.
    found.add_all([[lot] for lot in examples])
    events = [event for example in examples for event in example]
    done = learned(server, end, found.namespace, since=timedelta(days=3))
    assert set(done) == set(KEEPING)
    rows = rows_of(server, found.namespace)
    expected: Rows = {}
    for what in KEEPING:
        expected.update(in_splunk(searches, what, events, {}, end.timestamp()))
    assert {row.split("|")[0] for row in rows} == set(KEEPING), "some baseline learned nothing at all"
    # Splunk hashes the raw text of a tool's definition, Elastic the mapped record: equal texts, but other digests.
    assert len([key for key in rows if "|sha256" in key]) == len([key for key in expected if "|sha256" in key]) > 0
    rows = {key: row for key, row in rows.items() if "|sha256" not in key}
    expected = {key: row for key, row in expected.items() if "|sha256" not in key}
    assert rows == expected, sorted(set(rows.items()) ^ set(expected.items()))


def okta(at: datetime, network: str, user: str = "00uSvc") -> Tuple[str, Any]:
    """A call with an API token, as the examples of okta/api_token_new_network have them."""
    detection = next(one for one in ALL if one.slug == "okta/api_token_new_network")
    source, event = copy.deepcopy(next(one for one in detection.examples if one.fires).events[0])
    event.update(published=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), uuid=f"{network}-{user}-{at:%s}")
    event["actor"]["id"] = user
    event["client"]["ipAddress"] = f"{network}.7"
    event.get("securityContext", {}).pop("asNumber", None)
    return source, event


def test_first_seen_stays_and_last_seen_moves(elastic: Tuple[ElasticRun, Server]) -> None:
    """Seeded by event time, then on by time of ingest and 20 minutes late; once more changes nothing."""
    found, server = elastic
    began = datetime.now(timezone.utc).replace(microsecond=0)
    first = found.add([okta(began - timedelta(hours=2), "198.51.100")])
    learned(server, began, found.namespace, since=timedelta(days=1))
    head = "okta_token_network|okta:default:00uSvc|"
    old = int((began - timedelta(hours=2)).timestamp())
    assert rows_of(server, found.namespace)[head + "198.51.100.0/24"] == (old, old)
    second = first.ingested + timedelta(days=10)
    assert found.add([okta(second, "198.51.100"), okta(second, "203.0.113")]).ingested == second
    new = int(second.timestamp())
    learned(server, second + timedelta(minutes=19), found.namespace)
    assert rows_of(server, found.namespace)[head + "*"] == (old, old), "too early: the searches have not seen it yet"
    for _ in range(2):
        learned(server, second + timedelta(minutes=21), found.namespace)
        mine = {key: row for key, row in rows_of(server, found.namespace).items() if key.startswith(head)}
        assert mine == {
            head + "198.51.100.0/24": (old, new),
            head + "203.0.113.0/24": (new, new),
            head + "*": (old, new),
        }
    learned(server, second + timedelta(minutes=22), found.namespace, since=timedelta(days=11))
    assert {key: row for key, row in rows_of(server, found.namespace).items() if key.startswith(head)} == mine


def test_an_event_that_says_it_is_old_makes_nobody_old(elastic: Tuple[ElasticRun, Server]) -> None:
    """Past seeding, what was ingested more than a day after it claims to have happened teaches nothing."""
    found, server = elastic
    began = datetime.now(timezone.utc).replace(microsecond=0)
    learned(server, began - timedelta(minutes=1), found.namespace, since=timedelta(hours=1))
    batch = found.add([okta(began - timedelta(days=40), "198.51.100"), okta(began, "203.0.113")])
    learned(server, batch.ingested + timedelta(minutes=21), found.namespace)
    keys = {key.rpartition("|")[2] for key in rows_of(server, found.namespace) if key.startswith("okta_token_network|")}
    assert keys == {"203.0.113.0/24", "*"}


def test_whoever_is_watched_teaches_nothing_in_either(searches: Any, elastic: Tuple[ElasticRun, Server]) -> None:
    """Known to the inventory or not: his account is on the watch list, and others' rows are not touched by that."""
    found, server = elastic
    now = datetime.now(timezone.utc).replace(microsecond=0)
    at = now - timedelta(hours=1)
    events = [okta(at, "198.51.100", user) for user in ("00uGood", "00uBad", "00uAlone", "00uFormer")]
    day = timedelta(days=1)
    watch = [("bad", now + day), ("okta:default:00uAlone", now + day), ("former", now - day)]
    lookups = {
        "tourniquet_accounts": [
            {"tq_account": "okta:default:00uBad", "tq_identity": "bad"},
            {"tq_account": "okta:default:00uFormer", "tq_identity": "former"},
        ],
        "tourniquet_watch": [
            {"tq_identity": who, "until": f"{until:%Y-%m-%dT%H:%M:%SZ}", "why": "x"} for who, until in watch
        ],
    }
    found.set_lookups(lookups)
    found.add(events)
    learned(server, now, found.namespace, since=timedelta(hours=3))
    rows = {key: row for key, row in rows_of(server, found.namespace).items() if key.startswith("okta_token_network|")}
    assert {key.split(":")[-1].split("|")[0] for key in rows} == {"00uGood", "00uFormer"}
    assert rows == in_splunk(searches, "okta_token_network", events, lookups, now.timestamp())


def test_more_pairs_than_a_query_gives(elastic: Tuple[ElasticRun, Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """Elasticsearch cuts a result off silently: page by page all of them come."""
    found, server = elastic
    now = datetime.now(timezone.utc).replace(microsecond=0)
    found.add([okta(now - timedelta(hours=1), f"198.51.{number}") for number in range(25)])
    monkeypatch.setattr(baseline, "_PAGE", 4)
    done = learned(server, now, found.namespace, since=timedelta(hours=3))
    assert done["okta_token_network"].pairs == 25
    keys = [key for key in rows_of(server, found.namespace) if key.startswith("okta_token_network|")]
    assert len(keys) == 26


def test_what_was_learned_makes_the_rule_quiet_or_fire_alike(searches: Any, elastic: Tuple[ElasticRun, Server]) -> None:
    """Three weeks of one network, then that network (quiet) and another one (fires, seeded): as in Splunk."""
    found, server = elastic
    rule: Detection = next(one for one in ALL if one.slug == "okta/api_token_new_network")
    now = datetime.now(timezone.utc).replace(microsecond=0)
    past = [okta(now - timedelta(days=day), "198.51.100") for day in (20, 9, 2)]
    found.add(past)
    learned(server, now, found.namespace, since=timedelta(days=21))
    fresh = [okta(now, "198.51.100"), okta(now, "203.0.113")]
    rows = in_splunk(searches, "okta_token_network", past, {}, now.timestamp())
    seen = [{"tq_seen": key, "tq_first_seen": str(a), "tq_last_seen": str(z)} for key, (a, z) in rows.items()]
    splunk = run_detections([rule], fresh, lookups={"tourniquet_seen": seen})
    hits = found.hits(rule, found.add(fresh))
    assert [hit.to_json()["reasons"] for hit in hits] == [hit.to_json()["reasons"] for hit in splunk]
    assert [hit.to_json()["events"] for hit in hits] == [[fresh[1][1]["uuid"]]]


def test_without_the_lookup_nothing_is_made_up(elasticsearch_url: str) -> None:
    """No index of that name appears: it would not be a lookup, and every rule would fail."""
    with Server(elasticsearch_url) as server:
        with pytest.raises(BadInputs):
            learned(server, datetime.now(timezone.utc), "tqabsent", since=timedelta(hours=1))
        with pytest.raises(ElasticError):
            server.call("GET", "/tourniquet-seen-tqabsent")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://127.0.0.1:9", "--once"], "can't be reached"),
        (["--url", "http://127.0.0.1:9", "--once", "--since", "soon"], "is no span of time"),
        (["--url", "ftp://x", "--once"], "no http(s) URL"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: List[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with place and remedy, and exit code 2."""
    assert main(["elastic", "baseline", *arguments]) == 2
    assert said in capsys.readouterr().err
